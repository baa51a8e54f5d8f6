/** A change of a task's lists, held to the contract's rules before anything is sent. */
import { membersIn, ZERO_ADDRESS } from "../chain/lists.ts";
import { VERISUM_INTERFACE } from "../chain/rpc.ts";
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { clientsNeeded } from "../task/buffers.ts";
import { requireFurtherRounds } from "../task/further-rounds.ts";
import { reasonToRemove } from "../task/removal.ts";
import { transferTo } from "./roster.ts";
import type { Step } from "./roster.ts";

/** What is to be otherwise from the next round on. */
export type ListChange = ClientRemoval | MemberReplacement;

export interface ClientRemoval {
  readonly kind: "remove-clients";
  readonly accounts: readonly Hex[];
}

export interface MemberReplacement {
  readonly kind: "replace-member";
  readonly seat: number;
  /** The zero address leaves the seat empty. */
  readonly member: Hex;
  /** What the new member is sent for gas unless it has as much, in wei; nothing if absent. */
  readonly fundWei?: bigint;
}

/** How a change is made. */
export interface ListPlan {
  /** None if it is so already. */
  readonly steps: readonly Step[];
  /** The first round that it holds for. */
  readonly fromRound: bigint;
  /** What it leaves the task without, in words. */
  readonly warnings: readonly string[];
}

/** Everything that a plan is made from. */
export interface ListScene {
  readonly chain: Pick<TaskReader, "client" | "operator" | "parameters"> & {
    readonly context: Pick<TaskReader["context"], "contract">;
  };
  readonly look: TaskLook;
  /** Who sends it, in lower case. */
  readonly account: Hex;
  /** What an account has, in wei. */
  readonly balanceOf: (account: Hex) => Promise<bigint>;
}

const CHANGE_GAS = 300_000n;

/** @throws ROSTER_INVALID, ROLE_NOT_REGISTERED, TASK_COMPLETE; chain errors */
export function planChange(change: ListChange, scene: ListScene): Promise<ListPlan> {
  return change.kind === "replace-member" ? planReplacement(change, scene) : planRemoval(change, scene);
}

async function planReplacement(
  { seat, member, fundWei }: MemberReplacement,
  { chain, look, account, balanceOf }: ListScene,
): Promise<ListPlan> {
  const [parameters, operator] = [await chain.parameters(), await chain.operator()];
  const next = look.round.number + 1n;
  const members = membersIn(look.seats, next);
  ensure(seat <= members.length, "ROSTER_INVALID", `there is no seat ${seat}: ${members.length} seats have a member`);
  const former = members[seat - 1]!;
  if (former === member) {
    const { fromRound } = look.seats.findLast((term) => term.seat === seat)!;
    return { steps: [], fromRound: fromRound === 0n ? 1n : fromRound, warnings: [] };
  }
  ensure(
    account === operator || account === former,
    "ROLE_NOT_REGISTERED",
    `the operator ${operator}${former === ZERO_ADDRESS ? " alone gives" : ` or the seat's own member ${former} gives`} seat ${seat} to another member, not ${account}`,
    { account, operator },
  );
  requireFurtherRounds(parameters, look);
  const isEmptied = member === ZERO_ADDRESS;
  const other = isEmptied ? -1 : members.indexOf(member);
  ensure(other === -1, "ROSTER_INVALID", `${member} has seat ${other + 1} already: nobody has two`);
  ensure(
    !isEmptied || look.round.number > 0n,
    "ROSTER_INVALID",
    `seat ${seat} cannot be left empty before the first round: name another member`,
  );
  ensure(!isEmptied || fundWei === undefined, "ROSTER_INVALID", "--fund pays a new member, and the seat is left empty");
  const filled = members.with(seat - 1, member).filter((one) => one !== ZERO_ADDRESS).length;
  return {
    fromRound: next,
    steps: [
      // Repeated in a later round, the change pays nobody a second time.
      ...(fundWei === undefined || (await balanceOf(member)) >= fundWei ? [] : [transferTo(member, fundWei)]),
      stepTo(chain, `seat ${seat} to ${member}`, "replaceMember", seat, member),
    ],
    warnings:
      filled < parameters.quorum
        ? [
            `from round ${next} on ${filled} seats have a member, and a round needs ${parameters.quorum}: none opens until replace-member fills others`,
          ]
        : [],
  };
}

async function planRemoval({ accounts }: ClientRemoval, { chain, look, account }: ListScene): Promise<ListPlan> {
  const [parameters, operator] = [await chain.parameters(), await chain.operator()];
  const steps: Step[] = [];
  let fromRound = 0n;
  for (const client of new Set(accounts)) {
    const status = await chain.client(client);
    ensure(status.weight > 0, "ROSTER_INVALID", `${client} was never a client of this task`);
    if (status.untilRound > fromRound) fromRound = status.untilRound;
    if (status.untilRound !== 0n) continue;
    ensure(
      account === operator || account === client || reasonToRemove(status, parameters) !== undefined,
      "ROLE_NOT_REGISTERED",
      `the operator ${operator} or the client itself takes ${client} off, not ${account}: others may once it is refused or counted as often as the task says`,
      { account, operator },
    );
    steps.push(stepTo(chain, `remove ${client}`, "removeClient", client));
  }
  if (steps.length === 0) return { steps, fromRound, warnings: [] };
  const next = look.round.number + 1n;
  const [left, needed] = [look.clientCount - steps.length, clientsNeeded(parameters)];
  const more = parameters.openRegistration ? "others join" : "add-client lists others";
  return {
    ...{ steps, fromRound: next },
    warnings:
      left < needed
        ? [
            `from round ${next} on ${left} clients are registered, and a round needs ${needed}: none opens until ${more}`,
          ]
        : [],
  };
}

function stepTo({ context }: ListScene["chain"], label: string, name: string, ...args: readonly unknown[]): Step {
  return {
    label,
    request: { to: context.contract, data: VERISUM_INTERFACE.encodeFunctionData(name, args) },
    gas: CHANGE_GAS,
  };
}
