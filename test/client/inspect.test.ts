import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { runInspect } from "../../client/inspect.ts";
import { rejectsCode } from "../support/errors.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const FOUND = fileURLToPath(new URL("../vectors/tables/", import.meta.url));
const TASK = {
  document: {
    name: "ward",
    model: { kind: "mlp", inputShape: [1], hidden: [], classCount: 2 },
    data: {
      label: "label",
      classes: ["0", "1"],
      columns: [{ name: "f0", type: "number" }],
      scaling: { f0: { mean: 50, stdDev: 13 } },
    },
  },
};

describe("fl-client data inspect", () => {
  let folder: Folder;
  let written = "";
  const write = (text: string): void => void (written += text);
  const inspect = (name: string, more: { task?: string; format?: "json" } = {}): Promise<void> => {
    written = "";
    return runInspect({ data: join(FOUND, name), format: "text", ...more }, write);
  };
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  it("shows columns, classes, split and warnings as text", async () => {
    await inspect("tabs.tsv");
    assert.match(written, /CSV, 40 rows, 7 columns/);
    assert.match(written, /^f0 +feature +number +0 +28\.87 to 91, mean 53\.72, sd 13\.25 +[▁▂▃▄▅▆▇█ ]+$/m);
    assert.match(written, /^label +label +number +0 +0 \(24\), 1 \(16\)$/m);
    assert.match(written, /^32 training and 8 test examples of 6 values, split by seed/m);
    assert.match(written, /^1 +13 +3 +40\.0 %$/m);
    assert.match(written, /^! column f5: goes into the model as 28\.6 to 72\.4/m);
  });

  it("is one JSON object for programs, and ends as joining would", async () => {
    await rejectsCode(() => inspect("missing-NA.csv", { format: "json" }), "DATASET_VALUE_MISSING", { row: 2 });
    const report = JSON.parse(written) as { refused: { code: string }; table: { columns: { missing: number }[] } };
    assert.deepEqual([report.refused.code, report.table.columns[0]!.missing], ["DATASET_VALUE_MISSING", 4]);
    await rejectsCode(() => inspect("missing-NA.csv"), "DATASET_VALUE_MISSING");
    assert.match(written, /^✗ refused: .*row 2, column f0: “NA” stands for no value/m);
  });

  it("holds data to a task's specification, or to its document", async () => {
    for (const content of [TASK, TASK.document]) {
      await inspect("tabs.tsv", { task: await folder.file("task.json", JSON.stringify(content)) });
      assert.match(written, /the task takes 1 inputs and 2 classes; here are 1 and 2 classes: fits/);
      assert.match(written, /the task scales by 50, 13/);
    }
    const { data: _, ...document } = TASK.document;
    const task = await folder.file("plain.json", JSON.stringify({ document }));
    await rejectsCode(() => inspect("tabs.tsv", { task }), "DATASET_MODEL_MISMATCH");
    assert.match(written, /here are 6 and 2 classes: does not fit/);
  });

  it("shows what a task of statistics would count, and where it would refuse", async () => {
    const model = {
      kind: "statistics",
      columns: [
        { name: "age", type: "number", from: 0, to: 100, bins: 2 },
        { name: "sex", type: "category", values: ["F", "M"] },
      ],
      maxRows: 10,
    };
    const task = await folder.file("statistics.json", JSON.stringify({ document: { model } }));
    const data = await folder.file("ward.csv", "age,sex,id\n40,F,1\n60,M,2\n130,F,3\n");
    await runInspect({ data, task, format: "text" }, (text) => (written = text));
    assert.match(written, /^age +summed .*\n/m);
    assert.match(written, /^id +unused .*\n/m);
    assert.match(written, /of this table it would count 3 rows\nage: 3 values, 1 of them beyond the stated range/);
    assert.match(written, /0 to 50 \(1\), 50 to 100 \(2\)\nsex: 3 values, F \(2\), M \(1\)/);
    const wrong = await folder.file("wrong.csv", "age,sex\n40,X\n");
    const inspecting = runInspect({ data: wrong, task, format: "text" }, (text) => (written = text));
    await rejectsCode(inspecting, "DATASET_CATEGORY_UNKNOWN", { row: 2 });
    assert.match(written, /✗ refused: .*“X” is none of the task's values/);
  });

  it("compares nothing with a model that only its trainers know", async () => {
    const model = { kind: "external", parameters: [{ name: "a", shape: [2] }], trainable: ["a"] };
    await inspect("tabs.tsv", { task: await folder.file("external.json", JSON.stringify({ model })) });
    assert.doesNotMatch(written, /the task takes/);
  });

  it("refuses a task that is none", async () => {
    await rejectsCode(() => inspect("tabs.tsv", { task: "nowhere.json" }), "USAGE");
    for (const text of ["{", "{}", '{"document":{"model":1,"data":{}}}', '{"model":1,"model":2}'])
      await rejectsCode(
        folder.file("bad.json", text).then((task) => inspect("tabs.tsv", { task })),
        "TASK_SPECIFICATION_INVALID",
      );
  });
});
