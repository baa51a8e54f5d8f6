/** A model's loss and gradient by TensorFlow.js. Weights and gradients cross this file's border as flat arrays only. */
import * as tf from "@tensorflow/tfjs-core";
import {
  exampleKernelGradients,
  inputGradient,
  kernelGradient,
  maxPool,
  maxPoolGradient,
  scoped,
} from "./convolution.ts";
import type { ConvolutionGradients, DenseFactors, ExampleGradients } from "./example-gradients.ts";
import { sizeOf, tensorsOf } from "./model.ts";
import type { Activation, Model } from "./model.ts";

/** Samples in row order with their labels. */
export interface Batch {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

export interface Network {
  /** Mean cross-entropy over a batch and its gradient in the weights. */
  lossAndGradient(weights: Float32Array, batch: Batch): { readonly loss: number; readonly gradient: Float32Array };
  /**
   * The gradient of each example's own loss. On wasm and cpu, one example's result does not depend on the others nor on
   * its place, bit for bit, in batches of one size that is a multiple of 8.
   */
  exampleGradients(weights: Float32Array, batch: Batch): ExampleGradients;
  /** Class scores before softmax, [batch, classCount]. */
  logits(weights: Float32Array, features: Float32Array): Float32Array;
}

/** What the forward pass keeps for the backward pass. */
interface Activations {
  /** Input of each convolution, then the pooling's input (if there is one). */
  readonly images: readonly tf.Tensor4D[];
  readonly pooled: tf.Tensor4D | undefined;
  /** Input of each dense layer. */
  readonly rows: readonly tf.Tensor2D[];
  readonly scores: tf.Tensor2D;
}

/**
 * How the wasm backend computes each activation: as part of the layer's own kernel where that has it, and what is left
 * to apply.
 */
const ACTIVATIONS: Readonly<
  Record<
    Activation,
    {
      readonly fused: "relu" | "linear";
      readonly apply: <T extends tf.Tensor>(x: T) => T;
      /** The activation's derivative, from its output. */
      readonly slopeAt: (output: tf.Tensor) => tf.Tensor;
    }
  >
> = {
  relu: { fused: "relu", apply: (x) => x, slopeAt: (output) => tf.step(output) },
  tanh: { fused: "linear", apply: (x) => tf.tanh(x), slopeAt: (output) => tf.sub(1, tf.square(output)) },
};

/** All tensors made in a call are freed before it returns. */
export function createNetwork(model: Model): Network {
  const shapes = tensorsOf(model).map(({ shape }) => [...shape]);
  const offsets = shapes.map((_, i) => shapes.slice(0, i).reduce((sum, shape) => sum + sizeOf(shape), 0));
  const count = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const parametersFrom = (weights: Float32Array): tf.Tensor[] =>
    shapes.map((shape, i) => tf.tensor(weights.slice(offsets[i], offsets[i]! + sizeOf(shape)), shape));
  const inputFrom = (features: Float32Array): tf.Tensor =>
    tf.tensor(features, [features.length / sizeOf(model.inputShape), ...model.inputShape]);

  return {
    lossAndGradient: (weights, { features, labels }) =>
      scoped(() => {
        const parameters = parametersFrom(weights);
        const activations = forward(model, parameters, inputFrom(features));
        const { loss, scoreGradient } = crossEntropy(
          activations.scores.dataSync() as Float32Array,
          labels,
          model.classCount,
        );
        const layers = layerErrors(
          model,
          parameters,
          activations,
          tf.tensor2d(scoreGradient, [labels.length, model.classCount]),
        );
        const gradient = new Float32Array(count);
        layers.flatMap(gradientsOf).forEach((part, i) => gradient.set(part.dataSync(), offsets[i]));
        return { loss, gradient };
      }),
    exampleGradients: (weights, { features, labels }) =>
      scoped(() => {
        const parameters = parametersFrom(weights);
        const activations = forward(model, parameters, inputFrom(features));
        const { losses, errors } = exampleErrors(
          activations.scores.dataSync() as Float32Array,
          labels,
          model.classCount,
        );
        const layers = layerErrors(
          model,
          parameters,
          activations,
          tf.tensor2d(errors, [labels.length, model.classCount]),
        );
        return { losses, layers: layers.map((layer, i) => exampleLayer(layer, offsets[2 * i]!)) };
      }),
    logits: (weights, features) =>
      scoped(() => forward(model, parametersFrom(weights), inputFrom(features)).scores.dataSync() as Float32Array),
  };
}

function forward(model: Model, parameters: readonly tf.Tensor[], input: tf.Tensor): Activations {
  const images: tf.Tensor4D[] = [];
  let pooled: tf.Tensor4D | undefined;
  const { fused, apply } = ACTIVATIONS[model.activation ?? "relu"];
  let at = 0;
  let flat = input;
  if (model.kind === "cnn") {
    let x = input as tf.Tensor4D;
    for (const _ of model.filters) {
      images.push(x);
      x = apply(
        tf.fused.conv2d({
          x,
          filter: parameters[at++] as tf.Tensor4D,
          strides: 1,
          pad: "valid",
          bias: parameters[at++]!,
          activation: fused,
        }),
      );
    }
    images.push(x);
    if (model.poolSize > 1) x = pooled = maxPool(x, model.poolSize);
    flat = x;
  }
  const rows: tf.Tensor2D[] = [];
  let x = tf.reshape<tf.Rank.R2>(flat, [flat.shape[0], -1]);
  while (at < parameters.length) {
    rows.push(x);
    const [b, bias] = [parameters[at++] as tf.Tensor2D, parameters[at++]!];
    const isLast = at === parameters.length;
    const output = tf.fused.matMul({ a: x, b, bias, activation: isLast ? "linear" : fused }) as tf.Tensor2D;
    x = isLast ? output : apply(output);
  }
  return { images, pooled, rows, scores: x };
}

/** A layer's input, and the loss's gradient in its output before the activation. */
type LayerError =
  | { readonly kind: "dense"; readonly input: tf.Tensor2D; readonly error: tf.Tensor2D }
  | { readonly kind: "convolution"; readonly input: tf.Tensor4D; readonly error: tf.Tensor4D };

/** Of all layers with weights, in order. */
function layerErrors(
  model: Model,
  parameters: readonly tf.Tensor[],
  { images, pooled, rows }: Activations,
  scoreGradient: tf.Tensor2D,
): LayerError[] {
  const { slopeAt } = ACTIVATIONS[model.activation ?? "relu"];
  const layers: LayerError[] = [];
  let at = parameters.length;
  let error = scoreGradient;
  for (let l = rows.length - 1; l >= 0; l--) {
    const [kernel, input] = [parameters[(at -= 2)] as tf.Tensor2D, rows[l]!];
    layers.unshift({ kind: "dense", input, error });
    const isInput = l === 0 && model.kind === "mlp";
    // Explicit transposes, of the small operands: the wasm backend multiplies transposed operands without vector
    // instructions.
    if (!isInput) error = tf.transpose(tf.matMul(kernel, tf.transpose(error)));
    if (l > 0) error = tf.mul(error, slopeAt(input));
  }
  if (model.kind !== "cnn") return layers;
  const last = images.at(-1)!;
  let imageError =
    pooled === undefined
      ? tf.reshape<tf.Rank.R4>(error, last.shape)
      : maxPoolGradient(last, pooled, tf.reshape<tf.Rank.R4>(error, pooled.shape), model.poolSize);
  for (let l = model.filters.length - 1; l >= 0; l--) {
    const [kernel, input, output] = [parameters[(at -= 2)] as tf.Tensor4D, images[l]!, images[l + 1]!];
    const before = tf.mul<tf.Tensor4D>(imageError, slopeAt(output));
    layers.unshift({ kind: "convolution", input, error: before });
    if (l > 0) imageError = inputGradient(before, kernel);
  }
  return layers;
}

/** The batch's gradients in a layer's kernel and bias. */
function gradientsOf(layer: LayerError): [tf.Tensor, tf.Tensor] {
  return layer.kind === "dense"
    ? [tf.matMul(tf.transpose(layer.input), layer.error), tf.sum(layer.error, 0)]
    : [kernelGradient(layer.input, layer.error), tf.sum(layer.error, [0, 1, 2])];
}

/**
 * Each example's gradients in a layer's kernel and bias, read back from the backend. @param start of the kernel in the
 * flat weights
 */
function exampleLayer(layer: LayerError, start: number): DenseFactors | ConvolutionGradients {
  if (layer.kind === "convolution")
    return { kind: "convolution", start, gradients: exampleKernelGradients(layer.input, layer.error) };
  const { input, error } = layer;
  return {
    kind: "dense",
    start,
    inputCount: input.shape[1],
    outputCount: error.shape[1],
    inputs: input.dataSync() as Float32Array,
    errors: error.dataSync() as Float32Array,
  };
}

/** Mean softmax cross-entropy of [batch, classCount] scores, and its gradient in them. */
export function crossEntropy(
  scores: Float32Array,
  labels: Int32Array,
  classCount: number,
): { loss: number; scoreGradient: Float32Array } {
  const { losses, errors } = exampleErrors(scores, labels, classCount);
  return {
    loss: losses.reduce((a, b) => a + b, 0) / labels.length,
    scoreGradient: errors.map((error) => error / labels.length),
  };
}

/** Softmax cross-entropy of each row of [batch, classCount] scores, and its gradient in the row. */
function exampleErrors(
  scores: Float32Array,
  labels: Int32Array,
  classCount: number,
): { losses: Float64Array; errors: Float32Array } {
  const errors = new Float32Array(scores.length);
  const losses = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const from = row * classCount;
    const values = scores.subarray(from, from + classCount);
    const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    const label = labels[row]!;
    for (let j = 0; j < classCount; j++)
      errors[from + j] = Math.exp(values[j]! - largest) / total - (j === label ? 1 : 0);
    losses[row] = largest + Math.log(total) - values[label]!;
  }
  return { losses, errors };
}
