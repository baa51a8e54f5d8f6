/** Tables at their edges: markers that are numbers, names that look alike, long preambles, what refusals advise. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const ROWS = Array.from({ length: 40 }, (_, i) => `${i % 7}.5,${(i * 5) % 11}.25,${i % 2}`);
const TABLE = `a,b,label\n${ROWS.join("\n")}\n`;
const SCHEMA = tableSchema.parse({
  label: "label",
  classes: ["0", "1"],
  columns: [
    { name: "a", type: "number" },
    { name: "b", type: "number" },
  ],
  scaling: { a: { mean: 100, stdDev: 50 }, b: { mean: 0, stdDev: 1 } },
});

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const cause = await promise.then(
    () => assert.fail("nothing was refused"),
    (error: unknown) => error,
  );
  assert.ok(isVerisumError(cause), String(cause));
  return cause.message;
}

describe("tables at their edges", () => {
  let folder: Folder;
  before(async () => void (folder = await temporaryFolder()));
  after(() => folder.remove());

  it("know a marker that is a number however a column of numbers writes it", async () => {
    const missing = TABLE.replace("0.5,0.25", "-999.0,0.25").replace("1.5,5.25", "-9.99e2,5.25");
    const file = await folder.file("marker.csv", missing);
    assert.equal((await readWhole(`${file}?na=-999&missing=drop-row`)).data.exampleCount, 38);
    await rejectsCode(readWhole(`${file}?na=-999`), "DATASET_VALUE_MISSING", { row: 2, column: "a", value: "-999.0" });
    const commas = await folder.file("comma.csv", missing.replaceAll(",", ";").replaceAll(".", ","));
    assert.equal((await readWhole(`${commas}?na=-999.00&missing=drop-row`)).data.exampleCount, 38);
    // A word of a list is that word and no other.
    const words = tableSchema.parse({
      ...SCHEMA,
      columns: [{ name: "a", type: "category", values: ["1", "1.0"] }],
      scaling: {},
      missing: { policy: "drop-row", markers: ["1.00"] },
    });
    const worded = await folder.file("words.csv", "a,label\n1,0\n1.0,1\n1.00,0\n");
    assert.equal((await readWhole(worded, words)).data.exampleCount, 2);
  });

  it("advise what their reader can do: with a task no column can be left out", async () => {
    const file = await folder.file("broken.csv", TABLE.replace("0.5", "broken"));
    assert.match(await messageOf(readWhole(file)), /drop=a; .*na=broken/);
    const asked = await messageOf(readWhole(file, SCHEMA));
    assert.doesNotMatch(asked, /drop=|na=/);
    assert.match(asked, /the task asks for this column as a number/);
    const gap = await folder.file("gap.csv", TABLE.replace("0.5", ""));
    assert.match(await messageOf(readWhole(gap)), /missing=drop-row/);
    assert.doesNotMatch(await messageOf(readWhole(gap, SCHEMA)), /missing=/);
  });

  it("warn of a column in the units of its file", async () => {
    const file = await folder.file("constant.csv", TABLE.replaceAll(/^[\d.]+,/gm, "62.78,"));
    const { notes = [] } = await loadDataset(file, SCHEMA);
    const text = notes.find(({ event }) => event === "column-constant")?.text ?? "";
    assert.match(text, /all values are 62\.78$/);
    const own = await loadDataset(`${file}?mean=100&deviation=50`);
    assert.match(own.notes!.find(({ event }) => event === "column-constant")!.text, /are 62\.78; drop=a leaves it out/);
  });

  it("take names for one that differ by Unicode's form or by what nobody sees, and find a column by either", async () => {
    for (const [one, other] of [
      ["caf\u00e9", "cafe\u0301"],
      ["age", "a\u200bge"],
      ["age", "age\u200d"],
      ["age", "\u2060AGE"],
      ["age", "ag\u00ade"],
    ] as const) {
      const file = await folder.file("alike.csv", TABLE.replace("a,b", `${one},${other}`));
      await rejectsCode(readWhole(file), "DATASET_COLUMN_REPEATED", { column: other });
    }
    const file = await folder.file("composed.csv", TABLE.replace("a,b", "caf\u00e9,b"));
    assert.deepEqual((await readWhole(`${file}?keep=cafe\u0301`)).names, ["caf\u00e9"]);
  });

  it("begin after any number of comments and blank lines, in time that grows with them", async function () {
    this.timeout(60_000);
    for (const before of ["#ab\n".repeat(256_000), "\n".repeat(1 << 20), " \n# c\n\n".repeat(100_000)]) {
      const file = await folder.file("long.csv", before + TABLE);
      const { data, rowNumbers } = await readWhole(file);
      assert.equal(data.exampleCount, 40);
      assert.equal(rowNumbers[0], before.split("\n").length + 1);
    }
    const comments = await folder.file("comments.csv", "# only\n".repeat(100_000));
    await rejectsCode(readWhole(comments), "DATASET_EMPTY");
    const after = await folder.file("after.csv", `a,b,label\n${"\n".repeat(1 << 20)}${ROWS.join("\n")}\n`);
    assert.equal((await readWhole(after)).data.exampleCount, 40);
  });

  it("quote a number that is too large as the file has it", async () => {
    const digits = `1${"0".repeat(400)}`;
    for (const [text, shown] of [
      [digits, `${digits.slice(0, 40)}…`],
      ["1e400", "1e400"],
      ["-2.5E+999", "-2.5E+999"],
    ] as const) {
      const file = await folder.file("large.jsonl", `{"a":${text},"label":1}\n{"a":1,"label":0}\n`);
      await rejectsCode(readWhole(file), "DATASET_VALUE_INVALID", { row: 1, column: "a", value: shown });
      assert.match(await messageOf(readWhole(file)), /is out of range/);
    }
  });

  it("say of a file that was compressed twice that it is gzip in gzip", async () => {
    const twice = gzipSync(gzipSync(TABLE));
    for (const name of ["twice.csv.gz", "twice.csv", "twice.jsonl.gz", "twice.npy"])
      assert.match(await messageOf(readWhole(await folder.file(name, twice))), /is gzip in gzip/);
    assert.equal((await readWhole(await folder.file("once.csv.gz", gzipSync(TABLE)))).data.exampleCount, 40);
  });

  it("propose the column that is often the label, and do not take it", async () => {
    const file = await folder.file("y.csv", TABLE.replace("label", "Y"));
    assert.match(await messageOf(readWhole(file)), /label=, such as label=Y/);
  });
});
