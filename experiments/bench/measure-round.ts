/**
 * A complete round of one model size on a chain, with real proofs: what clients, members, the aggregator and the chain
 * spend.
 */
import type { JsonRpcProvider } from "ethers";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { newRoundKeyPair } from "../../protocol/bundle.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { hashVerificationKeys } from "../../protocol/verification-key.ts";
import { openCurve } from "../../proving/node/open-curve.ts";
import { submissionVerifier } from "../../proving/groth16/submission-batch.ts";
import { measureAggregator } from "./aggregator-run.ts";
import { measureAudit } from "./audit-run.ts";
import { benchTask } from "./bench-task.ts";
import type { BenchTask, Cohort } from "./bench-task.ts";
import type { Calibration } from "./calibration.ts";
import { measureClient } from "./client-fork.ts";
import type { ClientReport } from "./client-job.ts";
import { GasMeter } from "./gas-meter.ts";
import type { GasByFunction } from "./gas-meter.ts";
import { measureMembers } from "./member-run.ts";
import { openFirstRound } from "./open-round.ts";
import type { RoundEnvironment } from "./open-round.ts";

export interface RoundMeasurement {
  readonly task: BenchTask;
  readonly client: ClientReport;
  /** Processor milliseconds of a client's audit of all submissions, one value for each repeat. */
  readonly audits: readonly number[];
  /** Milliseconds, one value for each share that was checked. */
  readonly memberChecks: readonly number[];
  /** Milliseconds, one value for each repeat. */
  readonly aggregatorRounds: readonly number[];
  /** Of the process in which members and aggregator were measured, beside them. */
  readonly calibrations: readonly Calibration[];
  readonly gas: GasByFunction;
  /** Of one client's bundle: the mean over seats, some of which get a seed in place of a share. */
  readonly bytesPerMember: number;
}

/** One measured round. */
export interface Scenario extends Cohort {
  readonly dimension: number;
}

/**
 * @param repeats timed client submissions after the first, and timed aggregations
 * @throws chain, key and protocol errors: a round that fails is not measured
 */
export async function measureRound(
  scenario: Scenario,
  repeats: number,
  environment: RoundEnvironment,
): Promise<RoundMeasurement> {
  const { keys, random } = environment;
  const onStep = (step: string): void =>
    environment.onStep(`d = ${scenario.dimension}, ${scenario.clients} clients: ${step}`);
  const task = benchTask(scenario.dimension, scenario, toHex(hashVerificationKeys(keys.verificationKeys)));
  const allClients = (1n << BigInt(scenario.clients)) - 1n;
  const allSeats = (1n << BigInt(scenario.members)) - 1n;
  const gas = new GasMeter();
  const { operator, members, clients, roundKeys, contexts, provider, reader } = await openFirstRound(
    task,
    environment,
    gas,
  );
  try {
    onStep(`submissions, ${task.layout.chunks.length} chunk(s) each`);
    const client = await measureClient(
      {
        keyDirectory: keys.directory,
        parameters: task.parameters,
        contexts,
        roundKeys: roundKeys.map(({ publicKey }) => publicKey),
        submissions: Math.max(scenario.clients, 1 + repeats),
      },
      onStep,
    );
    for (const [i, { submission }] of client.outputs.entries())
      await gas.measure("submit", clients[i]!.submit(1n, submission));

    onStep("a client's audit");
    const verifier = submissionVerifier(await openCurve(), random);
    const audits = await measureAudit(task, keys.verificationKeys, reader, verifier, repeats);

    onStep("members and aggregator");
    const calibrations = [await environment.calibrate()];
    const { checkMs, shareSums } = await measureMembers(task.layout, roundKeys, contexts, client.outputs);
    calibrations.push(await environment.calibrate());
    for (const member of members) await gas.measure("attest", member.attest(1n, allClients));
    await gas.measure("propose", operator.propose(1n, allSeats));
    await gas.measure("settle", operator.settle(1n, []));
    const { sum } = await operator.round();
    const settled = { ...operator.context, round: 1n, included: allClients, totalWeight: scenario.clients, sum };
    const aggregate = await measureAggregator(task, settled, shareSums, environment.committer, repeats);
    calibrations.push(await environment.calibrate());
    for (const [i, member] of members.entries())
      await gas.measure("release", member.release(1n, aggregate.releaseCids[i]!));
    const signatures = [];
    for (const [i, member] of members.slice(0, task.committee.threshold).entries()) {
      signatures.push({ seat: i + 1, signature: await member.signResult({ ...settled, ...aggregate.result }) });
    }
    await gas.measure(
      "finalize",
      operator.finalize(1n, aggregate.result, aggregate.evaluation, aggregate.opening, signatures),
    );
    await leaveToDeadline(operator, members, provider, random, gas);

    return {
      task,
      client,
      audits,
      memberChecks: checkMs,
      aggregatorRounds: aggregate.roundMs,
      calibrations,
      gas: gas.result(),
      bytesPerMember: meanLength(client.outputs[0]!.sealed),
    };
  } finally {
    provider.destroy();
  }
}

/** A second round in which nobody submits, pushed on when its deadline has passed. */
async function leaveToDeadline(
  operator: TaskWriter,
  members: readonly TaskWriter[],
  provider: JsonRpcProvider,
  random: RandomBytes,
  gas: GasMeter,
): Promise<void> {
  for (const member of members) await member.registerRoundKeys(2n, [await freshPublicKey(random)]);
  await operator.openRound();
  const { deadline } = await operator.round();
  await provider.send("evm_increaseTime", [deadline - (await operator.blockTime())]);
  await provider.send("evm_mine", []);
  await gas.measure("advance", operator.advance(2n));
}

async function freshPublicKey(random: RandomBytes): Promise<Hex> {
  return toHex((await newRoundKeyPair(random)).publicKey);
}

function meanLength(files: readonly Uint8Array[]): number {
  return Math.round(files.reduce((sum, file) => sum + file.length, 0) / files.length);
}
