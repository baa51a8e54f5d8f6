/**
 * Per-example gradients of a dense network in plain arrays. A dense layer's gradient is the outer product of its input
 * and its error, so its norm is known without forming it (Goodfellow 2015, "Efficient per-example gradient computations").
 */
import { layersOf } from "./model.ts";
import type { Model } from "./model.ts";
import type { ExampleGradients } from "./private-training.ts";

interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Where the kernel [inputs, outputs] and then the bias begin in the flat weights. */
  readonly start: number;
}

/** @param model an MLP; ReLU between layers, softmax cross-entropy at the end */
export function denseExampleGradients(model: Model): ExampleGradients {
  let start = 0;
  const layers = layersOf(model).flatMap((layer): DenseLayer[] => {
    if (layer.kind !== "dense") return [];
    const { inputs, outputs } = layer;
    const found = { inputs, outputs, start };
    start += (inputs + 1) * outputs;
    return [found];
  });

  return (weights, features, label) => {
    const inputs = activationsOf(layers, weights, features);
    const scores = inputs.pop()!;
    const { loss, error } = lossAndError(scores, label);
    const errors = backpropagate(layers, weights, inputs, error);
    const squaredNorm = layers.reduce((sum, _, l) => sum + (1 + squaredLength(inputs[l]!)) * squaredLength(errors[l]!), 0);
    return {
      loss,
      squaredNorm,
      addTruncated: (sum, scale) => {
        layers.forEach(({ start: at, outputs, inputs: rows }, l) => {
          const input = inputs[l]!;
          const scaled = errors[l]!.map((value) => value * scale);
          for (let i = 0, k = at; i < rows; i++) {
            const value = input[i]!;
            for (let j = 0; j < outputs; j++, k++) sum[k] = sum[k]! + Math.trunc(value * scaled[j]!);
          }
          for (let j = 0, k = at + rows * outputs; j < outputs; j++, k++) sum[k] = sum[k]! + Math.trunc(scaled[j]!);
        });
      },
    };
  };
}

/** The input of each layer, and at the end the scores. */
function activationsOf(layers: readonly DenseLayer[], weights: Float32Array, features: Float32Array): Float64Array[] {
  const values = [Float64Array.from(features)];
  layers.forEach(({ inputs, outputs, start }, l) => {
    const input = values[l]!;
    const output = Float64Array.from(weights.subarray(start + inputs * outputs, start + (inputs + 1) * outputs));
    for (let i = 0, k = start; i < inputs; i++) {
      const value = input[i]!;
      for (let j = 0; j < outputs; j++, k++) output[j] = output[j]! + value * weights[k]!;
    }
    values.push(l === layers.length - 1 ? output : output.map((value) => Math.max(0, value)));
  });
  return values;
}

function lossAndError(scores: Float64Array, label: number): { loss: number; error: Float64Array } {
  const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  const error = exponentials.map((value, j) => value / total - (j === label ? 1 : 0));
  return { loss: largest + Math.log(total) - scores[label]!, error };
}

/** The loss's gradient in each layer's output before ReLU. */
function backpropagate(layers: readonly DenseLayer[], weights: Float32Array, inputs: readonly Float64Array[], last: Float64Array): Float64Array[] {
  const errors = [last];
  for (let l = layers.length - 1; l > 0; l--) {
    const { inputs: rows, outputs, start } = layers[l]!;
    const next = errors[0]!;
    const error = new Float64Array(rows);
    for (let i = 0, k = start; i < rows; i++, k += outputs) {
      if (inputs[l]![i]! <= 0) continue;
      let sum = 0;
      for (let j = 0; j < outputs; j++) sum += weights[k + j]! * next[j]!;
      error[i] = sum;
    }
    errors.unshift(error);
  }
  return errors;
}

function squaredLength(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
