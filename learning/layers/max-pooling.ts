/** The largest value of each window of `side` by `side`; rows and columns that do not fill a window are left out. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { TensorFlow } from "../tensorflow.ts";
import { invalidModel, layerKind, withoutWeights } from "./layer.ts";

export const poolingSide = z.int().min(1).max(8);

export const maxPooling = layerKind({
  schema: z.strictObject({ kind: z.literal("maxPooling"), side: poolingSide }),
  testCases: [
    { inputShape: [4, 4, 2], layer: { kind: "maxPooling", side: 2 } },
    { inputShape: [5, 7, 1], layer: { kind: "maxPooling", side: 3 } },
  ],
  build: ({ side }, inputShape) => {
    const [height = 0, width = 0, channels = 0] = inputShape;
    if (inputShape.length !== 3) throw invalidModel("pooling takes images: height, width, channels");
    const outputShape = [Math.floor(height / side), Math.floor(width / side), channels];
    if (outputShape.includes(0)) throw invalidModel("pooling leaves no pixel of the image");
    return withoutWeights({
      outputShape,
      forward: (tf, input) => maxPool(tf, input as Tensor4D, side),
      inputError: (tf, { input, output, error }) =>
        maxPoolGradient(tf, input as Tensor4D, output as Tensor4D, error as Tensor4D, side),
      express: (operations, input) => operations.maxPool(input, [side, side]),
    });
  },
});

export function maxPool(tf: TensorFlow, input: Tensor4D, side: number): Tensor4D {
  return tf.maxPool(input, side, side, "valid");
}

/**
 * The gradient of `maxPool` in its input, from operations that every backend has. Equal largest values share it
 * equally: on images with a constant background ties are common, and the sum over a window must stay the output's
 * gradient.
 */
export function maxPoolGradient(
  tf: TensorFlow,
  input: Tensor4D,
  output: Tensor4D,
  outputGradient: Tensor4D,
  side: number,
): Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = output.shape;
    const [fullHeight, fullWidth] = [input.shape[1] - height * side, input.shape[2] - width * side];
    const enlarge = (x: Tensor4D): Tensor4D => tf.image.resizeNearestNeighbor(x, [height * side, width * side]);
    const covered = tf.slice4d(input, [0, 0, 0, 0], [batch, height * side, width * side, channels]);
    const isLargest = tf.cast(tf.equal(covered, enlarge(output)), "float32");
    const ties = tf.mul(tf.avgPool(isLargest as Tensor4D, side, side, "valid"), side * side);
    const shared = tf.mul<Tensor4D>(isLargest, enlarge(tf.div(outputGradient, ties)));
    return fullHeight + fullWidth === 0
      ? shared
      : tf.pad4d(shared, [
          [0, 0],
          [0, fullHeight],
          [0, fullWidth],
          [0, 0],
        ]);
  });
}
