/** A model's loss and gradient by TensorFlow.js. Weights and gradients cross this file's border as flat arrays only. */
import * as tf from "@tensorflow/tfjs-core";
import { inputGradient, kernelGradient, maxPool, maxPoolGradient } from "./convolution.ts";
import { sizeOf, tensorsOf } from "./model.ts";
import type { Model } from "./model.ts";

/** Samples in row order with their labels. */
export interface Batch {
  readonly features: Float32Array;
  readonly labels: Int32Array;
}

export interface Network {
  /** Mean cross-entropy over a batch and its gradient in the weights. */
  lossAndGradient(weights: Float32Array, batch: Batch): { readonly loss: number; readonly gradient: Float32Array };
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

/** All tensors made in a call are freed before it returns. */
export function createNetwork(model: Model): Network {
  const shapes = tensorsOf(model).map(({ shape }) => [...shape]);
  const offsets = shapes.map((_, i) => shapes.slice(0, i).reduce((sum, shape) => sum + sizeOf(shape), 0));
  const count = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  const parametersFrom = (weights: Float32Array): tf.Tensor[] => shapes.map((shape, i) => tf.tensor(weights.slice(offsets[i], offsets[i]! + sizeOf(shape)), shape));
  const inputFrom = (features: Float32Array): tf.Tensor => tf.tensor(features, [features.length / sizeOf(model.inputShape), ...model.inputShape]);

  return {
    lossAndGradient: (weights, { features, labels }) =>
      scoped(() => {
        const parameters = parametersFrom(weights);
        const activations = forward(model, parameters, inputFrom(features));
        const { loss, scoreGradient } = crossEntropy(activations.scores.dataSync() as Float32Array, labels, model.classCount);
        const parts = backward(model, parameters, activations, tf.tensor2d(scoreGradient, [labels.length, model.classCount]));
        const gradient = new Float32Array(count);
        parts.forEach((part, i) => gradient.set(part.dataSync(), offsets[i]));
        return { loss, gradient };
      }),
    logits: (weights, features) => scoped(() => forward(model, parametersFrom(weights), inputFrom(features)).scores.dataSync() as Float32Array),
  };
}

function forward(model: Model, parameters: readonly tf.Tensor[], input: tf.Tensor): Activations {
  const images: tf.Tensor4D[] = [];
  let pooled: tf.Tensor4D | undefined;
  let at = 0;
  let flat = input;
  if (model.kind === "cnn") {
    let x = input as tf.Tensor4D;
    for (const _ of model.filters) {
      images.push(x);
      x = tf.fused.conv2d({ x, filter: parameters[at++] as tf.Tensor4D, strides: 1, pad: "valid", bias: parameters[at++]!, activation: "relu" });
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
    x = tf.fused.matMul({ a: x, b, bias, activation: at < parameters.length ? "relu" : "linear" }) as tf.Tensor2D;
  }
  return { images, pooled, rows, scores: x };
}

/** Gradients of all parameters in order. */
function backward(model: Model, parameters: readonly tf.Tensor[], { images, pooled, rows }: Activations, scoreGradient: tf.Tensor2D): tf.Tensor[] {
  const gradients: tf.Tensor[] = [];
  let at = parameters.length;
  let error = scoreGradient;
  for (let l = rows.length - 1; l >= 0; l--) {
    const [kernel, input] = [parameters[(at -= 2)] as tf.Tensor2D, rows[l]!];
    // Explicit transposes, of the small operands: the wasm backend multiplies transposed operands without vector instructions.
    gradients.unshift(tf.matMul(tf.transpose(input), error), tf.sum(error, 0));
    const isInput = l === 0 && model.kind === "mlp";
    if (!isInput) error = tf.transpose(tf.matMul(kernel, tf.transpose(error)));
    if (l > 0) error = tf.mul(error, tf.step(input));
  }
  if (model.kind !== "cnn") return gradients;
  const last = images.at(-1)!;
  let imageError =
    pooled === undefined ? tf.reshape<tf.Rank.R4>(error, last.shape) : maxPoolGradient(last, pooled, tf.reshape<tf.Rank.R4>(error, pooled.shape), model.poolSize);
  for (let l = model.filters.length - 1; l >= 0; l--) {
    const [kernel, input, output] = [parameters[(at -= 2)] as tf.Tensor4D, images[l]!, images[l + 1]!];
    const beforeRelu = tf.mul<tf.Tensor4D>(imageError, tf.step(output));
    gradients.unshift(kernelGradient(input, beforeRelu), tf.sum(beforeRelu, [0, 1, 2]));
    if (l > 0) imageError = inputGradient(beforeRelu, kernel);
  }
  return gradients;
}

/** Mean softmax cross-entropy of [batch, classCount] scores, and its gradient in them. */
export function crossEntropy(scores: Float32Array, labels: Int32Array, classCount: number): { loss: number; scoreGradient: Float32Array } {
  const scoreGradient = new Float32Array(scores.length);
  let loss = 0;
  for (let row = 0; row < labels.length; row++) {
    const from = row * classCount;
    const values = scores.subarray(from, from + classCount);
    const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    const label = labels[row]!;
    for (let j = 0; j < classCount; j++) scoreGradient[from + j] = (Math.exp(values[j]! - largest) / total - (j === label ? 1 : 0)) / labels.length;
    loss += largest + Math.log(total) - values[label]!;
  }
  return { loss: loss / labels.length, scoreGradient };
}

/** Runs `work` and frees its tensors, also if it throws. */
function scoped<T>(work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
