/**
 * Submissions made before their round opens. Where rounds do not wait for everybody, a client whose proof takes longer
 * than a round collects would otherwise be in none of them (docs/protocol.md, section 6.4).
 */
import type { ClientStatus, Phase, RoundState, TaskLook, TaskReader } from "../chain/task-chain.ts";
import { bitCount } from "../protocol/committee.ts";
import type { Submission } from "../protocol/submission.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { isBuffer } from "../task/buffers.ts";
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
   * Makes the submission of a vector for a later round than the present one, if its keys are there; tries once for a
   * round. Nothing of it leaves the machine, and nothing of it outlasts the process.
   * @returns whether it made one now
   * @throws proving, store and chain errors
   */
  prepare(look: TaskLook, vector: PrivateVector): Promise<boolean>;
  /** The later round that the vector waits for, while the present one collects; undefined if it may be in this one. */
  waitsFor(present: bigint, vector: VectorName): Promise<bigint | "later" | undefined>;
  /** Counts a proof for a round that collected when it was begun. @throws chain errors */
  cameLate(round: bigint): Promise<void>;
  /** What was made of this vector for exactly this target, if that was; it is given once. */
  take(target: SubmissionTarget, vector: VectorName): Made | undefined;
}

export function createPreparation(deps: PreparationDependencies): Preparation {
  const { chain, task, journal, clock } = deps;
  /** Proofs that came too late, less those that came early. */
  let late = 0;
  /** Rounds from the present one, while it collects, to that for which a proof is made: once may be bad luck. */
  const lead = (): number => Math.max(0, late - 1);
  /** Vector and round of the last try. */
  let tried: { readonly vector: VectorName; readonly round: bigint } | undefined;
  let prepared: (Made & { readonly vector: VectorName; readonly target: SubmissionTarget }) | undefined;
  /** One round may be bad luck; more are as many as the proof took. */
  const countLate = (begun: bigint, open: bigint): void => {
    const passed = Number(open - begun);
    late = Math.max(late + 1, passed > 1 ? passed + 1 : 0);
  };
  /** Since when a round was seen to collect that the vector is not proven for, by the clock. */
  let waiting = { round: 0n, since: 0 };
  /** The prepared submission of this vector, if its round may still collect. @param open the first round that may */
  const preparedOf = (vector: VectorName, open: bigint): typeof prepared => {
    if (prepared === undefined) return undefined;
    const isOwn = isSameVector(prepared.vector, vector);
    if (isOwn && prepared.target.round >= open) return prepared;
    if (isOwn) late += 1;
    prepared = undefined;
    return undefined;
  };

  return {
    prepare: async (look, vector) => {
      const { number, keyMask } = look.round;
      preparedOf(vector, firstOpen(look.round));
      if (tried !== undefined && isSameVector(tried.vector, vector) && tried.round > number) return false;
      const own = await chain.client(chain.account);
      const round = roundFor(look, own, vector, { lead: lead(), parameters: task.parameters });
      if (round === undefined || isUsedUp(look, own, chain.account, task.parameters)) return false;
      const isMade = (await journal.submissions()).some((made) => made.round === round);
      if (isMade || (await journal.satOut(round))) return false;
      const begun = clock();
      const target = await targetAhead(deps, round, vector);
      // Some are still to come.
      const keys = target.roundKeys.filter((key) => key !== NO_KEY).length;
      if (keys < Math.max(bitCount(keyMask), task.parameters.quorum)) return false;
      tried = { vector, round };
      const submission = await makeSubmission(deps, target, vector);
      prepared = { vector, target, submission, provingSeconds: (clock() - begun) / 1000 };
      const open = firstOpen(await chain.round());
      if (round < open) {
        prepared = undefined;
        countLate(number, open);
      } else if (number + BigInt(lead()) > open) late -= 1;
      return true;
    },
    waitsFor: async (present, vector) => {
      const later = preparedOf(vector, present);
      if (lead() === 0 || later?.target.round === present) return undefined;
      if (waiting.round !== present) waiting = { round: present, since: clock() };
      // A round that collects as long as a proof takes may wait for this client.
      const isLong = later !== undefined && clock() - waiting.since >= 1000 * later.provingSeconds;
      // What was made for this round is sent as it was, however often the chain loses it.
      const isMade = (await journal.submissions()).some((made) => made.round === present);
      if (isLong) late = 1;
      return isLong || isMade ? undefined : (later?.target.round ?? "later");
    },
    cameLate: async (round) => countLate(round, firstOpen(await chain.round())),
    take: (target, vector) => {
      const taken = preparedOf(vector, target.round);
      if (taken?.target.round !== target.round) return undefined;
      prepared = undefined;
      return isSameTarget(taken.target, target) ? taken : undefined;
    },
  };
}

/** How many rounds before its own a submission may be made: were all of them final, its base is too old further on. */
export function mostRoundsAhead(parameters: TaskParameters): number {
  return isBuffer(parameters) ? parameters.maxStaleness + 1 : 0;
}

/** The round to prove for: `lead` after the present one, or fewer, if this client and its vector may enter it. */
function roundFor(
  look: TaskLook,
  { activeFromRound, lastSubmittedRound }: ClientStatus,
  vector: VectorName,
  { lead, parameters }: { readonly lead: number; readonly parameters: TaskParameters },
): bigint | undefined {
  const { number } = look.round;
  const again = firstRoundAfter(lastSubmittedRound, parameters);
  const first = [activeFromRound, again].reduce((latest, round) => (round > latest ? round : latest), number + 1n);
  for (let round = number + BigInt(lead); round > first; round -= 1n)
    if (mayTake(look, round, vector, parameters)) return round;
  return mayTake(look, first, vector, parameters) ? first : undefined;
}

/** The first round that may still collect. */
function firstOpen({ number, phase }: Pick<RoundState, "number" | "phase">): bigint {
  return phase === "Collecting" ? number : number + 1n;
}

/** Whether the round will be, and the base not too old in it, if every round before it becomes final. */
function mayTake(look: TaskLook, round: bigint, { base }: VectorName, parameters: TaskParameters): boolean {
  const { number, phase } = look.round;
  const models = look.finalisedRounds + Number(round - number - 1n) + (isOver(phase) ? 0 : 1);
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
  const mayCount = !isOver(look.round.phase) && ownSubmission(look, account) !== undefined ? 1 : 0;
  return maxRoundsPerClient > 0 && includedRounds + mayCount >= maxRoundsPerClient;
}

function isOver(phase: Phase): boolean {
  return phase === "Idle" || phase === "Finalised" || phase === "Aborted";
}

function isSameVector(a: VectorName, b: VectorName): boolean {
  return a.base === b.base && a.firstRound === b.firstRound && a.baseModelDigest === b.baseModelDigest;
}
