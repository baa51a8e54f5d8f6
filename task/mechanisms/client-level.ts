/**
 * Everything that a client has is protected: each adds discrete Gaussian noise to its rounded update, and epsilon
 * counts on the noise of all honest clients (docs/privacy.md, "Whole clients").
 */
import { z } from "zod";
import { VerisumError } from "../../protocol/errors.ts";
import { MAX_COHORT, PRESETS } from "../../protocol/parameters.ts";
import { clientLevelEpsilon, noiseVarianceFor } from "../../protocol/privacy/distributed-gaussian.ts";
import { noisyUpdateBounds, roundedNormBoundSquared, totalVariationOf } from "../../protocol/privacy/noise-bounds.ts";
import type { NoisyUpdateBounds } from "../../protocol/privacy/noise-bounds.ts";
import { drawNoise, noiseTable } from "../../protocol/privacy/noise-table.ts";
import type { NoiseTable } from "../../protocol/privacy/noise-table.ts";
import { addNoise, roundConditionally } from "../../protocol/privacy/noisy-update.ts";
import { encodedClipSteps } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { Cohort, Guarantee, Mechanism, MechanismKind, UpdateEncoder, UpdateVector } from "./mechanism.ts";
import { assertVoteFits } from "./plain-encoding.ts";

const schema = z.strictObject({
  unit: z.literal("client"),
  /** Variance of each client's noise on each coordinate, in steps². */
  noiseVariance: z.int().positive(),
  delta: z.number().positive().max(0.1),
});
const requestSchema = schema.partial({ noiseVariance: true });

type ClientPrivacy = z.infer<typeof schema>;

/** Of noise still to be chosen: the exits do not depend on its variance, and a sampler's error is far below them. */
const LIKELY_EXIT = 1e-18;
const LIKELY_SAMPLE_ERROR = 2 ** -75;

export const clientLevel: MechanismKind<typeof schema, typeof requestSchema> = {
  unit: "client",
  schema,
  requestSchema,
  withNoiseFor(epsilon, request, { quantisation, dimension, minHonest }, rounds) {
    const search = {
      honestClients: { least: minHonest, most: MAX_COHORT },
      l2SensitivitySteps: Math.sqrt(Number(roundedNormBoundSquared(encodedClipSteps(quantisation), dimension))),
      dimension,
      rounds,
    };
    const size = { clients: MAX_COHORT, rounds, dimension, perSample: LIKELY_SAMPLE_ERROR };
    const noiseVariance = noiseVarianceFor(epsilon, request.delta, search, () => totalVariationOf(LIKELY_EXIT, size));
    return { ...request, noiseVariance };
  },
  mechanism: (settings): Mechanism => ({
    guarantee: guaranteeOf(settings),
    byTraining: false,
    addedVariance: settings.noiseVariance,
    uniformWeights: true,
    diverged: "zero",
    trainOptions: () => ({}),
    normBoundSquared: (vector) => clientNoiseBounds(vector, settings.noiseVariance).noisyNormSquared,
    updateEncoder: (vector, random) => noisyEncoder(settings, vector, random),
    assertUsefulCohort: (cohort, rounds) => assertNoiseOutweighed(settings, cohort, rounds),
  }),
};

function guaranteeOf(settings: ClientPrivacy): Guarantee {
  return {
    unit: clientLevel.unit,
    subject: "client",
    delta: settings.delta,
    subjectsIn: ({ clients }) => clients,
    sharedNoise: true,
    protects: (minHonest) =>
      `everything that one client has is protected against everybody who sees the published models, by the noise of all clients, as long as ${minHonest} included clients add theirs and keep it to themselves, and fewer than the threshold of members are corrupt`,
    epsilonAfter: (cohort, rounds) => epsilonAfter(settings, cohort, rounds),
    pldEpsilonAfter: null,
  };
}

/** Of the mechanism as it runs, with every exit and sampling error of the largest cohort. */
function epsilonAfter({ noiseVariance, delta }: ClientPrivacy, cohort: Cohort, rounds: number): number {
  const { dimension, minHonest } = cohort;
  const bounds = clientNoiseBounds(cohort, noiseVariance);
  const perSample = samplerOf(noiseVariance).totalVariationBound;
  const noise = {
    noiseStdDevSteps: Math.sqrt(noiseVariance),
    honestClients: { least: minHonest, most: MAX_COHORT },
    l2SensitivitySteps: Math.sqrt(Number(bounds.roundedNormSquared)),
    dimension,
    rounds,
    totalVariation: totalVariationOf(bounds.exitProbability, { clients: MAX_COHORT, rounds, dimension, perSample }),
  };
  return clientLevelEpsilon(noise, delta).epsilon;
}

/**
 * The bounds of a client's update before and after its noise.
 * @param noiseVariance of each coordinate, in steps²
 * @throws PRIVACY_PARAMETERS_INVALID, PARAMETERS_INVALID
 */
export function clientNoiseBounds(vector: UpdateVector, noiseVariance: number): NoisyUpdateBounds {
  const bounds = noisyUpdateBounds({
    clipSteps: encodedClipSteps(vector.quantisation),
    dimension: vector.dimension,
    noiseVariance,
    coordinateBits: PRESETS[vector.preset].coordinateBits,
  });
  assertVoteFits(vector, bounds.coordinateLimit);
  return bounds;
}

/** Its updates throw UPDATE_OVER_BOUND if the noise does not fit: it is never drawn again. */
function noisyEncoder({ noiseVariance }: ClientPrivacy, vector: UpdateVector, random: RandomBytes): UpdateEncoder {
  const bounds = clientNoiseBounds(vector, noiseVariance);
  const noise = drawNoise(samplerOf(noiseVariance), vector.dimension, random);
  // To stay away would reveal that training went wrong: such an update counts as zero.
  const finite = (update: Float32Array): Float32Array =>
    update.every(Number.isFinite) ? update : new Float32Array(update.length);
  return (update, scale) =>
    addNoise(roundConditionally(vector.quantisation, bounds, finite(update), random, scale), noise, bounds);
}

/**
 * Refuses a cohort whose noise, in the mean and over all rounds, would be longer than half of what one clipped update
 * may be. Rule of thumb: useful from 2·√d/μ clients, μ the rounds' signal in standard deviations of the noise
 * (docs/privacy.md).
 */
function assertNoiseOutweighed(
  { noiseVariance }: ClientPrivacy,
  { quantisation, dimension, minHonest, minClients }: Cohort & { readonly minClients: number },
  rounds: number,
): void {
  const noiseStdDev = Math.sqrt(noiseVariance * minHonest);
  // Of the update alone: a long vote needs noise, and moves no weight.
  const signal = Math.sqrt(Number(roundedNormBoundSquared(quantisation.clipSteps, dimension)));
  const needed = Math.ceil((2 * Math.sqrt(dimension) * noiseStdDev) / (signal * Math.sqrt(rounds)));
  if (minClients < needed) {
    throw new VerisumError(
      "PRIVACY_COHORT_TOO_SMALL",
      `${minClients} clients drown in the noise that this epsilon needs with ${dimension} weights: ${needed} or more would do, or a smaller model, or a larger epsilon`,
      { minClients, needed },
    );
  }
}

const samplers = new Map<number, NoiseTable>();

/** The sampler of a variance; a process uses one or few. */
function samplerOf(variance: number): NoiseTable {
  const known = samplers.get(variance);
  if (known !== undefined) return known;
  const table = noiseTable(BigInt(variance));
  samplers.set(variance, table);
  return table;
}
