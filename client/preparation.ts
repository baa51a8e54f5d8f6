/**
 * Submissions made before their round opens. Where rounds do not wait for everybody, a client whose proof takes longer
 * than a round collects would otherwise be in none of them (docs/protocol.md, section 6.4).
 */
import type { ClientStatus, RoundState, TaskLook, TaskReader } from "../chain/task-chain.ts";
import { bitCount } from "../protocol/committee.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Submission } from "../protocol/submission.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { isBuffer } from "../task/buffers.ts";
import { isUnderWay } from "../task/completion.ts";
import type { Journal, PrivateVector, SubmissionTarget, VectorName } from "./journal.ts";
import { makeSubmission } from "./make-submission.ts";
import type { MakingDependencies } from "./make-submission.ts";
import { firstRoundAfter, ownSubmission } from "./own-submission.ts";
import { isSameTarget, NO_KEY, targetAhead } from "./target.ts";
import type { TargetDependencies } from "./target.ts";

/** A submission, and how long it took. */
export interface Made {
  readonly submission: Submission;
  readonly provingSeconds: number;
}

export interface PreparationDependencies extends MakingDependencies {
  readonly chain: TargetDependencies["chain"] & MakingDependencies["chain"] & Pick<TaskReader, "round">;
  readonly journal: Pick<Journal, "satOut" | "submissions">;
}

/**
 * Proofs that came too late for their round let the next one be for a later round, as far as the vector's base allows,
 * and each that came a round early for one sooner: how long rounds collect depends on others.
 */
export interface Preparation {
  /**
   * Makes the submission of a vector for a later round than the present one, if its keys are there; once for a round.
   * Nothing of it leaves the machine, and nothing of it outlasts the process.
   * @returns whether it made one now
   * @throws proving, store and chain errors; none that means to sit a round out, which is for the round itself
   */
  prepare(look: TaskLook, vector: PrivateVector): Promise<boolean>;
  /** The later round that it is or can be made for, while the present one collects; undefined if it may enter this. */
  waitsFor(look: TaskLook, vector: VectorName): Promise<bigint | undefined>;
  /** Counts what came too late for a round, unless it was made before that opened. @throws chain errors */
  cameLate(round: bigint): Promise<void>;
  /** What was made of this vector for exactly this target, if that was; it is given once. */
  take(target: SubmissionTarget, vector: VectorName): Made | undefined;
}

export function createPreparation(deps: PreparationDependencies): Preparation {
  const { chain, task, journal, clock, reporter } = deps;
  const { parameters } = task;
  /** Proofs that came too late, less those that came early. */
  let late = 0;
  /** Rounds from the present one, while it collects, to that for which a proof is made: once may be bad luck. */
  const lead = (): number => Math.max(0, late - 1);
  /** Vector and round of the last try. */
  let tried: { readonly vector: VectorName; readonly round: bigint } | undefined;
  let prepared: (Made & { readonly vector: VectorName; readonly target: SubmissionTarget }) | undefined;
  /** The last round that got what was made before it opened. */
  let given: bigint | undefined;
  /** One round may be bad luck; more are as many as the proof took, and no more than any base lasts. */
  const countLate = (begun: bigint, open: bigint): void => {
    const passed = Number(open - begun);
    late = Math.min(mostRoundsAhead(parameters) + 1, Math.max(late + 1, passed > 1 ? passed + 1 : 0));
  };
  /** Since when a round was seen to collect that the vector is not proven for, by the clock. */
  let waiting = { round: 0n, since: 0 };
  /** The prepared submission of this vector, if its round may still collect. @param open the first round that may */
  const preparedOf = (vector: VectorName, open: bigint): typeof prepared => {
    if (prepared === undefined) return undefined;
    const isOwn = isSameVector(prepared.vector, vector);
    if (isOwn && prepared.target.round >= open) return prepared;
    if (isOwn) countLate(open, open);
    prepared = undefined;
    return undefined;
  };
  /** What the vector would be proven for now: the furthest round that its last proofs ask for. */
  const plan = async (look: TaskLook, vector: VectorName): Promise<SubmissionTarget | undefined> => {
    const { number, keyMask } = look.round;
    if (tried !== undefined && isSameVector(tried.vector, vector) && tried.round > number) return undefined;
    const own = await chain.client(chain.account);
    if (isUsedUp(look, own, chain.account, parameters)) return undefined;
    const made = (await journal.submissions()).map(({ round }) => round);
    for (const round of roundsFor(look, own, vector, { lead: lead(), parameters })) {
      if (made.includes(round) || (await journal.satOut(round))) continue;
      const target = await targetAhead(deps, round, vector);
      // Some are still to come.
      const keys = target.roundKeys.filter((key) => key !== NO_KEY).length;
      if (keys >= Math.max(bitCount(keyMask), parameters.quorum)) return target;
    }
    return undefined;
  };
  /** Undefined after an error that is of one round: whether that is sat out is found when it opens. */
  const make = async (target: SubmissionTarget, vector: PrivateVector): Promise<Submission | undefined> => {
    try {
      return await makeSubmission(deps, target, vector);
    } catch (error) {
      if (!isVerisumError(error) || error.entry.role !== "sit-out") throw error;
      const { round } = target;
      const text = `round ${round}: nothing is made for it ahead: ${error.message}`;
      reporter.say("error", "refused", text, { round, code: error.code });
      return undefined;
    }
  };

  return {
    prepare: async (look, vector) => {
      const { number } = look.round;
      preparedOf(vector, firstOpen(look.round));
      const begun = clock();
      const target = await plan(look, vector);
      if (target === undefined) return false;
      const { round } = target;
      const submission = await make(target, vector);
      tried = { vector, round };
      if (submission === undefined) return false;
      prepared = { vector, target, submission, provingSeconds: (clock() - begun) / 1000 };
      const open = firstOpen(await chain.round());
      if (round < open) {
        prepared = undefined;
        countLate(number, open);
      } else if (lead() > 0 && number + BigInt(lead()) > open) late -= 1;
      return true;
    },
    waitsFor: async (look, vector) => {
      const present = look.round.number;
      const later = preparedOf(vector, present);
      if (lead() === 0 || later?.target.round === present) return undefined;
      if (waiting.round !== present) waiting = { round: present, since: clock() };
      // What was made for this round is sent as it was, however often the chain loses it.
      if ((await journal.submissions()).some((made) => made.round === present)) return undefined;
      // Where nothing can be made for a later round, the present one is the only chance.
      if (later === undefined) return (await plan(look, vector))?.round;
      // A round that collects as long as a proof takes may wait for this client.
      const isLong = clock() - waiting.since >= 1000 * later.provingSeconds;
      if (isLong) late = 1;
      return isLong ? undefined : later.target.round;
    },
    cameLate: async (round) => {
      if (round !== given) countLate(round, firstOpen(await chain.round()));
    },
    take: (target, vector) => {
      const taken = preparedOf(vector, target.round);
      if (taken?.target.round !== target.round) return undefined;
      prepared = undefined;
      if (!isSameTarget(taken.target, target)) return undefined;
      given = target.round;
      return taken;
    },
  };
}

/** How many rounds before its own a submission may be made: were all of them final, its base is too old further on. */
export function mostRoundsAhead(parameters: TaskParameters): number {
  return isBuffer(parameters) ? parameters.maxStaleness + 1 : 0;
}

/** The rounds to prove for, best first: `lead` after the present one, or fewer, if client and vector may enter. */
function roundsFor(
  look: TaskLook,
  { activeFromRound, lastSubmittedRound }: ClientStatus,
  vector: VectorName,
  { lead, parameters }: { readonly lead: number; readonly parameters: TaskParameters },
): readonly bigint[] {
  const { number } = look.round;
  const again = firstRoundAfter(lastSubmittedRound, parameters);
  const first = [activeFromRound, again].reduce((latest, round) => (round > latest ? round : latest), number + 1n);
  const last = number + BigInt(lead);
  const rounds: bigint[] = [];
  for (let round = first; round === first || round <= last; round += 1n) {
    // Nor does any after it.
    if (!mayTake(look, round, vector, parameters)) break;
    rounds.unshift(round);
  }
  return rounds;
}

/** The first round that may still collect. */
function firstOpen({ number, phase }: Pick<RoundState, "number" | "phase">): bigint {
  return phase === "Collecting" ? number : number + 1n;
}

/** Whether the round will be, and the base not too old in it, if every round before it becomes final. */
function mayTake(look: TaskLook, round: bigint, { base }: VectorName, parameters: TaskParameters): boolean {
  const { number, phase } = look.round;
  const models = look.finalisedRounds + Number(round - number - 1n) + (isUnderWay(phase) ? 1 : 0);
  return (
    models - Number(base) <= parameters.maxStaleness && (parameters.maxRounds === 0 || models < parameters.maxRounds)
  );
}

/** Whether no round may count this client after the present one. */
function isUsedUp(
  look: TaskLook,
  { includedRounds }: ClientStatus,
  account: Hex,
  { maxRoundsPerClient }: TaskParameters,
): boolean {
  const mayCount = isUnderWay(look.round.phase) && ownSubmission(look, account) !== undefined ? 1 : 0;
  return maxRoundsPerClient > 0 && includedRounds + mayCount >= maxRoundsPerClient;
}

function isSameVector(a: VectorName, b: VectorName): boolean {
  return a.base === b.base && a.firstRound === b.firstRound && a.baseModelDigest === b.baseModelDigest;
}
