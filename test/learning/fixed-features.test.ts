import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { Dataset } from "../../learning/examples.ts";
import { featureCount, withFixedFeatures } from "../../learning/fixed-features.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";

const SIDE = 28;
const CELLS = 49;
const ORIENTATIONS = 9;

function image(pixel: (x: number, y: number) => number, shape: readonly number[] = [SIDE, SIDE, 1]): Dataset {
  const [height = 0, width = 0] = shape;
  const features = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
    pixel(i % width, Math.floor(i / width) % height),
  );
  return { features, labels: new Int32Array(1), exampleCount: 1, featureShape: shape, classCount: 10 };
}

/** Sum over all cells of what each orientation got, above the image's least value (which is that of an empty bin). */
function votes(features: Float32Array): number[] {
  const histograms = features.subarray(0, CELLS * ORIENTATIONS);
  const least = Math.min(...histograms);
  return Array.from({ length: ORIENTATIONS }, (_, k) =>
    histograms.reduce((sum, value, i) => sum + (i % ORIENTATIONS === k ? value - least : 0), 0),
  );
}

const texture = (x: number, y: number): number => ((x * 37 + y * 101 + x * y * 7) % 256) / 255;

describe("fixed features", () => {
  it("are 490 for an image of 28 by 28: histograms with mean 0 and norm 1, then mean brightness by cell", () => {
    const { features, featureShape } = withFixedFeatures(image(texture));
    assert.deepEqual([featureCount(SIDE, SIDE), featureShape, features.length], [490, [490], 490]);
    const histograms = features.subarray(0, CELLS * ORIENTATIONS);
    assert.ok(Math.abs(histograms.reduce((a, b) => a + b, 0)) < 1e-4);
    assert.ok(Math.abs(histograms.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-5);
    const white = withFixedFeatures(image(() => 1)).features;
    assert.ok(white.subarray(0, CELLS * ORIENTATIONS).every((value) => value === 0));
    assert.ok(white.subarray(CELLS * ORIENTATIONS).every((value) => Math.abs(value - 0.15) < 1e-7));
  });

  it("are the same bits on every machine", () => {
    const { features } = withFixedFeatures(image(texture));
    assert.equal(
      bytesToHex(sha256(new Uint8Array(features.buffer))),
      "c8224007fe687f4e470b19aa499bbe7b696135166895ea1126655538f32b665d",
    );
  });

  it("tell the direction of an edge, and not its sign", () => {
    const steep = votes(withFixedFeatures(image((x) => (x < 14 ? 0 : 1))).features);
    assert.ok(steep[0]! > 0 && steep.slice(1).every((value) => Math.abs(value) < 1e-6), steep.join());
    const flat = votes(withFixedFeatures(image((_, y) => (y < 14 ? 0 : 1))).features);
    assert.ok(Math.abs(flat[4]! - flat[5]!) < 1e-6 && flat[4]! > 0, flat.join());
    assert.ok(
      [0, 1, 2, 3, 6, 7, 8].every((k) => Math.abs(flat[k]!) < 1e-6),
      flat.join(),
    );
    const falling = votes(withFixedFeatures(image((x) => (x < 14 ? 1 : 0))).features);
    falling.forEach((value, k) => assert.ok(Math.abs(value - steep[k]!) < 1e-6));
  });

  it("of one image do not depend on the others", () => {
    const [a, b] = [image(texture), image((x) => x / SIDE)];
    const both = {
      ...a,
      exampleCount: 2,
      labels: new Int32Array(2),
      features: Float32Array.of(...a.features, ...b.features),
    };
    assert.deepEqual(
      withFixedFeatures(both).features,
      Float32Array.of(...withFixedFeatures(a).features, ...withFixedFeatures(b).features),
    );
  });

  for (const shape of [[784], [28, 28, 3], [27, 28, 1], [28, 30]]) {
    it(`refuse the shape ${shape.join("×")}`, () =>
      throwsCode(() => withFixedFeatures(image(() => 0, shape)), "DATASET_SPEC_INVALID"));
  }

  describe("in a data specification", () => {
    let folder: string;
    const idx = (shape: readonly number[], values: readonly number[]): Uint8Array =>
      Uint8Array.of(0, 0, 8, shape.length, ...shape.flatMap((side) => [0, 0, 0, side]), ...values);

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "verisum-features-"));
      for (const part of ["train", "t10k"]) {
        await writeFile(
          join(folder, `${part}-images-idx3-ubyte`),
          idx(
            [2, 4, 8],
            Array.from({ length: 64 }, (_, i) => (i * 29) % 256),
          ),
        );
        await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx([2], [0, 1]));
      }
    });
    after(() => rm(folder, { recursive: true }));

    it("stand in place of the pixels", async () => {
      const pixels = await loadDataset(`${folder}?mean=0&deviation=1`);
      const { train, test } = await loadDataset(`${folder}?features=hog&testSamples=1`);
      assert.deepEqual(train, withFixedFeatures(pixels.train));
      assert.deepEqual([train.featureShape, train.exampleCount, test.exampleCount], [[20], 2, 1]);
    });

    it("are refused by another name, with another scaling, and for data that is not images", async () => {
      for (const spec of [`${folder}?features=sift`, `${folder}?features=hog&mean=0.5`, "digits?features=hog"])
        await rejectsCode(loadDataset(spec), "DATASET_SPEC_INVALID");
    });
  });
});
