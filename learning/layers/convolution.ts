/**
 * Convolution of images, stride 1, without padding. Its kernel is small enough to hold one gradient for each example.
 *
 * Gradients are made of operations that every backend has: the wasm backend of TensorFlow.js 4.22 lacks
 * Conv2DBackpropFilter, and its Conv2DBackpropInput is slow.
 */
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { sizeOf } from "../shape.ts";
import { scoped } from "../tensorflow.ts";
import type { TensorFlow } from "../tensorflow.ts";
import type { Window } from "../export/operations.ts";
import { activationName, finalActivation } from "./activation.ts";
import type { ActivationName } from "./activation.ts";
import { fillGlorot, held, invalidModel, layerKind, squaredLength, width } from "./layer.ts";
import type { Layer, LayerExampleGradients } from "./layer.ts";

/** A convolution's patches take much memory. */
const GROUP = 16;

export const kernelSide = z.int().min(1).max(11);

export const convolution = layerKind({
  schema: z.strictObject({
    kind: z.literal("convolution"),
    /** Output channels. */
    filters: width,
    kernelSize: kernelSide.default(3),
    activation: activationName.optional(),
  }),
  testCases: [
    { inputShape: [5, 4, 2], layer: { kind: "convolution", filters: 3 } },
    { inputShape: [4, 4, 1], layer: { kind: "convolution", filters: 2, kernelSize: 2, activation: "relu" } },
    { inputShape: [3, 5, 2], layer: { kind: "convolution", filters: 2, activation: "tanh" } },
  ],
  build: ({ filters, kernelSize, activation }, inputShape) => {
    const [height = 0, width = 0] = inputShape;
    if (inputShape.length !== 3) throw invalidModel("a convolution takes images: height, width, channels");
    if (Math.min(height, width) < kernelSize) throw invalidModel("the convolutions leave no pixel of the image");
    return convolutionOf({ window: [kernelSize, kernelSize], filters, activation }, inputShape);
  },
});

export interface ConvolutionOptions {
  /** Pixels that one output sees. */
  readonly window: Window;
  readonly filters: number;
  readonly activation: ActivationName | undefined;
}

/** @param inputShape height, width, channels; at least as large as the window */
export function convolutionOf(
  { window, filters, activation: name }: ConvolutionOptions,
  inputShape: readonly number[],
): Layer {
  const [height = 0, width = 0, channels = 0] = inputShape;
  const activation = finalActivation(name);
  const kernelShape = [...window, channels, filters] as const;
  const area = window[0] * window[1];
  return {
    outputShape: [height - window[0] + 1, width - window[1] + 1, filters],
    tensors: [
      { name: "kernel", shape: kernelShape },
      { name: "bias", shape: [filters] },
    ],
    groupSize: GROUP,
    initial: (weights, stream) =>
      fillGlorot(
        weights.subarray(0, sizeOf(kernelShape)),
        { inputs: area * channels, outputs: area * filters },
        stream,
      ),
    forward: (tf, [filter, bias], input) =>
      activation.apply(
        tf,
        tf.fused.conv2d({
          x: input as Tensor4D,
          filter: filter as Tensor4D,
          strides: 1,
          pad: "valid",
          bias: bias as Tensor1D,
          activation: activation.fused,
        }),
      ),
    backward: (tf, { parameters, input, output, error }) => {
      const before = activation.errorBefore(tf, output, error as Tensor4D);
      return {
        inputError: () => inputGradient(tf, before, parameters[0] as Tensor4D),
        gradients: () => [kernelGradient(tf, input as Tensor4D, before), tf.sum(before, [0, 1, 2])],
        exampleGradients: () => heldGradients(exampleKernelGradients(tf, input as Tensor4D, before)),
      };
    },
    express: (operations, [kernel, bias], input) => {
      const convolved = operations.convolve(input, kernel!.data, kernelShape);
      return activation.express(operations, operations.add(convolved, held(operations, bias!)));
    },
  };
}

/** @param gradients one array for each example, kernel and then bias */
function heldGradients(gradients: readonly Float32Array[]): LayerExampleGradients {
  return {
    normSquared: (example) => squaredLength(gradients[example]!, 0, gradients[example]!.length),
    addTruncated: (sum, examples) => {
      for (const { example, scale } of examples) addScaled(sum, gradients[example]!, scale);
    },
  };
}

function addScaled(sum: Float64Array, gradient: Float32Array, scale: number): void {
  for (let i = 0; i < gradient.length; i++) sum[i] = sum[i]! + Math.trunc(gradient[i]! * scale);
}

/**
 * The loss's gradient in the kernel [height, width, in, out]: the input [batch, height, width, in] with batch and
 * channels swapped, convolved with the output's gradient as kernel.
 */
export function kernelGradient(tf: TensorFlow, input: Tensor4D, outputGradient: Tensor4D): Tensor4D {
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
function exampleKernelGradients(tf: TensorFlow, input: Tensor4D, outputGradient: Tensor4D): Float32Array[] {
  // Cut in plain arrays: the wasm backend copies a whole tensor for every slice of it.
  const [inputs, errors] = [input.dataSync() as Float32Array, outputGradient.dataSync() as Float32Array];
  const one = (values: Float32Array, example: number, { shape: [, height, width, channels] }: Tensor4D): Tensor4D => {
    const size = height * width * channels;
    return tf.tensor4d(values.slice(example * size, (example + 1) * size), [1, height, width, channels]);
  };
  return Array.from({ length: input.shape[0] }, (_, example) =>
    scoped(tf, () => {
      const error = one(errors, example, outputGradient);
      const kernel = kernelGradient(tf, one(inputs, example, input), error).dataSync();
      const bias = tf.sum(error, [0, 1, 2]).dataSync();
      const gradient = new Float32Array(kernel.length + bias.length);
      gradient.set(kernel);
      gradient.set(bias, kernel.length);
      return gradient;
    }),
  );
}

/**
 * The loss's gradient in the input: the output's gradient, padded by the window's sides − 1, convolved with the kernel
 * turned by half a turn.
 */
export function inputGradient(tf: TensorFlow, outputGradient: Tensor4D, kernel: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const [down, across] = [kernel.shape[0] - 1, kernel.shape[1] - 1];
    const padded = tf.pad4d(outputGradient, [
      [0, 0],
      [down, down],
      [across, across],
      [0, 0],
    ]);
    return tf.conv2d(padded, tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]), 1, "valid");
  });
}
