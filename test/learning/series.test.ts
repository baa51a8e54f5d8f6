import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { gatherExamples, selectExamples } from "../../learning/examples.ts";
import type { Dataset, LoadedData } from "../../learning/examples.ts";
import { withHaarFeatures } from "../../learning/series/haar.ts";
import { windowsOf } from "../../learning/series/windows.ts";
import type { Recording } from "../../learning/series/windows.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import { writeActivityFolder } from "../support/activity-folder.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { checkAsync } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const SHARED = join(import.meta.dirname, "../../../shared/data/basic-motions");

/** One channel whose value is its row's number. */
const recording = (labels: readonly number[], series: Recording["series"]): Recording => ({
  values: Float32Array.from(labels, (_, i) => i),
  channels: 1,
  labels: Int32Array.from(labels),
  classCount: 2,
  series,
});

/** With the values of each example of its own. */
function whole(data: Dataset): Dataset {
  return gatherExamples(
    data,
    Array.from({ length: data.exampleCount }, (_, i) => i),
  );
}

async function gathered(spec: string): Promise<LoadedData> {
  const loaded = await loadDataset(spec);
  return { ...loaded, train: whole(loaded.train), test: whole(loaded.test) };
}

describe("windows", () => {
  it("are cut at their step, never across series, and never where the label changes", () => {
    const windows = windowsOf(
      recording(
        [0, 0, 0, 0, 1, 1, 1, 0],
        [
          { from: 0, until: 7, group: "a" },
          { from: 7, until: 8, group: "b" },
        ],
      ),
      { length: 3, step: 1 },
    );
    const { features, labels, featureShape } = whole(windows.select([0, 1, 2]));
    assert.deepEqual([...features], [0, 1, 2, 1, 2, 3, 4, 5, 6]);
    assert.deepEqual(
      [[...labels], featureShape],
      [
        [0, 0, 1],
        [3, 1, 1],
      ],
    );
    assert.deepEqual([windows.exampleCount, windows.mixed, windows.short], [3, 2, 1]);
    assert.deepEqual(windows.groups, ["a", "a", "a"]);
  });

  it("share the recording's values, also where they are selected again, and train, predict and describe as copies do", async () => {
    const rows = 400;
    const values = Float32Array.from({ length: rows }, (_, i) => Math.sin(i * (i < 200 ? 0.2 : 0.9)));
    const made = {
      ...recording(
        Array.from({ length: rows }, (_, i) => (i < 200 ? 0 : 1)),
        [{ from: 0, until: rows, group: "a" }],
      ),
      values,
    };
    const windows = windowsOf(made, { length: 32, step: 2 });
    const all = windows.select(Array.from({ length: windows.exampleCount }, (_, i) => i));
    const some = selectExamples(all, [3, 100, 5]);
    for (const data of [all, some]) assert.equal(data.features.buffer, values.buffer);
    const copy = whole(all);
    assert.equal(copy.features.length, 32 * all.exampleCount);
    assert.deepEqual([...whole(some).features.subarray(32, 64)], [...copy.features.subarray(3200, 3232)]);
    assert.deepEqual(withHaarFeatures(all), withHaarFeatures(copy));
    const trainer = await createTrainer({ kind: "mlp", inputShape: [32], hidden: [], classCount: 2 });
    const start = trainer.initialWeights(1);
    const options = { learningRate: 0.1, momentum: 0, batchSize: 16, localEpochs: 1, seed: 1 };
    const { weights } = await trainer.train(start, all, options);
    assert.deepEqual(weights, (await trainer.train(start, copy, options)).weights);
    assert.deepEqual(await trainer.evaluate(weights, all), await trainer.evaluate(weights, copy));
    assert.deepEqual(await trainer.predict(weights, all), await trainer.predict(weights, copy));
    const privacy = { clipNorm: 1, noiseMultiplier: 1, samplingRate: 0.1, steps: 3 };
    const noisy = async (data: Dataset): Promise<Float32Array> =>
      (await trainer.train(start, data, { ...options, privacy: { ...privacy, random: seededRandom("windows") } }))
        .weights;
    assert.deepEqual(await noisy(all), await noisy(copy));
    await rejectsCode(
      trainer.evaluate(weights, { ...all, starts: all.starts!.map((at) => at + 1) }),
      "DATASET_MODEL_MISMATCH",
    );
  });

  it("are refused if there is none", () => {
    const series = [{ from: 0, until: 2, group: "a" }];
    throwsCode(() => windowsOf(recording([0, 0], series), { length: 3, step: 1 }), "DATASET_EMPTY");
    throwsCode(() => windowsOf(recording([0, 1], series), { length: 2, step: 1 }), "DATASET_EMPTY", { mixed: 1 });
  });
});

describe("data in series", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  describe("a table of sensor values", () => {
    /** Ten subjects of twenty rows; the label changes in the middle of each. */
    const stream = (subjects = 10, change = (line: string, _row: number): string => line): string =>
      [
        "subject,t,x,y,label",
        ...Array.from({ length: subjects * 20 }, (_, i) =>
          change(`s${Math.floor(i / 20)},${i % 20},${i},${-i},${i % 20 < 10 ? 0 : 1}`, i),
        ),
      ].join("\n");

    it("becomes windows whose series lie on one side of the split", async () => {
      const path = await folder.file("stream.csv", stream());
      const { train, test, notes } = await gathered(`${path}?group=subject&time=t&window=4&step=2`);
      assert.deepEqual(train.featureShape, [4, 1, 2]);
      // Of each half of ten rows four windows, and one across the change.
      assert.equal(train.exampleCount + test.exampleCount, 10 * 8);
      assert.match(notes!.find(({ event }) => event === "windows")!.text, /80 windows; 10 with different labels/);
      const subjectOf = (value: number): number => Math.floor(value / 20);
      const firsts = ({ features, exampleCount }: typeof train): number[] =>
        Array.from({ length: exampleCount }, (_, i) => features[i * 8]!);
      const inTest = new Set(firsts(test).map(subjectOf));
      for (const first of firsts(train)) assert.ok(!inTest.has(subjectOf(first)));
      assert.deepEqual(
        [...train.features.subarray(0, 4)].map(Math.abs),
        [0, 0, 1, 1].map((i) => i + firsts(train)[0]!),
      );
      const half = await gathered(`${path}?group=subject&time=t&window=4&overlap=2`);
      assert.deepEqual(half.train, train);
    });

    it("leaves no row and no group on both sides, however series of a group lie in the file", async () => {
      const shape = fc.record({
        groups: fc.integer({ min: 3, max: 6 }),
        runs: fc.array(fc.record({ group: fc.nat(), rows: fc.integer({ min: 1, max: 30 }) }), {
          minLength: 6,
          maxLength: 20,
        }),
        length: fc.integer({ min: 1, max: 8 }),
        step: fc.integer({ min: 1, max: 8 }),
        seed: fc.nat({ max: 1000 }),
      });
      await checkAsync(
        shape,
        async ({ groups, runs, length, step, seed }) => {
          const groupOf = runs.flatMap(({ group, rows }) => Array<number>(rows).fill(group % groups));
          const long = new Set(runs.filter(({ rows }) => rows >= length).map(({ group }) => group % groups));
          fc.pre(long.size > 1);
          const lines = groupOf.map((group, row) => `g${group},${row},${group % 2}`);
          const path = await folder.file("runs.csv", `person,row,label\n${lines.join("\n")}\n`);
          const spec = `${path}?group=person&window=${length}&step=${step}&splitSeed=${seed}`;
          const { train, test } = await gathered(spec);
          const [inTrain, inTest] = [train, test].map(({ features }) => [...features]) as [number[], number[]];
          const tested = new Set(inTest.map((row) => groupOf[row]));
          assert.ok(inTrain.length > 0 && inTest.length > 0);
          for (const row of inTrain) assert.ok(!tested.has(groupOf[row]), `row ${row} of a group that is tested`);
        },
        60,
      );
    });

    it("gives each client whole series", async () => {
      const path = await folder.file("stream.csv", stream());
      const spec = `${path}?group=subject&drop=t&window=5&test=0.1&partition=group&clients=3&seed=1&client=`;
      const shards = await Promise.all([0, 1, 2].map((client) => gathered(spec + String(client))));
      const subjects = shards.map(
        ({ train }) =>
          new Set(
            Array.from(train.features)
              .filter((_, i) => i % 10 === 0)
              .map((x) => Math.floor(x / 20)),
          ),
      );
      assert.equal(
        subjects.reduce((sum, { size }) => sum + size, 0),
        9,
      );
      assert.equal(new Set(subjects.flatMap((some) => [...some])).size, 9);
    });

    it("with a test file needs no group", async () => {
      const path = await folder.file("parts/train.csv", stream(2));
      await folder.file("parts/test.csv", stream(1));
      const { train, test } = await gathered(
        `${path.slice(0, -10)}?drop=subject&time=t&window=10`.replace("&time=t", ",t"),
      );
      assert.deepEqual([train.exampleCount, test.exampleCount], [4, 2]);
    });

    for (const [what, options, code, details, change] of [
      ["without series", "drop=subject,t&window=4", "DATASET_SPEC_INVALID"],
      ["with rows left out", "group=subject&time=t&window=4&missing=drop-row", "DATASET_SPEC_INVALID"],
      ["with a step alone", "group=subject&time=t&step=4", "DATASET_SPEC_INVALID"],
      ["with a step and an overlap", "group=subject&time=t&window=4&step=4&overlap=1", "DATASET_SPEC_INVALID"],
      ["with an overlap of the whole window", "group=subject&time=t&window=4&overlap=4", "DATASET_SPEC_INVALID"],
      ["with longer windows than series", "group=subject&time=t&window=40", "DATASET_EMPTY"],
      [
        "in another order",
        "group=subject&time=t&window=4",
        "DATASET_MALFORMED",
        { column: "t", value: "3" },
        (line: string, row: number) => (row === 4 ? line.replace(",4,", ",3,") : line),
      ],
    ] as readonly (readonly [string, string, ErrorCode, ErrorDetails?, ((line: string, row: number) => string)?])[])
      it(`is refused ${what}`, async () => {
        const path = await folder.file("refused.csv", stream(10, change));
        await rejectsCode(loadDataset(`${path}?${options}`), code, details);
      });
  });

  describe("a file of a time-series archive", () => {
    const HEADER =
      "# made by hand\n@problemName steps\n@timeStamps false\n@univariate false\n@dimensions 2\n@classLabel true up down\n";
    const ROWS = Array.from({ length: 10 }, (_, i) => `${i},1,2,3:${-i},0,0,5e-1:${i % 2 === 0 ? "up" : "down"}`);
    const file = (rows: readonly string[], header = HEADER, name = "steps.ts"): Promise<string> =>
      folder.file(name, `${header}@data\n${rows.join("\n")}\n`);

    it("has series of channels, classes in its own order, and is split by class", async () => {
      const { train, test } = await gathered(await file(ROWS));
      assert.deepEqual([train.exampleCount, test.exampleCount, train.featureShape], [8, 2, [4, 1, 2]]);
      assert.deepEqual([train.classNames, test.labels.toSorted()], [["up", "down"], Int32Array.of(0, 1)]);
      assert.deepEqual([...train.features.subarray(2, 8)], [1, 0, 2, 0, 3, 0.5]);
      const scaled = await gathered(`${await file(ROWS)}?classes=down,up&mean=0,1&deviation=2,1`);
      assert.deepEqual([...scaled.train.features.subarray(2, 8)], [0.5, -1, 1, -1, 1.5, -0.5]);
      assert.deepEqual(scaled.train.classNames, ["down", "up"]);
    });

    it("is cut into windows that stay with their series", async () => {
      const { train, test } = await gathered(`${await file(ROWS)}?window=2`);
      assert.deepEqual([train.exampleCount, test.exampleCount, train.featureShape], [16, 4, [2, 1, 2]]);
      // A series begins with its number and that negated; what follows is the same in all.
      const whole = Array.from({ length: 8 }, (_, i) => train.features.subarray(i * 8, i * 8 + 8));
      for (const series of whole) assert.deepEqual([...series.subarray(2)], [1, 0, 2, 0, 3, 0.5]);
    });

    it("has its parts in one folder", async () => {
      const path = await file(ROWS, HEADER, "archive/steps_TRAIN.ts");
      await file(ROWS.slice(0, 4), HEADER, "archive/steps_TEST.ts");
      const { train, test } = await gathered(path.slice(0, path.lastIndexOf("/")));
      assert.deepEqual([train.exampleCount, test.exampleCount], [10, 4]);
    });

    for (const [what, rows, code, details, header] of [
      ["a missing value", ["1,2:3,?:up"], "DATASET_VALUE_MISSING", { row: 8, column: "2", value: "?" }],
      ["a word", ["1,2:3,high:up"], "DATASET_VALUE_INVALID", { row: 8, column: "2", value: "high" }],
      ["an unknown class", ["1,2:3,4:left"], "DATASET_LABEL_INVALID", { row: 8, value: "left" }],
      ["dimensions of two lengths", ["1,2:3:up"], "DATASET_MALFORMED", { row: 8, column: "2" }],
      ["a dimension too many", ["1:2:3:up"], "DATASET_MALFORMED", { row: 8 }],
      ["series of two lengths", ["1,2:3,4:up", "1:3:up"], "DATASET_MALFORMED", { series: 2 }],
      ["no series", [], "DATASET_EMPTY"],
      ["times", ["(0,1),(1,2):(0,3):up"], "DATASET_MALFORMED", { row: 8 }],
      ["times by its tag", ROWS, "DATASET_MALFORMED", {}, HEADER.replace("Stamps false", "Stamps true")],
      ["no classes", ROWS, "DATASET_CLASSES_UNSTATED", {}, HEADER.replace("true up down", "false")],
      ["one class", ROWS, "DATASET_CLASSES_UNSTATED", {}, HEADER.replace(" down", "")],
      ["measured values", ROWS, "DATASET_LABEL_INVALID", {}, `${HEADER}@targetLabel true\n`],
      ["another length than it says", ROWS, "DATASET_MALFORMED", { row: 9 }, `${HEADER}@seriesLength 5\n`],
      ["a row above its data", ROWS, "DATASET_MALFORMED", { row: 7 }, `${HEADER}1,2:3,4:up\n`],
    ] as readonly (readonly [string, readonly string[], ErrorCode, ErrorDetails?, string?])[])
      it(`is refused with ${what}`, async () => {
        await rejectsCode(loadDataset(await file(rows, header, "refused.ts")), code, details);
      });

    it("of smart watches is read (the shared set)", async function () {
      if (!existsSync(SHARED)) this.skip();
      const { train, test } = await loadDataset(SHARED);
      assert.deepEqual([train.exampleCount, test.exampleCount, train.featureShape], [40, 40, [100, 1, 6]]);
      assert.deepEqual(train.classNames, ["Standing", "Running", "Walking", "Badminton"]);
      assert.ok(Math.abs(train.features[0]! - 0.079106) < 1e-7);
    });
  });

  describe("a folder of a human-activity set", () => {
    const set = { trainSubjects: [1, 2, 5], testSubjects: [3], windows: 6, length: 8, seed: 1 };

    it("has windows of channels, named activities, and subjects", async () => {
      const path = await writeActivityFolder(folder, "har", set);
      const { train, test, split } = await loadDataset(path);
      assert.deepEqual([train.exampleCount, test.exampleCount, train.featureShape], [54, 18, [8, 1, 3]]);
      assert.deepEqual(train.classNames, ["STILL", "WALKING", "SHAKING"]);
      assert.equal(split, "a test folder, of other subjects");
      const one = await loadDataset(`${path}?keep=gyro_x&mean=1&deviation=2`);
      assert.equal(one.train.features[1], Math.fround((train.features[5]! - 1) / 2));
      const features = await loadDataset(`${path}?inputs=features`);
      assert.deepEqual(
        [features.train.featureShape, ...features.train.features.subarray(0, 2)],
        [[2], 0, Math.fround(0.1)],
      );
    });

    it("deals whole subjects to clients", async () => {
      const path = await writeActivityFolder(folder, "har", set);
      const spec = `${path}?inputs=features&partition=group&clients=3&seed=1&client=`;
      const shards = await Promise.all([0, 1, 2].map((client) => loadDataset(spec + String(client))));
      const subjects = shards.map(({ train }) => new Set(train.features.filter((_, i) => i % 2 === 1)));
      assert.deepEqual(
        subjects.map(({ size }) => size),
        [1, 1, 1],
      );
      assert.equal(new Set(subjects.flatMap((some) => [...some])).size, 3);
    });

    for (const [what, file, content, code, details] of [
      ["an unknown activity", "train/y_train.txt", "7\n", "DATASET_LABEL_INVALID", { row: 1, value: "7" }],
      ["too few activities", "train/y_train.txt", "1\n2\n", "DATASET_MALFORMED", {}],
      ["a shorter row", "train/Inertial Signals/acc_x_train.txt", "1 2 3\n1 2\n", "DATASET_MALFORMED", { row: 2 }],
      ["a word", "test/Inertial Signals/acc_x_test.txt", "1 ?\n", "DATASET_VALUE_INVALID", { row: 1, column: "2" }],
      ["a subject in both parts", "test/subject_test.txt", "5\n".repeat(18), "DATASET_MALFORMED", { subject: "5" }],
      ["activities without names", "activity_labels.txt", "1\n2\n", "DATASET_MALFORMED", { row: 1 }],
      ["an activity twice", "activity_labels.txt", "1 A\n1 B\n3 C\n", "DATASET_MALFORMED", {}],
      ["a file of blank lines", "train/Inertial Signals/acc_x_train.txt", "\n \n", "DATASET_EMPTY", {}],
      ["an empty file", "train/subject_train.txt", "", "DATASET_EMPTY", {}],
    ] as readonly (readonly [string, string, string, ErrorCode, ErrorDetails])[])
      it(`is refused with ${what}`, async () => {
        const name = `refused-${what.replaceAll(" ", "-")}`;
        const path = await writeActivityFolder(folder, name, set);
        await folder.file(`${name}/${file}`, content);
        await rejectsCode(loadDataset(path), code, details);
      });

    it("is refused without a channel that is asked for, and without a part", async () => {
      const path = await writeActivityFolder(folder, "har", set);
      await rejectsCode(loadDataset(`${path}?keep=acc_w`), "DATASET_COLUMN_ABSENT", { column: "acc_w" });
      const label = await folder.file("bare/activity_labels.txt", "1 A\n2 B\n");
      await rejectsCode(loadDataset(label.slice(0, label.lastIndexOf("/"))), "DATASET_NOT_FOUND");
    });
  });
});
