/** The mean of each window of an image, or of the steps of a series. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { layerKind, withoutWeights } from "./layer.ts";
import { enlarged, poolingSide } from "./max-pooling.ts";
import { poolingOf } from "./pooling-window.ts";

export const averagePooling = layerKind({
  schema: z.strictObject({ kind: z.literal("averagePooling"), side: poolingSide }),
  testCases: [
    { inputShape: [4, 4, 2], layer: { kind: "averagePooling", side: 2 } },
    { inputShape: [5, 7, 3], layer: { kind: "averagePooling", side: 3 } },
    { inputShape: [7, 1, 2], layer: { kind: "averagePooling", side: 3 } },
  ],
  build: ({ side }, inputShape) => {
    const { window, outputShape } = poolingOf(side, inputShape);
    return withoutWeights({
      outputShape,
      forward: (tf, input) => tf.avgPool(input as Tensor4D, [...window], [...window], "valid"),
      inputError: (tf, { input, error }) =>
        tf.div(enlarged(tf, error as Tensor4D, window, input.shape), window[0] * window[1]),
      express: (operations, input) => operations.averagePool(input, window),
    });
  },
});
