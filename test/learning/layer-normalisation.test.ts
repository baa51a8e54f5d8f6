import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { after, describe, it } from "mocha";
import { selectBackend } from "../../learning/backend.ts";
import { buildLayer } from "../../learning/layers/registry.ts";
import { scoped } from "../../learning/tensorflow.ts";

/** By the paper's definition, in doubles. */
function normalised(values: readonly number[], epsilon: number): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}

describe("layer normalisation", () => {
  after(() => selectBackend("wasm"));

  const examples = [
    [1, 2, 4, -3, 0.5, 9],
    [1000, 1001, 1002, 1003, 1004, 1005],
    [7, 7, 7, 7, 7, 7],
  ];
  const gain = [1, 2, 3, -1, 0, 0.5];
  const bias = [0, 1, 0, -2, 5, 0.25];

  for (const backend of ["wasm", "cpu"] as const) {
    it(`is what the paper defines, for each example alone, on ${backend}`, async () => {
      await selectBackend(backend);
      const layer = buildLayer({ kind: "layerNormalisation", epsilon: 0.01 }, [1, 3, 2]);
      const output = scoped(tf, () =>
        layer
          .forward(
            tf,
            [gain, bias].map((values) => tf.tensor(values, [1, 3, 2])),
            tf.tensor(examples.flat(), [3, 1, 3, 2]),
          )
          .dataSync(),
      );
      const expected = examples.flatMap((values) => normalised(values, 0.01).map((x, i) => x * gain[i]! + bias[i]!));
      expected.forEach((value, i) => assert.ok(Math.abs(output[i]! - value) < 1e-4, `${i}: ${output[i]}, ${value}`));
    });
  }

  it("begins as normalisation alone", () => {
    const weights = new Float32Array(8);
    buildLayer({ kind: "layerNormalisation" }, [4]).initial(weights, undefined as never);
    assert.deepEqual([...weights], [1, 1, 1, 1, 0, 0, 0, 0]);
  });
});
