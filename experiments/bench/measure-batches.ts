/** Gas of submissions that are sent together, by how many there are: real proofs of as many different clients. */
import { toHex } from "../../protocol/transcript.ts";
import { hashVerificationKeys } from "../../protocol/verification-key.ts";
import { benchTask } from "./bench-task.ts";
import { measureClient } from "./client-fork.ts";
import { GasMeter } from "./gas-meter.ts";
import { openFirstRound } from "./open-round.ts";
import type { RoundEnvironment } from "./open-round.ts";

/** Gas of one submission among so many in one transaction. */
export interface BatchGas {
  readonly size: number;
  readonly gasPerClient: number;
}

/** The size that rows name. */
export const BATCH_SIZE = 20;
const SIZES = [1, 2, 5, 10, BATCH_SIZE] as const;
/** What one transaction may spend (EIP-7825), less a margin for the estimate's own. */
const TRANSACTION_GAS = 16_000_000;
/** More proofs than this would take longer than everything else that is measured. */
const MAX_PROOFS = 64;

/** Batches of growing size, each from the same state of the chain, as long as they fit into a transaction. */
export async function measureBatches(
  dimension: number,
  members: number,
  environment: RoundEnvironment,
): Promise<BatchGas[]> {
  const { keys } = environment;
  const onStep = (step: string): void => environment.onStep(`d = ${dimension}, batches: ${step}`);
  const chunks = benchTask(dimension, { clients: 2, members }, toHex(hashVerificationKeys(keys.verificationKeys)))
    .layout.chunks.length;
  const sizes = SIZES.filter((size) => size * chunks <= MAX_PROOFS);
  const clients = Math.max(2, ...sizes);
  const task = benchTask(dimension, { clients, members }, toHex(hashVerificationKeys(keys.verificationKeys)));
  const round = await openFirstRound(task, environment, new GasMeter());
  try {
    const { outputs } = await measureClient(
      {
        keyDirectory: keys.directory,
        parameters: task.parameters,
        contexts: round.contexts,
        roundKeys: round.roundKeys.map(({ publicKey }) => publicKey),
        submissions: clients,
      },
      onStep,
    );
    const signed = await Promise.all(
      outputs.map(({ submission }, i) => round.clients[i]!.signSubmission(1n, submission)),
    );
    const measured: BatchGas[] = [];
    for (const size of sizes) {
      if (expectedGas(measured, size) > TRANSACTION_GAS) break;
      const snapshot = (await round.provider.send("evm_snapshot", [])) as string;
      const operator = await round.reconnectOperator();
      const { gasUsed } = await operator.submitBatch(1n, signed.slice(0, size));
      measured.push({ size, gasPerClient: Math.round(Number(gasUsed) / size) });
      await round.provider.send("evm_revert", [snapshot]);
      onStep(`${size} in one transaction: ${Math.round(Number(gasUsed) / size)} gas each`);
    }
    return measured;
  } finally {
    round.provider.destroy();
  }
}

/** By the last two batches' difference; at first nothing, since one submission always fits. */
export function expectedGas(measured: readonly BatchGas[], size: number): number {
  const last = measured.at(-1);
  if (last === undefined) return 0;
  const total = ({ size: count, gasPerClient }: BatchGas): number => count * gasPerClient;
  const before = measured.at(-2) ?? { size: 0, gasPerClient: 0 };
  return total(last) + ((total(last) - total(before)) / (last.size - before.size)) * (size - last.size);
}
