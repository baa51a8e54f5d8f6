import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { Dataset } from "../../learning/examples.ts";
import { withHaarFeatures } from "../../learning/series/haar.ts";
import { inputWidthOf, tableSchema } from "../../learning/tables/schema.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { temporaryFolder } from "../support/tables.ts";

/** One window of one channel for each function of time. */
function windows(steps: number, ...channels: ((t: number) => number)[]): Dataset {
  const features = Float32Array.from({ length: steps * channels.length }, (_, i) =>
    channels[i % channels.length]!(Math.floor(i / channels.length)),
  );
  return {
    features,
    labels: new Int32Array(1),
    exampleCount: 1,
    featureShape: [steps, 1, channels.length],
    classCount: 2,
  };
}

const rounded = ({ features }: Dataset): number[] => [...features].map((value) => Number(value.toFixed(6)));

describe("features of windows", () => {
  it("are mean, spread, and changes over 2, 4, 8, 16 and 32 steps of each channel", () => {
    const found = withHaarFeatures(
      windows(
        64,
        () => -4,
        (t) => (t % 2 === 0 ? 4 : -4),
        (t) => (t % 16 < 8 ? 1 : -1),
        (t) => (t % 64 < 32 ? 9 : -9),
      ),
    );
    assert.deepEqual(found.featureShape, [28]);
    assert.deepEqual(rounded(found), [
      ...[-2, 0, 0, 0, 0, 0, 0],
      ...[0, 2, 2, 0, 0, 0, 0],
      ...[0, 1, 0, 0, 0, 1, 0],
      // A change over 64 steps is in the spread alone.
      ...[0, 3, 0, 0, 0, 0, 0],
    ]);
  });

  it("are as many for windows of any length, and the same bits on every machine", () => {
    const wave = (t: number): number => ((t * 37 + t * t * 5) % 101) / 7 - 6;
    const { features } = withHaarFeatures(windows(100, wave, (t) => wave(t + 3)));
    assert.equal(features.length, withHaarFeatures(windows(128, wave, wave)).features.length);
    assert.equal(
      bytesToHex(sha256(new Uint8Array(features.buffer))),
      "40f3293f993f2c56df2d8f773e512d45f7271be9184b4526183a03702dfc00c8",
    );
  });

  it("are refused of short windows, and of what is no window", async () => {
    throwsCode(() => withHaarFeatures(windows(31, () => 0)), "DATASET_SPEC_INVALID");
    await rejectsCode(loadDataset("digits?features=haar"), "DATASET_SPEC_INVALID");
    await rejectsCode(loadDataset("activity?features=hog"), "DATASET_SPEC_INVALID");
  });
});

describe("the built-in sensor set", () => {
  it("is the same each time: eight wearers, four others for testing, four activities", async () => {
    const { train, test } = await loadDataset("activity");
    assert.deepEqual([train.exampleCount, test.exampleCount, train.featureShape], [320, 160, [100, 1, 6]]);
    assert.deepEqual(train.classNames, ["standing", "walking", "running", "waving"]);
    assert.deepEqual((await loadDataset("activity")).train, train);
  });

  it("deals whole wearers", async () => {
    const { train } = await loadDataset("activity?partition=group&clients=8&client=0&seed=1");
    assert.equal(train.exampleCount, 40);
    const counts = [0, 0, 0, 0];
    for (const label of train.labels) counts[label]!++;
    assert.deepEqual(counts, [10, 10, 10, 10]);
  });

  it("of a task's tables are what its document says, of scaled columns in its order, and no option of the client", async () => {
    const folder = await temporaryFolder();
    try {
      const rows = [0, 1, 2, 3].flatMap((group) =>
        Array.from({ length: 64 }, (_, t) => `g${group},${t % 2 === 0 ? 14 : 6},${2 * group},${group % 2}`),
      );
      const path = await folder.file("stream.csv", `person,wave,level,label\n${rows.join("\n")}\n`);
      const written = {
        label: "label",
        classes: ["0", "1"],
        columns: [
          { name: "level", type: "number" },
          { name: "wave", type: "number" },
        ],
        scaling: { wave: { mean: 10, stdDev: 1 } },
        window: { length: 32, step: 32 },
        features: "haar",
      };
      const schema = tableSchema.parse(written);
      const { train } = await loadDataset(`${path}?group=person`, schema);
      assert.deepEqual([train.featureShape, inputWidthOf(schema)], [[14], 14]);
      const level = train.features[0]! ** 2;
      assert.ok([0, 2, 4, 6].some((value) => Math.abs(value - level) < 1e-6));
      // A wave of ±4 around its mean, after scaling.
      assert.deepEqual(rounded({ ...train, features: train.features.subarray(7, 14) }), [0, 2, 2, 0, 0, 0, 0]);
      await rejectsCode(loadDataset(`${path}?group=person&features=haar`, schema), "DATASET_SPEC_INVALID");
      const { features: _, ...plain } = written;
      const whole = await loadDataset(`${path}?group=person`, tableSchema.parse(plain));
      assert.deepEqual(whole.train.featureShape, [32, 1, 2]);
      await rejectsCode(
        loadDataset(`${path}?group=person&features=haar`, tableSchema.parse(plain)),
        "DATASET_SPEC_INVALID",
      );
      for (const window of [undefined, { length: 31, step: 1 }])
        assert.equal(tableSchema.safeParse({ ...written, window }).success, false);
    } finally {
      await folder.remove();
    }
  });
});
