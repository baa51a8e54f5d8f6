/**
 * What a privacy mechanism is. Each is one file in this folder and one entry in registry.ts, and answers every question
 * that a task has about it: nothing else asks for a mechanism by its name.
 */
import type { z } from "zod";
import type { TrainOptions } from "../../learning/trainers/training-method.ts";
import type { PresetName } from "../../protocol/parameters.ts";
import type { Quantisation } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";

/** What a client commits to. */
export interface UpdateVector {
  readonly preset: PresetName;
  readonly quantisation: Quantisation;
  /** Coordinates, the vote on an adaptive clip norm included. */
  readonly dimension: number;
}

/** The vectors that a round adds up. */
export interface Cohort extends UpdateVector {
  /** Fewest honest clients that a round may include. */
  readonly minHonest: number;
}

/**
 * One round's encoder, from an update in units of the weights to integers in steps. Its noise is drawn when it is made,
 * before there is an update or a deadline to betray by its time.
 * @param scale of the round's step (`stepScale` in model-vector.ts)
 */
export type UpdateEncoder = (update: Float32Array, scale: number) => Int32Array;

/** What differential privacy a mechanism gives, to whom. */
export interface Guarantee {
  /** As documents, checkpoints and commands name it. */
  readonly unit: string;
  /** What each epsilon is of, in one word: `record` or `client`. */
  readonly subject: string;
  readonly delta: number;
  /**
   * How many subjects one result is about, as far as a task says: its clients, or the records of a client whose batches
   * are as large as the document expects.
   */
  subjectsIn(task: { readonly clients: number; readonly batchSize: number }): number;
  /** True if epsilon counts on the noise of `minHonest` clients, not on a client's own alone. */
  readonly sharedNoise: boolean;
  /** In words: what is protected, against whom, as long as what holds. */
  protects(minHonest: number): string;
  /**
   * Epsilon after rounds (at least one), by the accountant that checkpoints state; infinite if none holds. The same on
   * every machine once rounded up.
   */
  epsilonAfter(cohort: Cohort, rounds: number): number;
  /**
   * Epsilon after rounds by the privacy loss distribution, for people who want to know how much less it is; infinite
   * where that has no answer. Null where no such accountant is known.
   * @param stated by `epsilonAfter`, not below it
   */
  readonly pldEpsilonAfter: ((cohort: Cohort, rounds: number, stated: number) => number) | null;
}

/** A mechanism with the numbers of a task's document. */
export interface Mechanism {
  /** Null where nothing is guaranteed: without noise. */
  readonly guarantee: Guarantee | null;

  /** True if the guarantee rests on what training itself does, which no one can see in an update. */
  readonly byTraining: boolean;

  /** Variance of the noise that each client adds to every coordinate of its vector, in steps²; 0 where it adds none. */
  readonly addedVariance: number;

  /** True if a sum must count every client alike, so that one client's share of it is bounded. */
  readonly uniformWeights: boolean;

  /**
   * What a client does whose training diverged: `sit-out`, or take part with an update of `zero`, where staying away
   * would tell of the data and no delta counts it.
   */
  readonly diverged: "sit-out" | "zero";

  /** What it asks of training, beside the document's learning rate and batches. */
  trainOptions(random: RandomBytes): Partial<TrainOptions>;

  /**
   * B², the public bound on the squared norm of what a client commits to, in steps².
   * @throws PARAMETERS_INVALID, PRIVACY_PARAMETERS_INVALID if the vector or its noise does not fit the coordinates
   */
  normBoundSquared(vector: UpdateVector): bigint;

  /**
   * @param random a CSPRNG
   * @returns an encoder that throws UPDATE_NOT_FINITE, unless such an update counts as zero; UPDATE_OVER_BOUND
   * @throws as `normBoundSquared`
   */
  updateEncoder(vector: UpdateVector, random: RandomBytes): UpdateEncoder;

  /**
   * Refuses a cohort that the noise of so many rounds would drown.
   * @throws PRIVACY_COHORT_TOO_SMALL naming the number of clients that would do
   */
  assertUsefulCohort(cohort: Cohort & { readonly minClients: number }, rounds: number): void;
}

/** What every mechanism's part of a document has. */
interface Settings {
  readonly unit: string;
  readonly delta: number;
}

/** How a document asks for a mechanism, and what follows from its numbers. */
export interface MechanismKind<
  S extends z.ZodObject & z.ZodType<Settings>,
  R extends z.ZodObject & z.ZodType<Settings>,
> {
  /** The one value of the schemas' `unit`. */
  readonly unit: z.infer<S>["unit"];
  /** `training.privacy` of a task's document. */
  readonly schema: S;
  /** The same as an operator may write it: without the noise, which then follows from a target epsilon. */
  readonly requestSchema: R;
  /**
   * The least noise that keeps all rounds within epsilon.
   * @throws PRIVACY_PARAMETERS_INVALID if none does, or it does not fit into the coordinates
   */
  withNoiseFor(epsilon: number, request: z.infer<R>, cohort: Cohort, rounds: number): z.infer<S>;
  mechanism(settings: z.infer<S>): Mechanism;
}

/** The settings, if they are of this kind: for whoever studies one mechanism. */
export function settingsOf<S extends z.ZodObject & z.ZodType<Settings>, R extends z.ZodObject & z.ZodType<Settings>>(
  { unit }: MechanismKind<S, R>,
  privacy: Settings | undefined,
): z.infer<S> | undefined {
  return privacy?.unit === unit ? (privacy as z.infer<S>) : undefined;
}
