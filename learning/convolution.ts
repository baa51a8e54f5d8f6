/**
 * Gradients of a convolution (stride 1, no padding) and of max pooling, from operations that every backend has.
 * The wasm backend of TensorFlow.js 4.22 lacks Conv2DBackpropFilter, and its Conv2DBackpropInput is slow.
 */
import * as tf from "@tensorflow/tfjs-core";

/**
 * The loss's gradient in the kernel [side, side, in, out]: the input [batch, height, width, in] with batch and channels
 * swapped, convolved with the output's gradient as kernel.
 */
export function kernelGradient(input: tf.Tensor4D, outputGradient: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const correlated = tf.conv2d(
      tf.transpose(input, [3, 1, 2, 0]),
      tf.transpose(outputGradient, [1, 2, 0, 3]),
      1,
      "valid",
    );
    return tf.transpose(correlated, [1, 2, 0, 3]);
  });
}

/** The gradient of each example's loss in the kernel and then the bias, flat. */
export function exampleKernelGradients(input: tf.Tensor4D, outputGradient: tf.Tensor4D): Float32Array[] {
  // Cut in plain arrays: the wasm backend copies a whole tensor for every slice of it.
  const [inputs, errors] = [input.dataSync() as Float32Array, outputGradient.dataSync() as Float32Array];
  const shapeOfOne = ({ shape }: tf.Tensor4D): [number, number, number, number] => [1, shape[1], shape[2], shape[3]];
  const one = (values: Float32Array, example: number, [, height, width, channels]: readonly number[]): Float32Array => {
    const size = height! * width! * channels!;
    return values.slice(example * size, (example + 1) * size);
  };
  return Array.from({ length: input.shape[0] }, (_, example) =>
    scoped(() => {
      const error = tf.tensor4d(one(errors, example, outputGradient.shape), shapeOfOne(outputGradient));
      const kernel = kernelGradient(
        tf.tensor4d(one(inputs, example, input.shape), shapeOfOne(input)),
        error,
      ).dataSync();
      const bias = tf.sum(error, [0, 1, 2]).dataSync();
      const gradient = new Float32Array(kernel.length + bias.length);
      gradient.set(kernel);
      gradient.set(bias, kernel.length);
      return gradient;
    }),
  );
}

/**
 * Runs `work` and frees its tensors, also if it throws. Its result is plain data, which `tf.tidy` would search for
 * tensors value by value.
 */
export function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}

/**
 * The loss's gradient in the input: the output's gradient, padded by side − 1, convolved with the kernel turned by half
 * a turn.
 */
export function inputGradient(outputGradient: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const border = kernel.shape[0] - 1;
    const padded = tf.pad4d(outputGradient, [
      [0, 0],
      [border, border],
      [border, border],
      [0, 0],
    ]);
    return tf.conv2d(padded, tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]), 1, "valid");
  });
}

/** The largest value of each window of `side`×`side`; rows and columns that do not fill a window are left out. */
export function maxPool(input: tf.Tensor4D, side: number): tf.Tensor4D {
  return tf.maxPool(input, side, side, "valid");
}

/**
 * The gradient of `maxPool` in its input. Equal largest values share it equally: on images with a constant background
 * ties are common, and the sum over a window must stay the output's gradient.
 */
export function maxPoolGradient(
  input: tf.Tensor4D,
  output: tf.Tensor4D,
  outputGradient: tf.Tensor4D,
  side: number,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = output.shape;
    const [fullHeight, fullWidth] = [input.shape[1] - height * side, input.shape[2] - width * side];
    const enlarge = (x: tf.Tensor4D): tf.Tensor4D => tf.image.resizeNearestNeighbor(x, [height * side, width * side]);
    const covered = tf.slice4d(input, [0, 0, 0, 0], [batch, height * side, width * side, channels]);
    const isLargest = tf.cast(tf.equal(covered, enlarge(output)), "float32");
    const ties = tf.mul(tf.avgPool(isLargest as tf.Tensor4D, side, side, "valid"), side * side);
    const shared = tf.mul<tf.Tensor4D>(isLargest, enlarge(tf.div(outputGradient, ties)));
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
