/**
 * In training, each value becomes 0 with a given probability, and the others grow so that the mean stays (Srivastava et
 * al. 2014, "Dropout"); answers are given without. Which ones follows from the pass's seed and from the place of the
 * value in the batch, never from the data, so that private training's guarantee stays what it is.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { SeededStream } from "../seeded-stream.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { layerKind, withoutWeights } from "./layer.ts";
import type { Chance } from "./layer.ts";

export const dropout = layerKind({
  schema: z.strictObject({
    kind: z.literal("dropout"),
    /** Probability with which a value is left out. */
    rate: z.number().min(0).max(0.95),
  }),
  testCases: [
    { inputShape: [5], layer: { kind: "dropout", rate: 0.5 } },
    { inputShape: [3, 2, 2], layer: { kind: "dropout", rate: 0.25 } },
  ],
  build: ({ rate }, inputShape) => ({
    ...withoutWeights({
      outputShape: inputShape,
      forward: (tf, input, chance) => masked(tf, input, rate, chance),
      inputError: (tf, { error, chance }) => masked(tf, error, rate, chance),
      express: (_, input) => input,
    }),
    takesChance: true,
  }),
});

function masked(tf: TensorFlow, values: Tensor, rate: number, chance: Chance | undefined): Tensor {
  return chance === undefined ? values : tf.mul(values, tf.tensor(maskOf(values.size, rate, chance()), values.shape));
}

function maskOf(size: number, rate: number, stream: SeededStream): Float32Array {
  return Float32Array.from({ length: size }, () => (stream.uniform() < rate ? 0 : 1 / (1 - rate)));
}
