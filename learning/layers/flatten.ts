/** An image as the row of its values, which a dense layer takes. */
import { z } from "zod";
import { sizeOf } from "../shape.ts";
import { layerKind, withoutWeights } from "./layer.ts";

export const flatten = layerKind({
  schema: z.strictObject({ kind: z.literal("flatten") }),
  testCases: [
    { inputShape: [4], layer: { kind: "flatten" } },
    { inputShape: [3, 2, 2], layer: { kind: "flatten" } },
  ],
  build: (_, inputShape) =>
    withoutWeights({
      outputShape: [sizeOf(inputShape)],
      forward: (tf, input) => tf.reshape(input, [input.shape[0], sizeOf(inputShape)]),
      inputError: (tf, { input, error }) => tf.reshape(error, input.shape),
      express: (operations, input) => operations.reshape(input, [sizeOf(inputShape)]),
    }),
});
