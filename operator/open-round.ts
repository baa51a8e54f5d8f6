/** Opens a task's next round, which anybody may do. */
import type { Wallet } from "ethers";
import { readerAt } from "../chain/reader.ts";
import { openEndpoint, VERISUM_INTERFACE } from "../chain/rpc.ts";
import type { Endpoint } from "../chain/rpc.ts";
import { sendingFailure } from "../chain/transaction.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { checkFunds } from "./check-deployment.ts";
import { openSender } from "./deploy-task.ts";
import type { PaymentOptions } from "./deploy-task.ts";
import { isTooFewKeys, keysAwaited, readOpening } from "../task/opening.ts";
import type { Opening } from "../task/opening.ts";
import type { TransactionRequest } from "./recorded-sender.ts";

/** A round that is open, and to how many clients. */
export interface OpenedRound {
  readonly round: bigint;
  readonly expected: number;
}

/**
 * @throws ROUND_CANNOT_OPEN, CHAIN_NO_CONTRACT, CHAIN_FUNDS_MISSING before anything is sent; CHAIN_* errors;
 *   INTERRUPTED
 */
export async function openNextRound(
  rpc: string | readonly string[],
  contract: Hex,
  wallet: Wallet,
  options: PaymentOptions = {},
): Promise<OpenedRound> {
  const { endpoint, chainId } = await openEndpoint(rpc, options.chainId);
  try {
    const reader = await readerAt(endpoint, chainId, contract, { confirmations: 0 });
    const opening = await readOpening(reader, await reader.look());
    const { round, obstacles } = opening;
    ensure(obstacles.length === 0, "ROUND_CANNOT_OPEN", `round ${round} cannot open: ${obstacles.join("; ")}`, {
      round,
      obstacles,
    });
    const { record } = options;
    const ofRound =
      record === undefined ? {} : { record: (chain: Parameters<typeof record>[0]) => record({ ...chain, round }) };
    const sender = (await openSender(endpoint, chainId, { ...options, ...ofRound }))(wallet);
    const label = `open round ${round}`;
    const request = { to: contract, data: VERISUM_INTERFACE.encodeFunctionData("openRound") };
    const account = wallet.address.toLowerCase() as Hex;
    if (!(await sender.isUnderWay(label)))
      await checkFunds(
        endpoint,
        [{ account, gas: await openingGas(endpoint, account, request, opening), value: 0n }],
        options.maxFeePerGas,
      );
    await sender.mined(await sender.send(label, request));
    return { round, expected: (await reader.round()).expected };
  } finally {
    endpoint.provider.destroy();
  }
}

/** Asks the contract itself: when the window for keys ends, no view says. @throws ROUND_CANNOT_OPEN, CHAIN_* errors */
async function openingGas(
  { provider, request }: Endpoint,
  from: Hex,
  call: TransactionRequest,
  { round, seatsWithoutKey }: Opening,
): Promise<bigint> {
  try {
    return await request(() => provider.estimateGas({ from, ...call }));
  } catch (error) {
    const failure = sendingFailure("openRound", error);
    if (!isTooFewKeys(failure)) throw failure;
    const why = keysAwaited(seatsWithoutKey, failure);
    throw new VerisumError(
      "ROUND_CANNOT_OPEN",
      `round ${round} cannot open yet: ${why}`,
      { round, obstacles: [why] },
      { cause: failure },
    );
  }
}
