/** Single records are protected by DP-SGD inside each client (docs/privacy.md, "Single records"). */
import { z } from "zod";
import { PRIVATE_TRAINING_LIMITS } from "../../learning/trainers/limits.ts";
import { trainingNoise } from "../../learning/training-noise.ts";
import { totalVariationOf } from "../../protocol/privacy/noise-bounds.ts";
import { pldEpsilon } from "../../protocol/privacy/pld-accountant.ts";
import { composedEpsilon, noiseMultiplierFor } from "../../protocol/privacy/rdp-accountant.ts";
import { numberWithin } from "../numbers.ts";
import type { Guarantee, Mechanism, MechanismKind } from "./mechanism.ts";
import { plainEncoder, plainNormBoundSquared } from "./plain-encoding.ts";

const schema = z.strictObject({
  unit: z.literal("example"),
  /** L2 norm to which one example's gradient is clipped. */
  exampleClipNorm: numberWithin(PRIVATE_TRAINING_LIMITS.clipNorm),
  /** Standard deviation of the noise on a clipped sum, in units of `exampleClipNorm`. */
  noiseMultiplier: numberWithin(PRIVATE_TRAINING_LIMITS.noiseMultiplier),
  /** Probability with which an example joins a batch. */
  samplingRate: numberWithin(PRIVATE_TRAINING_LIMITS.samplingRate),
  stepsPerRound: numberWithin(PRIVATE_TRAINING_LIMITS.steps),
  delta: z.number().positive().max(0.1),
});
const requestSchema = schema.partial({ noiseMultiplier: true });

type ExamplePrivacy = z.infer<typeof schema>;

export const exampleLevel: MechanismKind<typeof schema, typeof requestSchema> = {
  unit: "example",
  schema,
  requestSchema,
  withNoiseFor(epsilon, request, { dimension }, rounds) {
    const { samplingRate, stepsPerRound, delta } = request;
    const steps = stepsPerRound * rounds;
    const distance = exampleTotalVariation(steps, dimension);
    return { ...request, noiseMultiplier: noiseMultiplierFor(epsilon, delta, { samplingRate, steps }, distance) };
  },
  mechanism: (settings): Mechanism => ({
    guarantee: guaranteeOf(settings),
    byTraining: true,
    addedVariance: 0,
    uniformWeights: false,
    diverged: "sit-out",
    trainOptions: (random) => ({
      privacy: {
        clipNorm: settings.exampleClipNorm,
        noiseMultiplier: settings.noiseMultiplier,
        samplingRate: settings.samplingRate,
        steps: settings.stepsPerRound,
        random,
      },
    }),
    normBoundSquared: plainNormBoundSquared,
    updateEncoder: plainEncoder,
    // A client's own noise protects its records, however few clients there are.
    assertUsefulCohort: () => undefined,
  }),
};

function guaranteeOf({ noiseMultiplier, samplingRate, stepsPerRound, delta }: ExamplePrivacy): Guarantee {
  return {
    unit: exampleLevel.unit,
    subject: "record",
    delta,
    subjectsIn: ({ batchSize }) => Math.round(batchSize / samplingRate),
    sharedNoise: false,
    protects: () =>
      "each single record in a client's data is protected against everybody who sees the published models, by the client's own noise; a round that aborts after clients submitted is not counted, and as many corrupt members as the threshold can open what they submitted in it, which then costs as much as a round that counts",
    epsilonAfter({ dimension }, rounds) {
      const steps = stepsPerRound * rounds;
      const distance = exampleTotalVariation(steps, dimension);
      return composedEpsilon([{ noiseMultiplier, samplingRate, steps }], delta, distance).epsilon;
    },
    pldEpsilonAfter({ dimension }, rounds, stated) {
      const steps = stepsPerRound * rounds;
      // The sampler's distance costs (1 + e^epsilon) of it in delta; it costs no more at the stated epsilon, which is
      // larger.
      const left = delta - (1 + Math.exp(stated)) * exampleTotalVariation(steps, dimension);
      return left > 0 ? pldEpsilon({ noiseMultiplier, samplingRate, steps }, left).epsilon : Infinity;
    },
  };
}

/**
 * How far the noise that one client's training draws over all steps is from discrete Gaussians: 3·10⁻¹⁸ for 400 steps
 * of 50,890 weights.
 */
function exampleTotalVariation(steps: number, dimension: number): number {
  return totalVariationOf(0, { clients: 1, rounds: steps, dimension, perSample: trainingNoise().totalVariationBound });
}
