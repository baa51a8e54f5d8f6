/**
 * What a member does next, given the state of the chain. Its keys are asked of the chain at each look: those that a
 * reorganisation undid are registered again. All else that it does in a round is said, signed, to other nodes.
 */
import { isOfOrAfter } from "../chain/lists.ts";
import type { SeatTerm } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import { hasSeat } from "../protocol/committee.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import { siblingRounds } from "../task/cells.ts";
import { intakeText } from "../task/buffers.ts";
import { completionOf } from "../task/completion.ts";
import { roundNow } from "../task/round-now.ts";
import { withReleases } from "../task/statement-board.ts";
import { createAttester } from "./attesting.ts";
import { ownStatements, releaseSum } from "./member.ts";
import { leaveOldCopy } from "./old-copy.ts";
import { Refusals } from "./refusals.ts";
import { SecondReadings } from "./second-readings.ts";
import type { Confirms } from "./second-readings.ts";
import { createSigner } from "./signing.ts";
import type { SignerDependencies } from "./signing.ts";

export interface MemberLoopDependencies extends SignerDependencies {
  readonly random: RandomBytes;
  /** Told of each look at the chain. */
  readonly onLook?: (look: TaskLook) => void;
}

/** One look at the chain and at most one action. Returns whether it acted. */
export function createMemberStep(deps: MemberLoopDependencies): () => Promise<boolean> {
  const { chain, task, reporter, seat } = deps;
  const refusals = new Refusals(reporter);
  const readings = new SecondReadings(chain);
  const attest = createAttester(deps);
  const sign = createSigner(deps);
  /** What kept this member from a release, said once a round. */
  let said = { round: 0n, codes: new Set<string>() };
  let keysAt: string | undefined;
  /** From which round on keys were seen, and first at which block. */
  let keysSeen: { readonly from: bigint; readonly block: number } | undefined;
  /** From which round on they were seen again once that block was final. */
  let keysFinal: bigint | undefined;
  let erased = 0n;
  /** Names what this directory was held to last. */
  let heldTo: string | undefined;

  /** At the start, and whenever somebody knows more of what this seat said. */
  const holdToItsPast = async (look: TaskLook): Promise<void> => {
    const own = ownStatements(deps, look.round.number);
    const known = own.map(({ signature }) => signature.r).join();
    if (known === heldTo) return;
    await leaveOldCopy(deps, look, own);
    heldTo = known;
  };

  /** True if this member released now, false if it has to wait, undefined if it does not release at this block. */
  const release = async (look: TaskLook): Promise<boolean | undefined> => {
    const { number: round, settlement } = look.round;
    const records = look.records(round);
    if (deps.board.releases(round, settlement).some((released) => released.seat === seat)) return undefined;
    if (refusals.has("release", look)) return undefined;
    if ((records.settled?.blockNumber ?? Infinity) > records.finalBlock) {
      reporter.wait(`round ${round}: waiting until the settlement is final`, { round });
      return false;
    }
    // A sum of a step that no sibling completes would be opened for nothing.
    await siblingRounds(task, records);
    try {
      // What this seat said before, and its directory may have forgotten, others know.
      if ((await deps.exchange.tell(round, ownStatements(deps, round))) === 0 && deps.nodes().length > 0) {
        reporter.wait(`round ${round}: waiting for a node that knows what was released`, { round });
        return false;
      }
      await holdToItsPast(look);
      return await releaseSum(deps, records);
    } catch (error) {
      if (!isVerisumError(error) || error.entry.role !== "sit-out") throw error;
      refusals.note("release", look);
      if (said.round !== round) said = { round, codes: new Set() };
      if (!said.codes.has(error.code))
        reporter.say("warn", "no-release", `round ${round}: ${error.code}: ${error.message}`, {
          round,
          code: error.code,
        });
      said.codes.add(error.code);
      return undefined;
    }
  };

  const aggregate = async (look: TaskLook, confirms: Confirms): Promise<boolean> => {
    const { number: round } = look.round;
    return (await release(look)) ?? sign(round, withReleases(look.records(round), deps.board), confirms);
  };

  /** Keys whose rounds are closed for good; also once the seat is another member's. */
  const eraseSpent = async ({ closedRound }: TaskLook): Promise<void> => {
    const before = closedRound + 1n;
    if (erased === before) return;
    await deps.keys.eraseBefore(before);
    erased = before;
  };

  /**
   * Once a block, until what it saw is final: registers keys for rounds that this account has the seat in. Returns
   * whether it registered some.
   */
  const tendKeys = async (look: TaskLook): Promise<boolean> => {
    if (keysAt === look.block.hash) return false;
    const term = ownTerm(look, look.round.number + 1n);
    if (term === undefined) return false;
    const next = look.round.number + 1n;
    const from = term.fromRound > next ? term.fromRound : next;
    if (keysFinal === from) return false;
    const topUp = (): Promise<number> => deps.keys.topUp(chain, seat, from, deps.random);
    const count = await refusals.attempt("register keys", look, topUp);
    keysAt = look.block.hash;
    if (count === 0) noteKeys(from, look);
    else keysSeen = undefined;
    if (count === undefined || count === 0) return false;
    reporter.say("info", "keys-registered", `registered one-time keys for ${count} rounds`, { seat, from, count });
    return true;
  };

  /** All keys that are due are there. */
  const noteKeys = (from: bigint, { block, finalBlock }: TaskLook): void => {
    if (keysSeen?.from !== from) keysSeen = { from, block: block.number };
    else if (keysSeen.block <= finalBlock) keysFinal = from;
  };

  /** This account's part of the seat in the round or after it. */
  const ownTerm = (look: TaskLook, round: bigint): SeatTerm | undefined =>
    look.seats.findLast((place) => place.seat === seat && place.member === chain.account && isOfOrAfter(place, round));

  const act = async (look: TaskLook, confirms: Confirms): Promise<boolean> => {
    await eraseSpent(look);
    const term = ownTerm(look, look.round.number);
    if (term === undefined) {
      reporter.wait(`seat ${seat} is another member's: what this one released stays served`, { seat });
      return false;
    }
    if (await tendKeys(look)) return true;
    const round = await roundNow(look.round, chain, task.parameters);
    const { number, phase } = round;
    if (term.fromRound > number) {
      reporter.wait(`seat ${seat} is this member's from round ${term.fromRound} on`, { seat, from: term.fromRound });
      return false;
    }
    if (phase !== "Collecting" && phase !== "Attesting" && phase !== "Aggregating") {
      reporter.wait(completionOf(task.parameters, look) ?? `waiting for round ${number + 1n}`, { round: number });
      return false;
    }
    if (!hasSeat(round.keyMask, seat)) {
      reporter.wait(`round ${number} opened before this seat had a key for it`, { round: number });
      return false;
    }
    if (phase === "Collecting") {
      reporter.wait(`round ${number}: collecting, ${intakeText(task.parameters, round)}`, { round: number });
      return attest(look, round, confirms);
    }
    await deps.exchange.hear(number, ownStatements(deps, number));
    await holdToItsPast(look);
    return phase === "Attesting" ? attest(look, round, confirms) : aggregate(look, confirms);
  };

  return async () => {
    const confirms = await readings.begin();
    const look = await chain.look();
    deps.onLook?.(look);
    if (heldTo === undefined) await holdToItsPast(look);
    const round = look.round.number;
    try {
      return await act(look, confirms);
    } catch (error) {
      if (!isVerisumError(error)) throw error;
      const { role, about } = error.entry;
      const mayBeMisread = role === "end" && about === "input" && !confirms(`round ${round}: ${error.code}`);
      // A round that this member cannot take part in must not keep it from the next one.
      if (role !== "sit-out" && !mayBeMisread) throw error;
      reporter.wait(`round ${round}: ${error.code}: ${error.message}`, { round, code: error.code });
      return false;
    }
  };
}
