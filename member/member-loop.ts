/**
 * What a member does next, given the state of the chain. What it did itself is asked of the chain as well, at each
 * look: an act that a reorganisation undid, or that was dropped, is made again.
 */
import type { TaskLook } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import { siblingRounds } from "../task/cells.ts";
import { completionOf } from "../task/completion.ts";
import { createAttester } from "./attesting.ts";
import { releaseSum } from "./member.ts";
import type { MemberDependencies } from "./member.ts";
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
  const attest = createAttester(deps, refusals);
  const sign = createSigner(deps);
  /** What kept this member from a release, said once a round. */
  let said = { round: 0n, codes: new Set<string>() };
  let keysAt: string | undefined;
  let erased = "";
  let knowsItsPast = false;

  /** True if this member released now, false if it has to wait, undefined if it does not release at this block. */
  const release = async (look: TaskLook): Promise<boolean | undefined> => {
    const { number: round, included } = look.round;
    const records = look.records(round);
    const hasReleased = records.released.some((released) => released.seat === seat);
    const hasAttested = ((records.attested.get(seat) ?? 0n) & included) === included;
    if (hasReleased || !hasAttested || refusals.has("release", look)) return undefined;
    // A sum of a step that no sibling completes would be opened for nothing.
    await siblingRounds(task, records);
    try {
      return await refusals.attempt("release", look, () => releaseSum(deps, records));
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
    const released = await release(look);
    if (released === false) reporter.wait(`round ${round}: waiting until the settlement is final`, { round });
    return released ?? sign(round, look.records(round), confirms);
  };

  /** Once a block: erases the keys that are spent, and registers others. Returns whether it registered some. */
  const tendKeys = async (look: TaskLook): Promise<boolean> => {
    if (keysAt === look.block.hash) return false;
    const { before, also } = spentRounds(deps, look);
    if (erased !== `${before} ${also.join()}`) {
      await deps.keys.eraseBefore(before);
      for (const round of also) await deps.keys.erase(round);
      erased = `${before} ${also.join()}`;
    }
    const from = look.round.number + 1n;
    const topUp = (): Promise<number> => deps.keys.topUp(chain, seat, from, deps.random);
    const count = (await refusals.attempt("register keys", look, topUp)) ?? 0;
    keysAt = look.block.hash;
    if (count === 0) return false;
    reporter.say("info", "keys-registered", `registered one-time keys for ${count} rounds`, { seat, from, count });
    return true;
  };

  const act = async (look: TaskLook, confirms: Confirms): Promise<boolean> => {
    const { round } = look;
    if (await tendKeys(look)) return true;
    const isAtWork = round.phase === "Attesting" || round.phase === "Aggregating";
    const hasKey = ((round.keyMask >> BigInt(seat - 1)) & 1n) === 1n;
    if (isAtWork && hasKey) return round.phase === "Attesting" ? attest(look, confirms) : aggregate(look, confirms);
    const without = `round ${round.number} opened before this seat had a key for it`;
    reporter.wait(isAtWork ? without : whatIsWaitedFor(deps, look), { round: round.number });
    return false;
  };

  return async () => {
    const confirms = await readings.begin();
    if (!knowsItsPast) await leaveOldCopy(deps);
    knowsItsPast = true;
    const look = await chain.look();
    deps.onLook?.(look);
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

/**
 * Rounds whose keys nothing can ask for again: those that are over for good, and those whose release is in a final
 * block. Until then a release that was undone is made again.
 */
function spentRounds(
  { seat }: MemberDependencies,
  look: TaskLook,
): { readonly before: bigint; readonly also: bigint[] } {
  const before = look.closedRound + 1n;
  const also: bigint[] = [];
  for (let round = before; round <= look.round.number; round += 1n) {
    const { released, finalBlock } = look.records(round);
    if (released.some((release) => release.seat === seat && release.blockNumber <= finalBlock)) also.push(round);
  }
  return { before, also };
}

/** Until there is something to do: in words. */
function whatIsWaitedFor({ task: { parameters } }: MemberDependencies, look: TaskLook): string {
  const { number, phase, submitted, expected } = look.round;
  if (phase === "Collecting") return `round ${number}: collecting, ${submitted}/${expected}`;
  return completionOf(parameters, look) ?? `waiting for round ${number + 1n}`;
}
