/** What a task says of data that is no table, and what becomes of data that says something else. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadDataset } from "../../learning/dataset.ts";
import { preprocessingSchema } from "../../learning/preprocessing.ts";
import type { Preprocessing } from "../../learning/preprocessing.ts";
import { readFile } from "node:fs/promises";
import { rejectsCode } from "../support/errors.ts";

const CLASSES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const DIGITS: Preprocessing = { divisor: 16, mean: 0.305, stdDev: 0.376, classes: CLASSES };
const invalid = (spec: string, rules: Preprocessing): Promise<void> =>
  rejectsCode(loadDataset(spec, rules), "DATASET_SPEC_INVALID");

describe("preprocessing that a task states", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-preprocessing-"));
    const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102, 0, 0, 255, 0, 0, 51);
    const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 5, 0, 1, 0, 1, 1);
    await writeFile(join(folder, "a-images-idx3-ubyte"), images);
    await writeFile(join(folder, "a-labels-idx1-ubyte"), labels);
  });
  after(() => rm(folder, { recursive: true }));

  it("scales as it says, and names the classes", async () => {
    const path = join(folder, "a-images-idx3-ubyte");
    const rules = { divisor: 255, mean: [0.5, 0], stdDev: [2, 1], classes: ["no", "yes", "maybe"] };
    const { train, test } = await loadDataset(path, rules);
    const values = [...train.features, ...test.features].sort();
    const raw = [0, 255, 51, 102, 0, 0, 255, 0, 0, 51];
    const expected = raw.map((value, i) => Math.fround(i % 2 === 0 ? (value / 255 - 0.5) / 2 : value / 255));
    assert.deepEqual(values, expected.sort());
    assert.deepEqual([train.classNames, train.classCount, test.classNames], [rules.classes, 3, rules.classes]);
  });

  it("of the built-in digits is what they have without it", async () => {
    const [plain, stated] = [await loadDataset("digits"), await loadDataset("digits", DIGITS)];
    assert.deepEqual(stated.train.features, plain.train.features);
    assert.deepEqual(stated.test.classNames, CLASSES);
  });

  it("refuses data that says something else, is divided by another number, or has other classes", async () => {
    const path = join(folder, "a-images-idx3-ubyte");
    await invalid("digits?mean=0.3", DIGITS);
    await invalid("digits?deviation=1", DIGITS);
    await invalid("digits?features=hog", DIGITS);
    await invalid("digits", { ...DIGITS, divisor: 255 });
    await invalid("digits", { ...DIGITS, mean: 0 });
    await invalid("digits", { ...DIGITS, stdDev: 1 });
    await invalid(`${join(folder, "a-images-idx3-ubyte")}?mean=0.3`, { ...DIGITS, divisor: 255 });
    await invalid("digits", { ...DIGITS, classes: ["a", "b"] });
    await invalid(path, { ...DIGITS, divisor: 16 });
    await invalid("activity", { ...DIGITS, divisor: 1, classes: ["a", "b", "c", "d"] });
  });

  it("computes features where it says so", async () => {
    const rules = { divisor: 16, features: "hog" as const, classes: CLASSES };
    await invalid("digits", rules);
    const classes = [...(await loadDataset("activity")).train.classNames!];
    const { train } = await loadDataset("activity", { divisor: 1, features: "haar", classes });
    assert.deepEqual(train.featureShape, [42]);
  });

  it("is refused where it contradicts itself", () => {
    for (const wrong of [
      { ...DIGITS, divisor: 0 },
      { ...DIGITS, divisor: -1 },
      { ...DIGITS, stdDev: 0 },
      { ...DIGITS, stdDev: 5e-324 },
      { ...DIGITS, divisor: 1e-39 },
      { ...DIGITS, stdDev: undefined },
      { ...DIGITS, features: "hog" },
      { ...DIGITS, classes: ["a", "a"] },
      { ...DIGITS, classes: ["a"] },
      { ...DIGITS, mean: "0.3" },
      { ...DIGITS, other: 1 },
    ])
      assert.equal(preprocessingSchema.safeParse(wrong).success, false, JSON.stringify(wrong));
  });

  it("is stated by every task of the project on pixels", async () => {
    for (const [name, divisor] of [
      ["digits", 16],
      ["digits-private", 16],
      ["digits-cohort", 16],
      ["fashion-cnn", 255],
      ["fashion-pixels", 255],
      ["fashion-private", 255],
      ["fashion-cohort", 255],
    ] as const) {
      const task = JSON.parse(await readFile(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")) as {
        readonly document: { readonly preprocessing: unknown };
      };
      const { classes, ...rest } = preprocessingSchema.parse(task.document.preprocessing);
      assert.deepEqual([rest.divisor, classes.length], [divisor, 10], name);
    }
  });
});
