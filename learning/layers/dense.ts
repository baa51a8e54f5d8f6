/**
 * A matrix product. One example's gradient is the outer product of its input and its error, so its norm is known
 * without forming it (Goodfellow 2015, "Efficient per-example gradient computations").
 */
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { activationName, finalActivation } from "./activation.ts";
import { fillGlorot, held, invalidModel, layerKind, squaredLength, USUAL_GROUP, width } from "./layer.ts";
import type { ScaledExample } from "./layer.ts";

export const dense = layerKind({
  schema: z.strictObject({ kind: z.literal("dense"), units: width, activation: activationName.optional() }),
  testCases: [
    { inputShape: [4], layer: { kind: "dense", units: 3 } },
    { inputShape: [5], layer: { kind: "dense", units: 6, activation: "relu" } },
    { inputShape: [3], layer: { kind: "dense", units: 4, activation: "tanh" } },
  ],
  build: ({ units, activation: name }, inputShape) => {
    const [inputCount = 0] = inputShape;
    if (inputShape.length !== 1) throw invalidModel("a dense layer takes a row of values: flatten images before it");
    const activation = finalActivation(name);
    return {
      outputShape: [units],
      tensors: [
        { name: "kernel", shape: [inputCount, units] },
        { name: "bias", shape: [units] },
      ],
      groupSize: USUAL_GROUP,
      initial: (weights, stream) =>
        fillGlorot(weights.subarray(0, inputCount * units), { inputs: inputCount, outputs: units }, stream),
      forward: (tf, [b, bias], a) =>
        activation.apply(
          tf,
          tf.fused.matMul({ a, b: b as Tensor2D, bias: bias as Tensor1D, activation: activation.fused }),
        ),
      backward: (tf, { parameters: [kernel], input, output, error }) => {
        const before = activation.errorBefore(tf, output, error);
        return {
          // Explicit transposes, of the small operands: the wasm backend multiplies transposed operands without vector
          // instructions.
          inputError: () => tf.transpose(tf.matMul(kernel!, tf.transpose(before))),
          gradients: () => [tf.matMul(tf.transpose(input), before), tf.sum(before, 0)],
          exampleGradients: () => {
            const factors: Factors = {
              inputCount,
              outputCount: units,
              inputs: input.dataSync() as Float32Array,
              errors: before.dataSync() as Float32Array,
            };
            return {
              normSquared: (example) => normSquared(factors, example),
              addTruncated: (sum, examples) => addOuterProducts(sum, factors, examples),
            };
          },
        };
      },
      express: (operations, [kernel, bias], input) => {
        const product = operations.matMul(input, held(operations, kernel!));
        return activation.express(operations, operations.add(product, held(operations, bias!)));
      },
    };
  },
});

/** Gradients of the kernel [inputs, outputs] and of the bias behind it, as factors. */
interface Factors {
  readonly inputCount: number;
  readonly outputCount: number;
  /** [examples, inputCount] */
  readonly inputs: Float32Array;
  /** The loss's gradient in the layer's output before its activation, [examples, outputCount]. */
  readonly errors: Float32Array;
}

function normSquared({ inputCount, outputCount, inputs, errors }: Factors, example: number): number {
  return (
    (1 + squaredLength(inputs, example * inputCount, inputCount)) *
    squaredLength(errors, example * outputCount, outputCount)
  );
}

/**
 * Row by row of the kernel, all examples at a time: a row of sums stays in the cache. Zeros, which ReLU makes, are left
 * out.
 */
function addOuterProducts(
  sum: Float64Array,
  { inputCount, outputCount, inputs, errors }: Factors,
  examples: readonly ScaledExample[],
): void {
  const columns = new Int32Array(examples.length * outputCount);
  const values = new Float64Array(examples.length * outputCount);
  const ends = new Int32Array(examples.length);
  const bias = inputCount * outputCount;
  let end = 0;
  examples.forEach(({ example, scale }, n) => {
    for (let j = 0; j < outputCount; j++) {
      const value = errors[example * outputCount + j]! * scale;
      if (value === 0) continue;
      columns[end] = j;
      values[end++] = value;
      sum[bias + j] = sum[bias + j]! + Math.trunc(value);
    }
    ends[n] = end;
  });
  // Without zeros, as behind softmax, columns need no list.
  const isFull = end === values.length;
  for (let i = 0; i < inputCount; i++) {
    const row = i * outputCount;
    for (let n = 0, k = 0; n < examples.length; n++) {
      const until = ends[n]!;
      const input = inputs[examples[n]!.example * inputCount + i]!;
      if (input === 0) {
        k = until;
        continue;
      }
      if (isFull) {
        for (let at = row; k < until; k++, at++) sum[at] = sum[at]! + Math.trunc(input * values[k]!);
        continue;
      }
      for (; k < until; k++) {
        const at = row + columns[k]!;
        sum[at] = sum[at]! + Math.trunc(input * values[k]!);
      }
    }
  }
}
