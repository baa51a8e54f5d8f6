/** Everything that can be known to go wrong with a deployment, asked before anything is paid for. */
import { Contract, formatEther } from "ethers";
import type { Wallet } from "ethers";
import { decodeAddress } from "../chain/codec.ts";
import { viewsOf } from "../chain/contract-calls.ts";
import { DEFAULT_MAX_FEE_PER_GAS, feesOf, feesWithin, offered } from "../chain/fees.ts";
import type { CellGroupFunctions } from "../chain/generated/cell-group.ts";
import { CELL_GROUP_INTERFACE, revertOf } from "../chain/rpc.ts";
import { describe } from "../chain/transport.ts";
import type { Endpoint } from "../chain/rpc.ts";
import { withMargin } from "../chain/transaction.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import { guardVerificationKeys } from "../protocol/key-guard.ts";
import { assertTaskParameters, parametersHash, presetOf } from "../protocol/task.ts";
import { fromHex, toHex } from "../protocol/transcript.ts";
import { decodeVerificationKeys, hashVerificationKeys } from "../protocol/verification-key.ts";
import type { PreparedTask } from "./prepare-task.ts";
import { checkRoster } from "./roster.ts";
import type { Payment, Roster } from "./roster.ts";

/**
 * Code that copies memory (MCOPY, EIP-5656) and returns a word, as the contracts do. It is run as if it were deployed,
 * and deploys nothing.
 */
const CANCUN_PROBE = "0x5f5f5f5e60015f5260205ff3";
/** @throws TASK_DEPLOYMENT_INVALID, PARAMETERS_INVALID, KEY_REFUSED, ROSTER_INVALID: none of it asks the chain */
export function checkPrepared(prepared: PreparedTask, roster: Roster): void {
  const { parameters, keys } = prepared;
  const decoded = decodeVerificationKeys(fromHex(keys));
  guardVerificationKeys(decoded, presetOf(parameters));
  const sameKeys = toHex(hashVerificationKeys(decoded)) === parameters.keysHash;
  ensure(sameKeys, "TASK_DEPLOYMENT_INVALID", "the keys in the deployment file are not those of its parameters");
  assertTaskParameters(parameters);
  checkRoster(parameters, roster);
}

/** @throws CHAIN_TOO_OLD, CHAIN_UNREACHABLE */
export async function checkInstructions({ provider, request }: Endpoint, chainId: bigint): Promise<void> {
  const ask = (): Promise<unknown> => provider.send("eth_call", [{ data: CANCUN_PROBE }, "latest"]);
  const answer = await request(() => ask().catch(refusal));
  if (typeof answer === "string" && /^0x0*1$/.test(answer)) return;
  throw new VerisumError(
    "CHAIN_TOO_OLD",
    `chain ${chainId} does not run the instruction MCOPY, which came with Cancun: ${String(answer).slice(0, 200)}`,
    { chainId },
  );
}

/** An answer that is an error is an answer; a failed connection is tried again. */
function refusal(error: unknown): string {
  const { code, error: inner } = error as { readonly code?: unknown; readonly error?: { readonly message?: string } };
  if (inner?.message !== undefined) return inner.message;
  if (code === "CALL_EXCEPTION" || revertOf(error) !== undefined) return describe(error);
  throw error;
}

/** @throws CELLS_GROUP_FULL, CELLS_GROUP_INVALID, CHAIN_* errors */
export async function checkGroup(endpoint: Endpoint, prepared: PreparedTask, groupWallet: Wallet): Promise<void> {
  const { group } = prepared;
  if (group === undefined) return;
  const code = await endpoint.request(() => endpoint.provider.getCode(group));
  ensure(code !== "0x", "CELLS_GROUP_INVALID", `there is no contract at ${group}: is this its chain?`, { group });
  const view = viewsOf<CellGroupFunctions>(new Contract(group, CELL_GROUP_INTERFACE, endpoint.provider), endpoint);
  const [cellCount, cells] = [Number(await view("cellCount")), await view("cells")];
  ensure(cells.length < cellCount, "CELLS_GROUP_FULL", `group ${group} has all of its ${cellCount} cells`, { group });
  const operator = decodeAddress(await view("operator"));
  const account = groupWallet.address.toLowerCase();
  const isOperator = operator === account;
  ensure(isOperator, "CELLS_GROUP_INVALID", `group ${group} takes cells from ${operator}, not from ${account}`, {
    group,
  });
  const hash = await view("parametersHash");
  const isSame = cells.length === 0 || hash === parametersHash(prepared.parameters);
  ensure(isSame, "CELLS_GROUP_INVALID", `group ${group} has cells of another task`, { group });
}

/**
 * Compares what is still to be paid, at present fees and with a margin, with what the accounts have.
 * @param maxFeePerGas the most that is offered for a unit of gas, in wei
 * @returns the wei that all of it costs at most
 * @throws CHAIN_FUNDS_MISSING, CHAIN_FEES_TOO_HIGH, CHAIN_UNREACHABLE
 */
export async function checkFunds(
  { provider, request }: Endpoint,
  payments: readonly Payment[],
  maxFeePerGas: bigint = DEFAULT_MAX_FEE_PER_GAS,
): Promise<bigint> {
  const price = offered(feesWithin(maxFeePerGas, feesOf(await request(() => provider.getFeeData()))));
  let total = 0n;
  for (const account of new Set(payments.map((payment) => payment.account))) {
    const own = payments.filter((payment) => payment.account === account);
    const needed = own.reduce((sum, { gas, value }) => sum + withMargin(gas) * price + value, 0n);
    const balance = await request(() => provider.getBalance(account));
    if (balance < needed)
      throw new VerisumError(
        "CHAIN_FUNDS_MISSING",
        `${account} has ${formatEther(balance)} ether, and this needs up to ${formatEther(needed)} at present fees: ${formatEther(needed - balance)} are missing. Nothing was sent now`,
        { account, balance, needed },
      );
    total += needed;
  }
  return total;
}
