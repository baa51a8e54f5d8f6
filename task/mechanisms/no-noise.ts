/** No noise: updates are hidden in their sum, and nothing is guaranteed of the sum. Of documents without `privacy`. */
import type { Mechanism } from "./mechanism.ts";
import { plainEncoder, plainNormBoundSquared } from "./plain-encoding.ts";

export const noNoise: Mechanism = {
  guarantee: null,
  byTraining: false,
  addedVariance: 0,
  uniformWeights: false,
  diverged: "sit-out",
  trainOptions: () => ({}),
  normBoundSquared: plainNormBoundSquared,
  updateEncoder: plainEncoder,
  assertUsefulCohort: () => undefined,
};
