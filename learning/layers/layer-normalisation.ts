/**
 * Each example's values, of whatever shape, brought to mean 0 and variance 1, then a gain and a bias for each value
 * (Ba, Kiros and Hinton 2016, "Layer Normalization"). It looks at one example at a time, as private training demands:
 * statistics of a batch would let an example change its neighbours' gradients.
 */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { Operations } from "../export/operations.ts";
import { sizeOf } from "../shape.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { layerKind, USUAL_GROUP } from "./layer.ts";
import type { LayerExampleGradients } from "./layer.ts";

export const layerNormalisation = layerKind({
  schema: z.strictObject({
    kind: z.literal("layerNormalisation"),
    /** Added to the variance, so that equal values do not divide by zero. */
    epsilon: z.number().min(1e-12).max(1).default(1e-5),
  }),
  testCases: [
    { inputShape: [5], layer: { kind: "layerNormalisation" } },
    { inputShape: [3, 2, 2], layer: { kind: "layerNormalisation", epsilon: 0.1 } },
  ],
  build: ({ epsilon }, inputShape) => {
    const size = sizeOf(inputShape);
    return {
      outputShape: inputShape,
      tensors: [
        { name: "gain", shape: inputShape },
        { name: "bias", shape: inputShape },
      ],
      groupSize: USUAL_GROUP,
      initial: (weights) => void weights.fill(1, 0, size),
      forward: (tf, [gain, bias], input) => {
        const { normalised } = normaliseRows(tf, rows(tf, input, size), epsilon);
        const output = tf.add(tf.mul(normalised, tf.reshape(gain!, [size])), tf.reshape(bias!, [size]));
        return tf.reshape(output, input.shape);
      },
      backward: (tf, { parameters: [gain], input, error }) => {
        const result = normaliseRows(tf, rows(tf, input, size), epsilon);
        const errors = rows(tf, error, size);
        return {
          inputError: () => {
            const errorAfter = tf.mul<Tensor2D>(errors, tf.reshape(gain!, [size]));
            return tf.reshape(errorBeforeNormalisation(tf, result, errorAfter), input.shape);
          },
          gradients: () => [tf.sum(tf.mul(errors, result.normalised), 0), tf.sum(errors, 0)],
          exampleGradients: () =>
            productGradients(size, result.normalised.dataSync() as Float32Array, errors.dataSync() as Float32Array),
        };
      },
      express: (operations, [gain, bias], input) => {
        const flat = operations.reshape(input, [size]);
        const scaled = operations.multiply(
          expressNormalised(operations, flat, [1], epsilon),
          operations.constant(gain!.data, [size]),
        );
        return operations.reshape(operations.add(scaled, operations.constant(bias!.data, [size])), inputShape);
      },
    };
  },
});

interface NormalisedRows {
  readonly normalised: Tensor2D;
  readonly inverseStdDev: Tensor2D;
}

/** [examples, size] */
function rows(tf: TensorFlow, values: Tensor, size: number): Tensor2D {
  return tf.reshape(values, [values.shape[0], size]);
}

/** Each row with mean 0 and variance 1, and the factor that brought it there, [rows, 1]. */
export function normaliseRows(tf: TensorFlow, input: Tensor2D, epsilon: number): NormalisedRows {
  const centred = tf.sub(input, tf.mean(input, 1, true));
  const inverseStdDev = tf.rsqrt(tf.add<Tensor2D>(tf.mean(tf.square(centred), 1, true), epsilon));
  return { normalised: tf.mul<Tensor2D>(centred, inverseStdDev), inverseStdDev };
}

/** Values over these axes with mean 0 and variance 1. */
export function expressNormalised<Value>(
  operations: Operations<Value>,
  x: Value,
  axes: readonly number[],
  epsilon: number,
): Value {
  const centred = operations.subtract(x, operations.mean(x, axes));
  const variance = operations.mean(operations.multiply(centred, centred), axes);
  const widened = operations.add(variance, operations.constant(Float32Array.of(epsilon), [1]));
  return operations.multiply(centred, operations.reciprocalRoot(widened));
}

/** The loss's gradient in the input of `normaliseRows`, from that in its output. */
export function errorBeforeNormalisation(
  tf: TensorFlow,
  { normalised, inverseStdDev }: NormalisedRows,
  errorAfter: Tensor2D,
): Tensor2D {
  // What moves all values alike, or stretches them, normalisation takes out again.
  const shift = tf.mean(errorAfter, 1, true);
  const stretch = tf.mul(normalised, tf.mean(tf.mul(errorAfter, normalised), 1, true));
  return tf.mul(inverseStdDev, tf.sub(tf.sub(errorAfter, shift), stretch));
}

/** An example's gradient in gain k is errors[k] · normalised[k], in bias k errors[k]. */
function productGradients(size: number, normalised: Float32Array, errors: Float32Array): LayerExampleGradients {
  return {
    normSquared: (example) => {
      let sum = 0;
      for (let i = example * size; i < (example + 1) * size; i++)
        sum += errors[i]! * errors[i]! * (1 + normalised[i]! * normalised[i]!);
      return sum;
    },
    addTruncated: (sum, examples) => {
      for (const { example, scale } of examples) {
        for (let k = 0, i = example * size; k < size; k++, i++) {
          const value = errors[i]! * scale;
          sum[k] = sum[k]! + Math.trunc(value * normalised[i]!);
          sum[size + k] = sum[size + k]! + Math.trunc(value);
        }
      }
    },
  };
}
