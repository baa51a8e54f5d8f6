/** Tables whose label is a number to predict: how it is asked for, read, split, scaled, shown and refused. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { openTraining } from "../../client/trainers/training.ts";
import { reportText } from "../../client/data-report.ts";
import { runFederation } from "../../demo/federation.ts";
import { loadDataset, resolveData } from "../../learning/dataset.ts";
import { inspectData } from "../../learning/inspect.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { proposeSchema } from "../../learning/tables/propose-schema.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import { scaledBy } from "../../operator/scale-by-statistics.ts";
import { initialState } from "../../protocol/next-model.ts";
import { assertRunnable, parseSpecification } from "../../task/create-task.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { rows, u } from "../support/found.ts";
import { csprng } from "../support/round-harness.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

/** Days in a ward: two for each year above forty, three more with fever. */
const stay = (i: number): number => 2 * (20 * u(i)) + 3 * (i % 2) + 40;
const STAYS = `age,fever,days\n${rows(200, (i) => `${40 + 20 * u(i)},${i % 2},${stay(i)}`)}\n`;
const SCHEMA = {
  label: "days",
  target: { mean: 60, stdDev: 12 },
  columns: [
    { name: "age", type: "number" },
    { name: "fever", type: "number" },
  ],
  scaling: { age: { mean: 50, stdDev: 6 } },
};
const TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    model: { kind: "mlp", inputShape: [2], hidden: [], head: { kind: "regression" } },
    data: SCHEMA,
    quantisation: { stepBits: 6, clipSteps: 150 },
  },
  maxRounds: 8,
};

describe("a table whose label is a number to predict", () => {
  let folder: Folder;
  let path: string;
  before(async () => {
    folder = await temporaryFolder();
    path = await folder.file("stays.csv", STAYS);
  });
  after(() => folder.remove());

  it("has targets in place of classes, scaled by the task, and a seeded fifth for testing", async () => {
    const plain = await loadDataset(`${path}?label=days&target=number`);
    assert.deepEqual([plain.train.exampleCount, plain.test.exampleCount, plain.train.classCount], [160, 40, 0]);
    assert.equal(plain.split, "seed, 20 % of the examples for testing");
    const scaled = await loadDataset(path, tableSchema.parse(SCHEMA));
    assert.deepEqual(scaled.train.targetScaling, { mean: 60, stdDev: 12 });
    scaled.train.targets!.forEach((target, i) =>
      assert.ok(Math.abs(60 + 12 * target - plain.train.targets![i]!) < 1e-4, `${i}`),
    );
    const other = await loadDataset(`${path}?label=days&target=number&splitSeed=2`);
    assert.notDeepEqual(other.test.targets, plain.test.targets);
  });

  it("keeps each target with its row, through shards, limits, groups and a test file", async () => {
    const follows = ({ features, targets }: Awaited<ReturnType<typeof loadDataset>>["train"]): void =>
      targets!.forEach((target, i) => {
        const [age, fever] = features.subarray(2 * i, 2 * i + 2) as unknown as [number, number];
        assert.ok(Math.abs(2 * (age - 40) + 3 * fever + 40 - target) < 1e-3);
      });
    const spec = `${path}?label=days&target=number`;
    for (const options of [
      "client=1&clients=3&seed=1",
      "client=1&clients=2&seed=1&partition=size&sizes=3,1&samples=30",
      "test=0.4",
    ]) {
      const { train, test } = await loadDataset(`${spec}&${options}`);
      follows(train);
      follows(test);
    }
    const train = await folder.file("both/train.csv", STAYS);
    await folder.file("both/test.csv", STAYS.split("\n").slice(0, 30).join("\n"));
    const both = await loadDataset(`${train.slice(0, -"/train.csv".length)}?label=days&target=number`);
    follows(both.test);
    assert.deepEqual([both.train.exampleCount, both.test.exampleCount], [200, 29]);
    const grouped = await folder.file("grouped.csv", `site,x,y\n${rows(60, (i) => `s${i % 6},${u(i)},${u(i + 1)}`)}\n`);
    const split = await loadDataset(`${grouped}?label=y&target=number&group=site`);
    assert.equal(split.train.exampleCount % 10, 0);
    assert.ok(split.test.exampleCount > 0);
  });

  for (const [what, text, options, code, details] of [
    ["a word", "x,y\n1,2\n2,tall\n3,4\n", "", "DATASET_LABEL_INVALID", { row: 3, column: "y", value: "tall" }],
    ["no value", "x,y\n1,2\n2,NA\n3,4\n", "", "DATASET_VALUE_MISSING", { row: 3, column: "y" }],
    ["a value out of range", "x,y\n1,2\n2,1e300\n3,4\n", "", "DATASET_LABEL_INVALID", { row: 3 }],
    ["classes beside it", STAYS, "&classes=3", "DATASET_SPEC_INVALID"],
    ["windows", STAYS, "&window=2", "DATASET_SPEC_INVALID"],
    ["another word for it", STAYS, "&target=yes", "DATASET_SPEC_INVALID"],
    ["shards by class", STAYS, "&client=0&clients=2&seed=1&alpha=1", "DATASET_SPEC_INVALID"],
    [
      "shards of few classes",
      STAYS,
      "&client=0&clients=2&seed=1&partition=pathological&classesEach=1",
      "DATASET_SPEC_INVALID",
    ],
  ] as readonly (readonly [string, string, string, ErrorCode, ErrorDetails?])[])
    it(`is refused with ${what}`, async () => {
      const file = await folder.file("refused.csv", text);
      await rejectsCode(loadDataset(`${file}?label=last&target=number${options}`), code, details);
    });

  it("leaves rows without a target out where that is asked", async () => {
    const file = await folder.file("gaps.csv", "x,y\n1,2\n2,\n3,4\n4,7\n");
    const { train, test } = await loadDataset(`${file}?label=y&target=number&missing=drop-row`);
    assert.equal(train.exampleCount + test.exampleCount, 3);
  });

  it("is described with either classes or a target, and held to the model's head", () => {
    const { target: _, ...without } = SCHEMA;
    for (const wrong of [without, { ...SCHEMA, classes: ["a", "b"] }, { ...SCHEMA, window: { length: 2, step: 1 } }])
      assert.equal(tableSchema.safeParse(wrong).success, false);
    assertRunnable(parseSpecification(TASK));
    const model = { kind: "mlp", inputShape: [2], hidden: [], classCount: 2 };
    throwsCode(
      () => assertRunnable(parseSpecification({ ...TASK, document: { ...TASK.document, model } })),
      "TASK_SPECIFICATION_INVALID",
    );
  });

  it("is proposed with its own constants, and takes those of federated statistics", async () => {
    const { source, format, options } = await resolveData(`${path}?label=days&target=number`);
    const { schema, notes } = await proposeSchema(await format.open!(source, options));
    const all = Array.from({ length: 200 }, (_, i) => stay(i));
    const mean = all.reduce((sum, value) => sum + value, 0) / 200;
    const stdDev = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 200);
    const digits = (value: number): number => Number(value.toPrecision(3));
    assert.deepEqual([schema.classes, schema.target], [undefined, { mean: digits(mean), stdDev: digits(stdDev) }]);
    assert.ok(notes.some(({ event }) => event === "scaling-public"));
    const words = await folder.file("words.csv", "x,y\n1,a\n2,b\n");
    const asked = await resolveData(`${words}?label=y&target=number`);
    await rejectsCode(asked.format.open!(asked.source, asked.options).then(proposeSchema), "DATASET_LABEL_INVALID", {
      row: 2,
    });
    const statistics = await folder.file(
      "statistics.json",
      JSON.stringify({ clients: 3, columns: [{ name: "days", mean: 61.24, stdDev: 11.49 }] }),
    );
    const found = (target: object): Promise<unknown> =>
      scaledBy(statistics, { document: { data: { ...SCHEMA, target } } }, createRecorder());
    assert.deepEqual(await found({}), {
      document: { data: { ...SCHEMA, target: { mean: 61.2, stdDev: 11.5 } } },
    });
    await rejectsCode(found({ mean: 1 }), "STATISTICS_UNFIT");
  });

  it("is shown with its range and the error of always answering the mean", async () => {
    const { report, refusal } = await inspectData(`${path}?label=days&target=number`);
    assert.equal(refusal, undefined);
    const { target } = report.examples!;
    const all = Array.from({ length: 200 }, (_, i) => stay(i));
    assert.ok(Math.abs(target!.least - Math.min(...all)) < 1e-4 && Math.abs(target!.most - Math.max(...all)) < 1e-4);
    assert.ok(target!.baselineError > 8 && target!.baselineError < 15);
    const text = reportText(report);
    assert.match(text, /numbers to predict, 40 to .*\nalways answering the mean of the test data has a root mean/);
    const events = report.notes.map(({ event }) => event);
    assert.ok(events.includes("target-unscaled") && !events.includes("one-class"), events.join());
    const fits = async (model: unknown): Promise<boolean> =>
      (await inspectData(path, { model, schema: tableSchema.parse(SCHEMA) })).report.task!.fits;
    assert.equal(await fits(TASK.document.model), true);
    assert.equal(await fits({ kind: "mlp", inputShape: [2], hidden: [], classCount: 2 }), false);
  });

  it("warns of a column that is the target or a line of it, and of targets that are all alike", async () => {
    const leak = await folder.file(
      "leak.csv",
      `x,twice,y\n${rows(60, (i) => `${u(i)},${2 * u(i + 1) - 1},${u(i + 1)}`)}\n`,
    );
    const { notes } = await loadDataset(`${leak}?label=y&target=number`);
    assert.deepEqual(
      notes!.filter(({ event }) => event === "column-leaks-label").map(({ column }) => column),
      ["twice"],
    );
    const flat = await folder.file("flat.csv", `x,y\n${rows(30, (i) => `${u(i)},5`)}\n`);
    const same = await loadDataset(`${flat}?label=y&target=number`);
    assert.ok(same.notes!.some(({ event }) => event === "target-constant"));
  });

  it("is learnt by three clients, better than by always answering the mean", async () => {
    const task = parseSpecification(TASK);
    const trainer = await createTrainer(task.document.model);
    const schema = tableSchema.parse(SCHEMA);
    const loaded = await Promise.all(
      [0, 1, 2].map((client) => loadDataset(`${path}?client=${client}&clients=3&seed=1`, schema)),
    );
    const results = await runFederation(task, task.maxRounds, {
      trainer,
      shards: loaded.map(({ train }) => train),
      test: loaded[0]!.test,
      random: csprng,
      onRound: () => undefined,
    });
    const last = results.at(-1)!.evaluation;
    assert.ok("rootMeanSquaredError" in last);
    assert.ok(last.rootMeanSquaredError < last.baselineError / 4 && last.r2! > 0.9, JSON.stringify(last));
  });

  it("has its client told once that three models in a row are no better than the mean", async () => {
    const noise = await folder.file(
      "noise.csv",
      `age,fever,days\n${rows(120, (i) => `${40 + 20 * u(i)},${i % 2},${50 + 20 * u(7 * i + 3)}`)}\n`,
    );
    const { document } = parseSpecification(TASK);
    const data = await loadDataset(noise, tableSchema.parse(SCHEMA));
    const reporter = createRecorder();
    const tensors = (await createTrainer(document.model)).parameterShapes;
    const { measure } = await openTraining(
      { data },
      {
        task: { document, tensors } as unknown as OpenTask,
        reporter,
        random: csprng,
        directory: "",
        signal: new AbortController().signal,
      },
    );
    const away = initialState(Float32Array.of(0, 0, 5), document.server);
    for (const round of [1n, 2n, 3n, 4n]) await measure!(round, away);
    assert.deepEqual(
      reporter.facts("learns-nothing").map(({ round }) => round),
      [3n],
    );
    const [said] = reporter.events.filter(({ event }) => event === "accuracy");
    assert.match(said!.text, /root mean squared error .* \(always the mean .*, R² -/);
  });
});
