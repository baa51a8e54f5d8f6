/**
 * Takes clients off a task's list, or gives a seat to another member: from the next round on, never in one that is
 * open. The operator may; a client and a member may for themselves; anybody may where a client was refused too often.
 */
import { formatEther } from "ethers";
import type { Wallet } from "ethers";
import { membersIn, ZERO_ADDRESS } from "../chain/lists.ts";
import { readerAt } from "../chain/reader.ts";
import { openEndpoint, VERISUM_INTERFACE } from "../chain/rpc.ts";
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { checkFunds } from "./check-deployment.ts";
import { openSender } from "./deploy-task.ts";
import type { ChainIdentity, PaymentOptions } from "./deploy-task.ts";
import { sendAll, unpaid } from "./roster.ts";
import type { Step } from "./roster.ts";

/** What is to be otherwise from the next round on. */
export type ListChange =
  | { readonly kind: "remove-clients"; readonly accounts: readonly Hex[] }
  | {
      readonly kind: "replace-member";
      readonly seat: number;
      /** The zero address leaves the seat empty. */
      readonly member: Hex;
    };

const CHANGE_GAS = 300_000n;

/**
 * What is so already is left out.
 * @returns the first round that it holds for
 * @throws ROSTER_INVALID, CHAIN_NO_CONTRACT, CHAIN_FUNDS_MISSING before anything is sent; CHAIN_REVERTED with the
 *   contract's reason if the account may not; CHAIN_* errors; INTERRUPTED
 */
export async function changeLists(
  rpc: string | readonly string[],
  contract: Hex,
  wallet: Wallet,
  change: ListChange,
  onStep: (step: string) => void,
  options: PaymentOptions = {},
): Promise<bigint> {
  const { endpoint, chainId } = await openEndpoint(rpc, options.chainId);
  try {
    const reader = await readerAt(endpoint, chainId, contract, { confirmations: 0 });
    const look = await reader.look();
    const round = look.round.number + 1n;
    const steps = await stepsFor(reader, look, contract, change);
    if (steps.length === 0) {
      onStep("it is so already: nothing is sent");
      return round;
    }
    const { record } = options;
    // The same change may be wanted again in a later round.
    const ofRound = record === undefined ? {} : { record: (chain: ChainIdentity) => record({ ...chain, round }) };
    const sender = (await openSender(endpoint, chainId, { ...options, ...ofRound }))(wallet);
    const payments = await unpaid(sender, wallet.address.toLowerCase() as Hex, steps);
    const most = await checkFunds(endpoint, payments, options.maxFeePerGas);
    onStep(`${steps.length} transactions to send, at most ${formatEther(most)} ether at present fees`);
    await sendAll(sender, steps);
    onStep(`from round ${round} on; a round that is open keeps its lists`);
    return round;
  } finally {
    endpoint.provider.destroy();
  }
}

async function stepsFor(
  reader: TaskReader,
  look: TaskLook,
  contract: Hex,
  change: ListChange,
): Promise<readonly Step[]> {
  const step = (label: string, name: string, ...args: readonly unknown[]): Step => ({
    label,
    request: { to: contract, data: VERISUM_INTERFACE.encodeFunctionData(name, args) },
    gas: CHANGE_GAS,
  });
  if (change.kind === "replace-member") {
    const { seat, member } = change;
    const members = membersIn(look.seats, look.round.number + 1n);
    ensure(seat <= members.length, "ROSTER_INVALID", `there is no seat ${seat}: ${members.length} seats have a member`);
    if (members[seat - 1] === member) return [];
    const other = member === ZERO_ADDRESS ? -1 : members.indexOf(member);
    ensure(other === -1, "ROSTER_INVALID", `${member} has seat ${other + 1} already: nobody has two`);
    return [step(`seat ${seat} to ${member}`, "replaceMember", seat, member)];
  }
  const steps: Step[] = [];
  for (const account of new Set(change.accounts)) {
    const { weight, untilRound } = await reader.client(account);
    ensure(weight > 0, "ROSTER_INVALID", `${account} was never a client of this task`);
    if (untilRound === 0n) steps.push(step(`remove ${account}`, "removeClient", account));
  }
  return steps;
}
