/** The largest value of each window of `side` by `side`; rows and columns that do not fill a window are left out. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { Window } from "../export/operations.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { layerKind, withoutWeights } from "./layer.ts";
import { poolingOf } from "./pooling-window.ts";

export const poolingSide = z.int().min(1).max(8);

export const maxPooling = layerKind({
  schema: z.strictObject({ kind: z.literal("maxPooling"), side: poolingSide }),
  testCases: [
    { inputShape: [4, 4, 2], layer: { kind: "maxPooling", side: 2 } },
    { inputShape: [5, 7, 1], layer: { kind: "maxPooling", side: 3 } },
    { inputShape: [7, 1, 2], layer: { kind: "maxPooling", side: 3 } },
  ],
  build: ({ side }, inputShape) => {
    const { window, outputShape } = poolingOf(side, inputShape);
    return withoutWeights({
      outputShape,
      forward: (tf, input) => maxPool(tf, input as Tensor4D, window),
      inputError: (tf, { input, output, error }) =>
        maxPoolGradient(tf, input as Tensor4D, output as Tensor4D, error as Tensor4D, window),
      express: (operations, input) => operations.maxPool(input, window),
    });
  },
});

export function maxPool(tf: TensorFlow, input: Tensor4D, window: Window): Tensor4D {
  return tf.maxPool(input, [...window], [...window], "valid");
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
  window: Window,
): Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = output.shape;
    const [down, across] = [height * window[0], width * window[1]] as const;
    const covered = tf.slice4d(input, [0, 0, 0, 0], [batch, down, across, channels]);
    const isLargest = tf.cast(tf.equal(covered, enlarged(tf, output, window, covered.shape)), "float32");
    const means = tf.avgPool(isLargest as Tensor4D, [...window], [...window], "valid");
    const ties = tf.mul(means, window[0] * window[1]);
    const shared = tf.div<Tensor4D>(outputGradient, ties);
    const everywhere = tf.mul<Tensor4D>(isLargest, enlarged(tf, shared, window, covered.shape));
    return filledUp(tf, everywhere, input.shape);
  });
}

/** Each value over its whole window, and zeros where no window is. @param shape of the images */
export function enlarged(tf: TensorFlow, x: Tensor4D, window: Window, shape: readonly number[]): Tensor4D {
  const sides: [number, number] = [x.shape[1] * window[0], x.shape[2] * window[1]];
  return filledUp(tf, tf.image.resizeNearestNeighbor(x, sides), shape);
}

function filledUp(tf: TensorFlow, x: Tensor4D, [, height = 0, width = 0]: readonly number[]): Tensor4D {
  const [down, across] = [height - x.shape[1], width - x.shape[2]];
  if (down + across === 0) return x;
  return tf.pad4d(x, [
    [0, 0],
    [0, down],
    [0, across],
    [0, 0],
  ]);
}
