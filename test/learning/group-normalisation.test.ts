import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { after, describe, it } from "mocha";
import { selectBackend } from "../../learning/backend.ts";
import { buildLayer } from "../../learning/layers/registry.ts";
import { scoped } from "../../learning/tensorflow.ts";

/** Of one image of pixels with a value for each channel: by the paper's definition, in doubles. */
function normalised(image: readonly number[][], groups: number, epsilon: number): number[] {
  const channels = image[0]!.length;
  const groupOf = (channel: number): number => Math.floor((channel * groups) / channels);
  return image.flatMap((pixel) =>
    pixel.map((value, channel) => {
      const peers = image.flatMap((other) => other.filter((_, k) => groupOf(k) === groupOf(channel)));
      const mean = peers.reduce((sum, x) => sum + x, 0) / peers.length;
      const variance = peers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / peers.length;
      return (value - mean) / Math.sqrt(variance + epsilon);
    }),
  );
}

describe("group normalisation", () => {
  after(() => selectBackend("wasm"));

  const images = [
    [
      [1, 2, 4, -3],
      [0.5, 9, 100, 0],
      [3, 3, -1, 7],
    ],
    [
      [1000, 1001, 7, 7],
      [1002, 1003, 7, 7],
      [1004, 1005, 7, 7],
    ],
  ];
  const gain = [1, 2, -1, 0.5];
  const bias = [0, 1, -2, 0.25];

  for (const backend of ["wasm", "cpu"] as const) {
    for (const groups of [1, 2, 4]) {
      it(`in ${groups} is what the paper defines, for each example alone, on ${backend}`, async () => {
        await selectBackend(backend);
        const layer = buildLayer({ kind: "groupNormalisation", groups, epsilon: 0.01 }, [1, 3, 4]);
        const output = scoped(tf, () =>
          layer.forward(tf, [tf.tensor1d(gain), tf.tensor1d(bias)], tf.tensor(images.flat(2), [2, 1, 3, 4])).dataSync(),
        );
        const expected = images.flatMap((image) =>
          normalised(image, groups, 0.01).map((x, i) => x * gain[i % 4]! + bias[i % 4]!),
        );
        assert.equal(output.length, expected.length);
        expected.forEach((value, i) => assert.ok(Math.abs(output[i]! - value) < 1e-4, `${i}: ${output[i]}, ${value}`));
      });
    }
  }

  it("begins as normalisation alone", () => {
    const weights = new Float32Array(8);
    buildLayer({ kind: "groupNormalisation", groups: 2 }, [3, 3, 4]).initial(weights, undefined as never);
    assert.deepEqual([...weights], [1, 1, 1, 1, 0, 0, 0, 0]);
  });
});
