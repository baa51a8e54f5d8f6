/** What a task's differential privacy amounts to: for its checkpoints, its commands and its creator. */
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import type { DocumentRequest, TaskDocument } from "./document.ts";
import type { Cohort } from "./mechanisms/mechanism.ts";
import { mechanismOf, withLeastNoise } from "./mechanisms/registry.ts";

/** Printed digits: rounded up, so that every machine prints the same and never less than it computed. */
const DECIMALS = 4;

/** What the accountants need to know of a task. */
export interface PrivateTask {
  readonly document: Pick<TaskDocument, "preset" | "quantisation" | "training">;
  readonly parameters: Pick<TaskParameters, "dimension" | "minHonest" | "privacyBudget" | "maxRoundsPerClient">;
}

/** Of a task's rounds, the most that can count one client; each costs it one vector (docs/privacy.md). */
export function roundsOfOneClient(rounds: number, maxRoundsPerClient: number): number {
  return maxRoundsPerClient === 0 ? rounds : Math.min(rounds, maxRoundsPerClient);
}

/**
 * The statement after `rounds` settled rounds, for every client, whichever of them counted it; null if the task trains
 * without noise.
 */
export function privacyStatement(task: PrivateTask, rounds: number): CheckpointConfig["privacy"] {
  const { guarantee } = mechanismOf(task.document.training.privacy);
  if (guarantee === null) return null;
  const cohort = cohortOf(task);
  const budgetRounds = Number(task.parameters.privacyBudget);
  const roundsPerClient = roundsOfOneClient(budgetRounds, task.parameters.maxRoundsPerClient);
  const epsilonAfter = (count: number): number =>
    count === 0 ? 0 : roundedUp(guarantee.epsilonAfter(cohort, Math.min(count, roundsPerClient)));
  return {
    unit: guarantee.unit,
    statement: guarantee.protects(cohort.minHonest),
    epsilon: epsilonAfter(rounds),
    delta: guarantee.delta,
    budget: {
      epsilon: epsilonAfter(budgetRounds),
      rounds: budgetRounds,
      remainingRounds: Math.max(0, budgetRounds - rounds),
      ...(roundsPerClient < budgetRounds ? { roundsPerClient } : {}),
    },
  };
}

/** The vectors that a task's rounds add up. */
export function cohortOf({
  document: { preset, quantisation },
  parameters: { dimension, minHonest },
}: {
  readonly document: Pick<TaskDocument, "preset" | "quantisation">;
  readonly parameters: Pick<TaskParameters, "dimension" | "minHonest">;
}): Cohort {
  return { preset, quantisation, dimension, minHonest };
}

/**
 * Refuses a task of which no epsilon can be stated: its noise is so small that nothing is proven at its delta.
 * Checkpoints could not say it.
 * @throws PRIVACY_PARAMETERS_INVALID
 */
export function assertEpsilonBounded(task: PrivateTask): void {
  const statement = privacyStatement(task, 0);
  if (statement === null || Number.isFinite(statement.budget.epsilon)) return;
  const {
    delta,
    budget: { rounds: all, roundsPerClient: rounds = all },
  } = statement;
  throw new VerisumError(
    "PRIVACY_PARAMETERS_INVALID",
    `no epsilon holds at delta ${delta} after ${rounds} rounds: more noise, fewer rounds or a larger delta are needed`,
    { delta, rounds },
  );
}

/** A task whose noise is still to be chosen. */
export interface NoiseRequest {
  readonly document: DocumentRequest;
  readonly dimension: number;
  readonly minHonest: number;
  /** That can count one client. */
  readonly rounds: number;
}

/**
 * Fills in the noise that keeps these rounds within `epsilon`.
 * @throws PRIVACY_PARAMETERS_INVALID if no noise does, or it does not fit into the coordinates
 */
export function withNoiseFor(epsilon: number, request: NoiseRequest): Omit<TaskDocument, "version" | "keysCid"> {
  const { document, dimension, minHonest, rounds } = request;
  const { privacy } = document.training;
  if (privacy === undefined)
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      "a target epsilon needs a unit of privacy in the task's training section",
    );
  if (rounds < 1) throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "a private task needs maxRounds");
  const cohort = cohortOf({ document, parameters: { dimension, minHonest } });
  const chosen = withLeastNoise(epsilon, privacy, cohort, rounds);
  return { ...document, training: { ...document.training, privacy: chosen } };
}

/**
 * Refuses a task whose cohort its noise would drown.
 * @throws PRIVACY_COHORT_TOO_SMALL naming the number that would do
 */
export function assertUsefulCohort(
  task: {
    readonly document: PrivateTask["document"];
    readonly parameters: Pick<TaskParameters, "dimension" | "minHonest" | "minClients">;
  },
  rounds: number,
): void {
  const { minClients } = task.parameters;
  mechanismOf(task.document.training.privacy).assertUsefulCohort({ ...cohortOf(task), minClients }, rounds);
}

/** To the digits that are printed, upwards. */
export function roundedUp(epsilon: number): number {
  return Math.ceil(epsilon * 10 ** DECIMALS) / 10 ** DECIMALS;
}
