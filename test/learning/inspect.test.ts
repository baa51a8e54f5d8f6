/** The preview of data, histograms and the proposal of a schema. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { resolveData } from "../../learning/dataset.ts";
import { inspectData } from "../../learning/inspect.ts";
import type { DataReport } from "../../learning/inspect.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { createHistogram } from "../../learning/tables/histogram.ts";
import { proposeSchema } from "../../learning/tables/propose-schema.ts";
import type { SchemaProposal } from "../../learning/tables/propose-schema.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const FOUND = fileURLToPath(new URL("../vectors/tables/", import.meta.url));
const reportOn = async (spec: string): Promise<DataReport> => (await inspectData(join(FOUND, spec))).report;

async function propose(spec: string): Promise<SchemaProposal> {
  const { source, format, options } = await resolveData(spec);
  return proposeSchema(await format.open!(source, options));
}

describe("a histogram of a stream", () => {
  for (const [what, values] of [
    ["one value", [3]],
    ["zeros", [0, 0, 0]],
    ["both signs", [-1, 1, -0.5, 0.25]],
    ["far apart", [1e-9, 1, 1e12]],
    ["the largest numbers", [-1e300, 1e300, 5]],
    [
      "normal values",
      Array.from(
        { length: 2000 },
        (
          (stream) => () =>
            stream.normal()
        )(seededStream("histogram", 1)),
      ),
    ],
  ] as const)
    it(`counts ${what} exactly, in at most sixteen bins without gaps`, () => {
      const histogram = createHistogram();
      values.forEach((value) => histogram.add(value));
      const bins = histogram.bins();
      assert.ok(bins.length <= 16);
      bins.forEach(({ from, to, count }, i) => {
        assert.equal(count, values.filter((value) => value >= from && value < to).length);
        if (i > 0) assert.equal(from, bins[i - 1]!.to);
      });
      assert.equal(
        bins.reduce((sum, { count }) => sum + count, 0),
        values.length,
      );
    });

  it("has no bin without a value", () => assert.deepEqual(createHistogram().bins(), []));
});

describe("the preview of data", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  it("has roles, types, ranges, missing values and classes, and what is refused beside them", async () => {
    const { report, refusal } = await inspectData(join(FOUND, "missing-NA.csv"));
    const [f0, , , , , , label] = report.table!.columns;
    assert.deepEqual([report.format, report.table!.rows, report.examples], ["CSV", 40, undefined]);
    assert.deepEqual([f0!.name, f0!.role, f0!.type, f0!.missing], ["f0", "feature", "number", 4]);
    assert.deepEqual([f0!.figures!.least, f0!.figures!.most], [33.914, 91.003]);
    assert.deepEqual(
      [label!.role, label!.values],
      [
        "label",
        [
          ["0", 24],
          ["1", 16],
        ],
      ],
    );
    assert.deepEqual(
      [report.refused?.code, refusal?.code, report.refused?.details["row"]],
      ["DATASET_VALUE_MISSING", "DATASET_VALUE_MISSING", 2],
    );
  });

  it("shows the words of a label that nobody listed, and of categories", async () => {
    const labels = (await reportOn("text-labels.csv?label=diagnosis")).table!.columns.at(-1)!;
    assert.deepEqual(
      [labels.type, labels.role, labels.values.map(([word]) => word).sort()],
      ["word", "label", ["benign", "malignant"]],
    );
    const sex = (await reportOn("categories.csv")).table!.columns[1]!;
    assert.deepEqual(sex.values, [
      ["M", 22],
      ["F", 18],
    ]);
  });

  it("does not decide roles that nobody named", async () => {
    const { table, refused } = await reportOn("label-not-last.csv");
    assert.ok(table!.columns.every(({ role }) => role === "undecided"));
    assert.equal(refused?.code, "DATASET_LABEL_UNNAMED");
  });

  it("names identifiers, dates and unused columns", async () => {
    const { table } = await reportOn("id-and-date.csv?drop=patient_id&time=admitted");
    const [id, day] = table!.columns;
    assert.deepEqual([id!.role, id!.type, id!.distinct, day!.role, day!.type], ["unused", "word", 40, "time", "date"]);
    assert.deepEqual([day!.figures!.least, day!.figures!.most - day!.figures!.least], [19_783, 27]);
  });

  it("has the split and the accuracy of the most frequent class", async () => {
    const { examples, notes } = await reportOn("one-percent-positive.csv");
    assert.deepEqual([examples!.train, examples!.test, examples!.majority], [32, 8, 1]);
    assert.deepEqual(
      examples!.classes.map(({ train, test, share }) => [train, test, share]),
      [
        [31, 8, 0.975],
        [1, 0, 0.025],
      ],
    );
    assert.ok(notes.some(({ event }) => event === "class-not-in-split"));
  });

  for (const [what, rows, event] of [
    ["a constant column", (i: number) => [7, Math.sin(i), i % 2], "column-constant"],
    ["a row index", (i: number) => [i, Math.sin(i), i % 2], "column-index"],
    ["a row index from 1000 in tens", (i: number) => [1000 + 10 * i, Math.sin(i), i % 2], "column-index"],
    ["a column far from zero", (i: number) => [5000 + Math.cos(3 * i), Math.sin(i), i % 2], "column-unscaled"],
    ["a column close to zero", (i: number) => [1e-5 * Math.cos(3 * i), Math.sin(i), i % 2], "column-unscaled"],
    ["the label once more", (i: number) => [i % 2, Math.sin(i), i % 2], "column-leaks-label"],
    ["the label in other numbers", (i: number) => [i % 2 === 0 ? -3 : 8, Math.sin(i), i % 2], "column-leaks-label"],
    ["a code of the label", (i: number) => [i % 6, Math.sin(i), i % 2], "column-leaks-label"],
    ["one class", (i: number) => [Math.cos(3 * i), Math.sin(i), 1], "one-class"],
    [
      "a class in nineteen of twenty rows",
      (i: number) => [Math.cos(3 * i), Math.sin(i), i % 20 === 0 ? 1 : 0],
      "majority",
    ],
    ["labels from 1", (i: number) => [Math.cos(3 * i), Math.sin(i), 1 + (i % 2)], "class-empty"],
  ] as const)
    it(`warns of ${what}, and not of it elsewhere`, async () => {
      const table = (rowOf: (i: number) => readonly number[]): string =>
        `a,b,label\n${Array.from({ length: 60 }, (_, i) => rowOf(i).join()).join("\n")}\n`;
      const eventsOf = async (name: string, text: string): Promise<string[]> =>
        (await inspectData(await folder.file(name, text))).report.notes.map(({ event }) => event);
      assert.ok((await eventsOf("odd.csv", table(rows))).includes(event));
      const plain = table((i) => [Math.cos(3 * i), Math.sin(i), i % 2]);
      assert.deepEqual(await eventsOf("plain.csv", plain), ["dialect"]);
    });

  it("warns of a category whose words tell the class, and not of one whose words do not", async () => {
    const schema = tableSchema.parse({
      label: "label",
      classes: ["0", "1"],
      columns: [
        { name: "told", type: "category", values: ["x", "y", "z"] },
        { name: "free", type: "category", values: ["x", "y", "z"] },
      ],
    });
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${i % 2 === 0 ? "x" : "yz"[(i % 4) >> 1]},${"xyz"[i % 3]},${i % 2}`,
    );
    const path = await folder.file("told.csv", `told,free,label\n${rows.join("\n")}\n`);
    const model = { kind: "mlp", inputShape: [6], hidden: [], classCount: 2 };
    const { notes } = (await inspectData(path, { model, schema })).report;
    assert.deepEqual(
      notes.filter(({ event }) => event === "column-leaks-label").map(({ column }) => column),
      ["told"],
    );
  });

  it("warns of features and labels that are identifiers by their names", async () => {
    const row = (i: number): string => `${(i * 7919) % 1000},${Math.sin(i)},${i % 3}`;
    const rows = Array.from({ length: 60 }, (_, i) => row(i)).join("\n");
    for (const name of ["id", "patient_id", "patientId", "MRN", "case id", "ID"]) {
      const path = await folder.file("ids.csv", `${name},b,label\n${rows}\n`);
      assert.ok(
        (await inspectData(path)).report.notes.some(({ event }) => event === "column-identifier"),
        name,
      );
    }
    // Numbers that recur are no identifiers, unless their name says so.
    const measured = Array.from({ length: 60 }, (_, i) => row(i % 30)).join("\n");
    for (const name of ["idle", "fluid", "humidity", "a"]) {
      const path = await folder.file("words.csv", `${name},b,label\n${measured}\n`);
      assert.ok(!(await inspectData(path)).report.notes.some(({ event }) => event === "column-identifier"), name);
    }
    const path = await folder.file("label.csv", `a,b,hospital_id\n${rows}\n`);
    const { notes } = (await inspectData(`${path}?label=hospital_id`)).report;
    assert.ok(notes.some(({ event }) => event === "label-suspect"));
  });

  it("sets what a task expects beside what is there", async () => {
    const schema = tableSchema.parse({
      label: "label",
      classes: ["0", "1"],
      columns: [
        { name: "f1", type: "number" },
        { name: "f0", type: "number" },
      ],
      scaling: { f0: { mean: 50, stdDev: 13 } },
    });
    const model = (inputs: number): unknown => ({ kind: "mlp", inputShape: [inputs], hidden: [], classCount: 2 });
    const path = join(FOUND, "tabs.tsv");
    const { report } = await inspectData(path, { model: model(2), schema });
    assert.deepEqual(report.task, {
      inputs: { expected: 2, found: 2 },
      classes: { expected: 2, found: 2 },
      fits: true,
    });
    assert.deepEqual(report.table!.columns[0]!.expected, {
      name: "f0",
      type: "number",
      scaling: { mean: 50, stdDev: 13 },
    });
    assert.equal(report.table!.columns[2]!.role, "unused");
    assert.equal((await inspectData(path, { model: model(3), schema })).report.task!.fits, false);
    const plain = await inspectData(path, { model: model(6), schema: undefined });
    assert.equal(plain.report.task!.fits, true);
    assert.equal((await inspectData("digits", { model: model(64), schema: undefined })).report.task!.fits, false);
  });
});

describe("a proposed schema", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  it("reads the table that it was made from, scaled", async () => {
    const spec = join(FOUND, "id-and-date.csv");
    const { schema, notes } = await propose(`${spec}?drop=patient_id`);
    assert.deepEqual(schema.columns[0], { name: "admitted", type: "date" });
    const { rows } = await readWhole(spec, schema);
    const width = rows[0]!.length;
    for (let column = 0; column < width; column++) {
      const values = rows.map((row) => row[column]!);
      const mean = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      assert.ok(Math.abs(mean) < 0.01 && Math.abs(variance - 1) < 0.02, `column ${column}: ${mean}, ${variance}`);
    }
    assert.ok(notes.some(({ event }) => event === "scaling-public"));
  });

  it("lists words and classes in alphabetical order, numbers in their own", async () => {
    const { schema } = await propose(join(FOUND, "categories.csv"));
    assert.deepEqual(schema.columns[1], { name: "sex", type: "category", values: ["F", "M"] });
    const path = await folder.file("many.csv", "a,label\n1.5,10\n2,9\n3,10\n");
    assert.deepEqual((await propose(path)).schema.classes, ["9", "10"]);
    assert.deepEqual((await propose(`${join(FOUND, "text-labels.csv")}?label=diagnosis`)).schema.classes, [
      "benign",
      "malignant",
    ]);
    assert.deepEqual((await propose(`${path}?classes=10,9`)).schema.classes, ["10", "9"]);
  });

  it("says where values are missing, and takes the policy that is named", async () => {
    const { schema, notes } = await propose(`${join(FOUND, "missing-NA.csv")}?missing=drop-row&na=-999`);
    assert.deepEqual(schema.missing, { policy: "drop-row", markers: ["-999"] });
    assert.ok(notes.some(({ event }) => event === "values-missing"));
  });

  it("is refused without a named label, of identifiers, mixed and empty columns, and of labels without classes", async () => {
    await rejectsCode(propose(join(FOUND, "label-not-last.csv")), "DATASET_LABEL_UNNAMED");
    const long = Array.from({ length: 70 }, (_, i) => `P${i},${i % 2}`).join("\n");
    await rejectsCode(propose(await folder.file("id.csv", `who,label\n${long}\n`)), "DATASET_VALUE_INVALID", {
      column: "who",
    });
    await rejectsCode(propose(await folder.file("mixed.csv", "a,label\n1,0\nx,1\n")), "DATASET_VALUE_INVALID", {
      row: 3,
      value: "x",
    });
    await rejectsCode(propose(await folder.file("empty.csv", "a,b,label\n1,,0\n2,NA,1\n")), "DATASET_VALUE_INVALID", {
      column: "b",
    });
    await rejectsCode(propose(await folder.file("one.csv", "a,label\n1,0\n2,0\n")), "DATASET_LABEL_INVALID");
  });
});
