/** What a task's differential privacy amounts to: for its checkpoints, its commands and its creator. */
import { VerisumError } from "../protocol/errors.ts";
import { MAX_COHORT } from "../protocol/parameters.ts";
import { clientLevelEpsilon, localVarianceFor } from "../protocol/privacy/distributed-gaussian.ts";
import type { DistributedNoise } from "../protocol/privacy/distributed-gaussian.ts";
import { roundedNormBoundSquared, totalVariationOf } from "../protocol/privacy/noise-bounds.ts";
import { encodedClipSteps } from "../protocol/quantise.ts";
import { composedEpsilon, noiseMultiplierFor } from "../protocol/privacy/rdp-accountant.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { trainingNoise } from "../learning/training-noise.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import type { ClientPrivacy, DocumentRequest, PrivacySettings, TaskDocument } from "./document.ts";
import { clientNoiseBounds, clientNoiseTable } from "./encoding.ts";

/** Printed digits: rounded up, so that every machine prints the same and never less than it computed. */
const DECIMALS = 4;

/** What the accountants need to know of a task. */
export interface PrivateTask {
  readonly document: Pick<TaskDocument, "preset" | "quantisation" | "training">;
  readonly parameters: Pick<TaskParameters, "dimension" | "minHonest" | "privacyBudget">;
}

/**
 * The statement after `rounds` settled rounds, for every client that took part in all of them; null if the task trains
 * without noise.
 */
export function privacyStatement({ document, parameters }: PrivateTask, rounds: number): CheckpointConfig["privacy"] {
  const { privacy } = document.training;
  if (privacy === undefined) return null;
  const budgetRounds = Number(parameters.privacyBudget);
  return {
    unit: privacy.unit,
    statement: protection(privacy, parameters.minHonest),
    epsilon: roundedUp(epsilonAfter({ document, parameters }, privacy, rounds)),
    delta: privacy.delta,
    budget: {
      epsilon: roundedUp(epsilonAfter({ document, parameters }, privacy, budgetRounds)),
      rounds: budgetRounds,
      remainingRounds: Math.max(0, budgetRounds - rounds),
    },
  };
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
    budget: { rounds },
  } = statement;
  throw new VerisumError(
    "PRIVACY_PARAMETERS_INVALID",
    `no epsilon holds at delta ${delta} after ${rounds} rounds: more noise, fewer rounds or a larger delta are needed`,
    { delta, rounds },
  );
}

/** In words: what is protected, against whom, as long as what holds. */
function protection({ unit }: PrivacySettings, minHonest: number): string {
  if (unit === "example")
    return "each single record in a client's data is protected against everybody who sees the published models, by the client's own noise";
  return `everything that one client has is protected against everybody who sees the published models, by the noise of all clients, as long as ${minHonest} included clients add theirs and keep it to themselves, and fewer than the threshold of members are corrupt`;
}

function epsilonAfter(task: PrivateTask, privacy: PrivacySettings, rounds: number): number {
  if (rounds === 0) return 0;
  if (privacy.unit === "client")
    return clientLevelEpsilon({ ...distributedNoise(task, privacy, rounds) }, privacy.delta).epsilon;
  const { noiseMultiplier, samplingRate, stepsPerRound } = privacy;
  const steps = stepsPerRound * rounds;
  return composedEpsilon(
    [{ noiseMultiplier, samplingRate, steps }],
    privacy.delta,
    exampleTotalVariation(steps, task.parameters.dimension),
  ).epsilon;
}

/**
 * How far the noise that one client's training draws over all steps is from discrete Gaussians: 3·10⁻¹⁸ for 400 steps
 * of 50,890 weights.
 */
export function exampleTotalVariation(steps: number, dimension: number): number {
  return totalVariationOf(0, { clients: 1, rounds: steps, dimension, perSample: trainingNoise().totalVariationBound });
}

/** The mechanism that a client-level task runs, with every exit and sampling error of the largest cohort. */
function distributedNoise(
  { document, parameters: { dimension, minHonest } }: PrivateTask,
  { noiseVariance }: Pick<ClientPrivacy, "noiseVariance">,
  rounds: number,
): DistributedNoise {
  const bounds = clientNoiseBounds(document, { noiseVariance }, dimension);
  return {
    noiseDeviationSteps: Math.sqrt(noiseVariance),
    honestClients: { least: minHonest, most: MAX_COHORT },
    l2Steps: Math.sqrt(Number(bounds.roundedNormSquared)),
    dimension,
    rounds,
    totalVariation: totalVariationOf(bounds.exitProbability, {
      clients: MAX_COHORT,
      rounds,
      dimension,
      perSample: clientNoiseTable(noiseVariance).totalVariationBound,
    }),
  };
}

/** A task whose noise is still to be chosen. */
export interface PrivacyRequest {
  readonly document: DocumentRequest;
  readonly dimension: number;
  readonly minHonest: number;
  readonly minClients: number;
  readonly rounds: number;
}

/**
 * Fills in the noise that keeps all rounds within `epsilon`.
 * @throws PRIVACY_PARAMETERS_INVALID if no noise does, or it does not fit into the coordinates
 */
export function withNoiseFor(epsilon: number, request: PrivacyRequest): DocumentRequest {
  const { document, dimension, minHonest, rounds } = request;
  const { privacy } = document.training;
  if (privacy === undefined)
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      "a target epsilon needs a unit of privacy in the task's training section",
    );
  if (rounds < 1) throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "a private task needs a number of rounds");
  if (privacy.unit === "example") {
    const steps = privacy.stepsPerRound * rounds;
    const noiseMultiplier = noiseMultiplierFor(
      epsilon,
      privacy.delta,
      { samplingRate: privacy.samplingRate, steps },
      exampleTotalVariation(steps, dimension),
    );
    return { ...document, training: { ...document.training, privacy: { ...privacy, noiseMultiplier } } };
  }
  const search = {
    honestClients: { least: minHonest, most: MAX_COHORT },
    l2Steps: Math.sqrt(Number(roundedNormBoundSquared(encodedClipSteps(document.quantisation), dimension))),
    dimension,
    rounds,
  };
  // The exits do not depend on the variance, and a sampler's error is far below them.
  const noiseVariance = localVarianceFor(epsilon, privacy.delta, search, () =>
    totalVariationOf(1e-18, { clients: MAX_COHORT, rounds, dimension, perSample: 2 ** -75 }),
  );
  return { ...document, training: { ...document.training, privacy: { ...privacy, noiseVariance } } };
}

/**
 * Refuses a client-level task whose cohort cannot outweigh the noise: over all rounds, the mean's noise would be longer
 * than half of what one clipped update may be. Rule of thumb: useful from 2·√d/μ clients, μ the rounds' signal in
 * deviations of the noise (docs/privacy.md).
 * @throws PRIVACY_COHORT_TOO_SMALL naming the number that would do
 */
export function assertUsefulCohort(
  {
    document,
    parameters,
  }: {
    readonly document: PrivateTask["document"];
    readonly parameters: Pick<TaskParameters, "dimension" | "minHonest" | "minClients">;
  },
  rounds: number,
): void {
  const { privacy } = document.training;
  if (privacy?.unit !== "client") return;
  const { dimension, minHonest, minClients } = parameters;
  const deviation = Math.sqrt(privacy.noiseVariance * minHonest);
  // Of the update alone: a long vote needs noise, and moves no weight.
  const signal = Math.sqrt(Number(roundedNormBoundSquared(document.quantisation.clipSteps, dimension)));
  const needed = Math.ceil((2 * Math.sqrt(dimension) * deviation) / (signal * Math.sqrt(rounds)));
  if (minClients < needed) {
    throw new VerisumError(
      "PRIVACY_COHORT_TOO_SMALL",
      `${minClients} clients drown in the noise that this epsilon needs with ${dimension} weights: ${needed} or more would do, or a smaller model, or a larger epsilon`,
      { minClients, needed },
    );
  }
}

/** To the digits that are printed, upwards. */
export function roundedUp(epsilon: number): number {
  return Math.ceil(epsilon * 10 ** DECIMALS) / 10 ** DECIMALS;
}
