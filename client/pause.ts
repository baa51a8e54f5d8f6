/** What a client waits for, and why it does not submit now. */
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import type { Facts } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { intakeText } from "../task/buffers.ts";
import { hasAllRounds } from "../task/completion.ts";
import type { Ahead } from "./ahead.ts";
import { firstRoundAfter, ownSubmission } from "./own-submission.ts";
import type { Preparation } from "./preparation.ts";
import { isHeldBack } from "./private-vector.ts";
import type { HeldBack } from "./private-vector.ts";

interface PauseDependencies {
  readonly chain: Pick<TaskReader, "client"> & { readonly account: Hex };
  readonly task: { readonly parameters: TaskParameters };
}

type Held = Awaited<ReturnType<Ahead["held"]>>;

/** Why the submission could not be sent at a block. */
export interface Refusal {
  readonly round: bigint;
  /** Its hash. */
  readonly block: string;
  readonly text: string;
  /** True if it is tried again at the next block; otherwise the round is sat out. */
  readonly again: boolean;
}

/** Why there is nothing to submit now. */
export interface Pause {
  readonly progress: "waiting" | "done";
  readonly text: string;
  readonly round: bigint;
  /** What is said of it, once a round. */
  readonly event?: string;
  readonly facts?: Facts;
  /** The round may take what is held at the next block. */
  readonly isShort?: boolean;
}

/** Where a round would take an update, and the client has none to share and no newer model to train on. */
export function idleOf(ahead: Ahead | undefined, held: Held, round: bigint): Pause | undefined {
  if (ahead === undefined || held !== undefined) return undefined;
  return { progress: "waiting", text: `round ${round}: waiting for a newer model to train on`, round };
}

/** Where nothing is held or in flight, and another vector would be one too many. */
export async function spentPause(ahead: Ahead | undefined, held: Held, look: TaskLook): Promise<Pause | undefined> {
  const isSpent = ahead !== undefined && held === undefined && (await ahead.isSpent(look));
  return isSpent ? budgetPause(look.round.number) : undefined;
}

/**
 * The end of a client that may draw no other vector.
 * @param last the round that it was last in, while a reorganisation may still have it sent again
 */
export function budgetPause(round: bigint, last?: bigint): Pause {
  if (last !== undefined) {
    const text = `round ${round}: this client has spent its privacy budget, and waits until round ${last} is over for good`;
    return { progress: "waiting", text, round };
  }
  const text =
    "this client has spent its privacy budget: fl-client leave takes it off, so that rounds do not wait for it";
  return { progress: "done", text, round };
}

/** Where the round would take what is held, and a proof of it could not be there in time. */
export async function laterOf(
  preparation: Preparation | undefined,
  held: Held,
  look: TaskLook,
): Promise<Pause | undefined> {
  const later = held === undefined || isHeldBack(held) ? undefined : await preparation?.waitsFor(look, held);
  if (later === undefined) return undefined;
  const { number: round } = look.round;
  const text = `round ${round}: this client's update is for round ${later}, since its proof takes longer than a round collects`;
  return { progress: "waiting", text, round, event: "later", facts: { for: later } };
}

/** While an earlier round may still count what is held. */
export function heldPause(round: bigint, { heldBy }: HeldBack): Pause {
  const text = `round ${round}: holding back what was shared in round ${heldBy} until that is over for good: a reorganisation may still count it`;
  return { progress: "waiting", text, round, event: "held", facts: { heldBy } };
}

/** Undefined if this client can submit to the round. */
export async function pauseOf(
  { chain, task }: PauseDependencies,
  look: TaskLook,
  refusal: Refusal | undefined,
): Promise<Pause | undefined> {
  const { number, phase } = look.round;
  const waiting = (text: string, round = number): Pause => ({ progress: "waiting", text, round });
  const ended = phase === "Finalised" || phase === "Aborted";
  if (ended && hasAllRounds(task.parameters, look.finalisedRounds))
    return { progress: "done", text: "the task has no further round", round: number };
  if (ended || phase === "Idle") return waiting(`waiting for round ${number + 1n} to open`);
  const isIn = ownSubmission(look, chain.account) !== undefined;
  if (phase !== "Collecting")
    return waiting(`round ${number}: ${phase}, waiting for the committee${isIn ? "" : "; this client is not in it"}`);
  if (isIn) return waiting(`round ${number}: submitted; ${intakeText(task.parameters, look.round)}`);
  const { activeFromRound, untilRound, includedRounds, lastSubmittedRound } = await chain.client(chain.account);
  if (untilRound !== 0n && untilRound <= number)
    return {
      progress: "done",
      text: `this account takes part in no round from ${untilRound} on: it left, was taken off, or another one has its place`,
      round: number,
    };
  const { maxRoundsPerClient } = task.parameters;
  if (maxRoundsPerClient > 0 && includedRounds >= maxRoundsPerClient)
    return {
      progress: "done",
      text: `${includedRounds} settlements count this client, and the task allows ${maxRoundsPerClient}: fl-client leave takes it off, so that rounds do not wait for it`,
      round: number,
    };
  if (activeFromRound > number)
    return waiting(`registered; taking part from round ${activeFromRound}`, activeFromRound);
  const again = firstRoundAfter(lastSubmittedRound, task.parameters);
  if (again > number)
    return waiting(
      `round ${number}: this client was in round ${lastSubmittedRound}, and may be again from ${again} on`,
    );
  if (refusal?.round === number && refusal.block === look.block.hash) {
    const next = refusal.again ? "; trying again at the next block" : "";
    const text = `round ${number}: this client is not in it (${refusal.text})${next}`;
    return { ...waiting(text), isShort: refusal.again };
  }
  return undefined;
}
