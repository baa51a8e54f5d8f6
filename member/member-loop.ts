/**
 * What a member does next, given the state of the chain. Its keys are asked of the chain at each look: those that a
 * reorganisation undid are registered again. All else that it does in a round is said, signed, to other nodes.
 */
import type { SeatTerm } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import { hasSeat } from "../protocol/committee.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Hex } from "../protocol/transcript.ts";
import { siblingRounds } from "../task/cells.ts";
import { intakeText } from "../task/buffers.ts";
import { createBeside } from "../task/beside.ts";
import { completionOf } from "../task/completion.ts";
import { roundNow } from "../task/round-now.ts";
import { withReleases } from "../task/statement-board.ts";
import { createAttester } from "./attesting.ts";
import { ownStatements, releaseSum } from "./member.ts";
import { leaveOldCopy } from "./old-copy.ts";
import { termIn } from "./own-seat.ts";
import { Refusals } from "./refusals.ts";
import { SecondReadings } from "./second-readings.ts";
import type { Confirms } from "./second-readings.ts";
import { createSigner } from "./signing.ts";
import type { SignerDependencies } from "./signing.ts";
import { createKeyTender } from "./tending-keys.ts";

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
  const tendKeys = createKeyTender(deps, refusals);
  const beside = createBeside<boolean>();
  /** What kept this member from a release: codes are said once a round, and bundles waited for once. */
  let hindered = { round: 0n, codes: new Set<string>(), late: new Set<Hex>() };
  /** How many seconds Aggregating had left when this member first could sign a result of a settlement. */
  let signable: { readonly settlement: Hex; readonly left: number } | undefined;
  let erased = 0n;
  /** Names what this directory was held to last. */
  let heldTo: string | undefined;
  /** Names what it lacks by the last reading. */
  let suspected: string | undefined;

  /**
   * At the start, and whenever somebody knows more of what this seat said. Returns false if it is to say nothing in
   * this look, whose reading of the chain speaks against its directory.
   */
  const holdToItsPast = async (look: TaskLook, confirms: Confirms): Promise<boolean> => {
    const own = ownStatements(deps, look.round.number);
    const known = own.map(({ signature }) => signature.r).join();
    if (known === heldTo) return true;
    const before = suspected;
    suspected = undefined;
    const isCertain = await leaveOldCopy(deps, look, own, (rounds) => {
      suspected = `what this seat said in rounds ${rounds}`;
      return confirms(suspected, "past");
    });
    if (before !== undefined && before !== suspected) readings.forget(before);
    if (isCertain) heldTo = known;
    else reporter.wait(`reading again ${suspected}, of which the state directory has no record`, { seat });
    return isCertain;
  };

  /**
   * True if this member released now, false if it has to wait, undefined if it cannot release: that does not keep it
   * from signing, nor does anything that clients published end it.
   */
  const release = async (look: TaskLook, confirms: Confirms): Promise<boolean | undefined> => {
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
    if (hindered.round !== round) hindered = { round, codes: new Set(), late: new Set() };
    try {
      // What this seat said before, and its directory may have forgotten, others know.
      if ((await deps.exchange.tell(round, ownStatements(deps, round))) === 0 && deps.nodes().length > 0) {
        reporter.wait(`round ${round}: waiting for a node that knows what was released`, { round });
        return false;
      }
      if (!(await holdToItsPast(look, confirms))) return false;
      return await releaseSum(deps, records, hindered.late);
    } catch (error) {
      if (!isVerisumError(error)) throw error;
      const { role, about } = error.entry;
      // Somebody withholds a share; it may come, and is asked for at each look.
      const isWithheld = error.code === "IPFS_UNAVAILABLE";
      if (role !== "sit-out" && about !== "input" && !isWithheld) throw error;
      if (!isWithheld) refusals.note("release", look);
      if (!hindered.codes.has(error.code))
        reporter.say("warn", "no-release", `round ${round}: ${error.code}: ${error.message}`, {
          round,
          code: error.code,
        });
      hindered.codes.add(error.code);
      return undefined;
    }
  };

  const aggregate = async (look: TaskLook, confirms: Confirms): Promise<boolean> => {
    const { number: round, deadline } = look.round;
    const released = await release(look, confirms);
    if (released !== undefined) return released;
    // Whoever aggregates for the members or the operator has half of the time to itself that is left by now.
    const left = deadline - (await chain.blockTime());
    if (signable?.settlement !== look.round.settlement) signable = { settlement: look.round.settlement, left };
    const isLate = 2 * left <= signable.left;
    return sign(round, withReleases(look.records(round), deps.board), confirms, isLate);
  };

  /** Keys whose rounds are closed for good; also once the seat is another member's. */
  const eraseSpent = async ({ closedRound }: TaskLook): Promise<void> => {
    const before = closedRound + 1n;
    if (erased === before) return;
    await deps.keys.eraseBefore(before);
    erased = before;
  };

  /** What this member does in the round as it is. Nothing of it costs gas. */
  const takePart = async (look: TaskLook, { fromRound }: SeatTerm, confirms: Confirms): Promise<boolean> => {
    const round = await roundNow(look.round, chain, task.parameters);
    const { number, phase } = round;
    if (fromRound > number) {
      reporter.wait(`seat ${seat} is this member's from round ${fromRound} on`, { seat, from: fromRound });
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
    if (!(await holdToItsPast(look, confirms))) return true;
    return phase === "Attesting" ? attest(look, round, confirms) : aggregate(look, confirms);
  };

  const act = async (look: TaskLook, confirms: Confirms): Promise<boolean> => {
    await eraseSpent(look);
    const term = termIn(look, deps, look.round.number);
    if (term === undefined) {
      reporter.wait(`seat ${seat} is another member's: what this one released stays served`, { seat });
      return false;
    }
    let acted = false;
    try {
      acted = await takePart(look, term, confirms);
    } finally {
      // Whatever keeps the member from its part does not keep it from its keys, nor the other way round.
      if (!acted) acted = (await beside(() => tendKeys(look))) ?? false;
    }
    return acted;
  };

  return async () => {
    const confirms = await readings.begin();
    const look = await chain.look();
    deps.onLook?.(look);
    if (heldTo === undefined && !(await holdToItsPast(look, confirms))) return true;
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
