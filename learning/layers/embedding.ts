/**
 * A row of trained values for each of a fixed number of words, which are given by number: [length] becomes
 * [length, 1, width], a series of `width` channels. Numbers are rounded down and kept within the table, so that no
 * example leaves it.
 */
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { held, invalidModel, layerKind, USUAL_GROUP, width } from "./layer.ts";
import type { LayerExampleGradients } from "./layer.ts";

/** Standard deviation of the initial values. */
const INITIAL_STD_DEV = 0.05;

export const embedding = layerKind({
  schema: z.strictObject({
    kind: z.literal("embedding"),
    /** Words, numbered from 0. */
    words: z.int().min(1).max(1_000_000),
    /** Values for each. */
    width,
  }),
  testCases: [
    { inputShape: [4], layer: { kind: "embedding", words: 3, width: 2 } },
    { inputShape: [6], layer: { kind: "embedding", words: 4, width: 3 } },
  ],
  build: ({ words, width }, inputShape) => {
    const [length = 0] = inputShape;
    if (inputShape.length !== 1) throw invalidModel("an embedding takes a row of words' numbers");
    return {
      outputShape: [length, 1, width],
      tensors: [{ name: "table", shape: [words, width] }],
      groupSize: USUAL_GROUP,
      initial: (weights, stream) => {
        for (let i = 0; i < weights.length; i++) weights[i] = stream.normal() * INITIAL_STD_DEV;
      },
      forward: (tf, [table], input) => {
        const numbers = tf.cast(tf.clipByValue(tf.floor(input), 0, words - 1), "int32");
        const rows = tf.gather(table as Tensor2D, tf.reshape(numbers, [input.size]));
        return tf.reshape(rows, [input.shape[0], length, 1, width]);
      },
      backward: (tf, { input, error }) => {
        const read = (): Uses => ({
          ...{ length, width },
          words: Int32Array.from(input.dataSync(), (number) => Math.min(words - 1, Math.max(0, Math.floor(number)))),
          errors: error.dataSync() as Float32Array,
        });
        return {
          // Which word it is does not change by a little.
          inputError: () => tf.zerosLike(input),
          gradients: () => {
            const uses = read();
            const sum = new Float32Array(words * width);
            for (let use = 0; use < uses.words.length; use++) addUse(sum, uses, use);
            return [tf.tensor2d(sum, [words, width])];
          },
          exampleGradients: () => sparseGradients(read()),
        };
      },
      express: (operations, [table], input) =>
        operations.reshape(operations.lookUp(held(operations, table!), input, words), [length, 1, width]),
    };
  },
});

/** Which word each place of each example has, and the loss's gradient in what it became. */
interface Uses {
  readonly length: number;
  readonly width: number;
  /** [examples · length] */
  readonly words: Int32Array;
  /** [examples · length, width] */
  readonly errors: Float32Array;
}

function addUse(sum: Float32Array, { words, errors, width }: Uses, use: number): void {
  const to = words[use]! * width;
  for (let j = 0; j < width; j++) sum[to + j] = sum[to + j]! + errors[use * width + j]!;
}

/** An example's gradient has a row for each word that it uses; one that it uses twice has the sum of both. */
function sparseGradients(uses: Uses): LayerExampleGradients {
  const { length, width, words, errors } = uses;
  const rowsOf = (example: number): Map<number, Float64Array> => {
    const rows = new Map<number, Float64Array>();
    for (let use = example * length; use < (example + 1) * length; use++) {
      const row = rows.get(words[use]!) ?? new Float64Array(width);
      for (let j = 0; j < width; j++) row[j] = row[j]! + errors[use * width + j]!;
      rows.set(words[use]!, row);
    }
    return rows;
  };
  return {
    normSquared: (example) => {
      let sum = 0;
      for (const row of rowsOf(example).values()) for (const value of row) sum += value * value;
      return sum;
    },
    addTruncated: (sum, examples) => {
      for (const { example, scale } of examples)
        for (const [word, row] of rowsOf(example))
          row.forEach((value, j) => (sum[word * width + j] = sum[word * width + j]! + Math.trunc(value * scale)));
    },
  };
}
