/** Values of tables: numbers, missing ones by policy, days. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { tableSchema } from "../../learning/tables/schema.ts";
import { daysFrom, isMissing, numberFrom } from "../../learning/tables/values.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

describe("values of tables", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  for (const [text, value] of [
    ["0", 0],
    ["-0.5", -0.5],
    ["+7", 7],
    ["1e3", 1000],
    [".5", 0.5],
    ["5.", 5],
    [" 12 ", 12],
    ["007", 7],
  ] as const)
    it(`include the number ${JSON.stringify(text)}`, () => assert.equal(numberFrom(text, "."), value));

  for (const text of [
    "",
    "abc",
    "1,5",
    "1 000",
    "0x10",
    "Infinity",
    "1e999",
    "5 %",
    "$5",
    "−5",
    "1.2.3",
    "e5",
    "TRUE",
    "1_000",
    ".",
  ])
    it(`do not include the number ${JSON.stringify(text)}`, () => {
      assert.equal(numberFrom(text, "."), undefined);
    });

  it("have a decimal comma where the file has", () => {
    assert.deepEqual(
      ["1,5", ",5", "-1,5e2", "3", "1.5"].map((text) => numberFrom(text, ",")),
      [1.5, 0.5, -150, 3, undefined],
    );
  });

  for (const text of ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", "<NA>", "#N/A", "."])
    it(`are missing where a file has ${JSON.stringify(text)}`, async () => {
      assert.ok(isMissing(text));
      const path = await folder.file("missing.csv", `a,b,label\n1,2,0\n3,${text},1\n`);
      await rejectsCode(readWhole(path), "DATASET_VALUE_MISSING", {
        row: 3,
        column: "b",
        value: text.trim() === "" ? text : text,
      });
    });

  it("are quoted in part where they are long, and soon", async function () {
    this.timeout(8000);
    const path = await folder.file("long.csv", `a,label\n${"9".repeat(100_000)}x,0\n1,1\n`);
    await assert.rejects(readWhole(path), ({ message }: Error) => message.includes("“9") && message.length < 600);
  });

  it("are missing where the argument says so, and only there", async () => {
    assert.deepEqual(
      [isMissing("-999"), isMissing("-999", ["-999"]), isMissing("0"), isMissing(NaN), isMissing(null)],
      [false, true, false, true, true],
    );
    const path = await folder.file("sentinel.csv", "a,b,label\n1,2,0\n3,-999,1\n5,6,1\n");
    assert.equal((await readWhole(path)).rows[1]![1], -999);
    await rejectsCode(readWhole(`${path}?na=-999`), "DATASET_VALUE_MISSING", { row: 3, value: "-999" });
    assert.deepEqual((await readWhole(`${path}?na=-999&missing=drop-row`)).rows, [
      [1, 2],
      [5, 6],
    ]);
  });

  it("that are missing drop their row where that is the policy, and the rows are counted", async () => {
    const path = await folder.file("drop.csv", "a,b,label,c\n1,2,0,\n3,NA,1,5\n5,6,,5\n7,8,1,5\n");
    const { rows, labels, events } = await readWhole(`${path}?missing=drop-row&drop=c`);
    assert.deepEqual(
      [rows, labels],
      [
        [
          [1, 2],
          [7, 8],
        ],
        [0, 1],
      ],
    );
    assert.ok(events.includes("rows-dropped"));
    const none = await folder.file("none.csv", "a,label\n,0\nNA,1\n");
    await rejectsCode(readWhole(`${none}?missing=drop-row`), "DATASET_EMPTY");
  });

  it("that are missing become the task's constants, before scaling; a column without one refuses", async () => {
    const schema = tableSchema.parse({
      label: "label",
      classes: ["0", "1"],
      columns: [
        { name: "age", type: "number" },
        { name: "smokes", type: "category", values: ["none", "some"] },
        { name: "bmi", type: "number" },
      ],
      missing: { policy: "constant", values: { age: 50, smokes: "some" }, markers: ["-999"] },
      scaling: { age: { mean: 40, stdDev: 10 } },
    });
    const path = await folder.file("constant.csv", "age,smokes,bmi,label\n-999,none,20,0\n60,,21,1\n");
    assert.deepEqual((await readWhole(path, schema)).rows, [
      [1, 1, 0, 20],
      [2, 0, 1, 21],
    ]);
    const lacks = await folder.file("lacks.csv", "age,smokes,bmi,label\n60,none,,0\n");
    await rejectsCode(readWhole(lacks, schema), "DATASET_VALUE_MISSING", { row: 2, column: "bmi" });
    const label = await folder.file("label.csv", "age,smokes,bmi,label\n60,none,1,NA\n");
    await rejectsCode(readWhole(label, schema), "DATASET_VALUE_MISSING", { row: 2, column: "label" });
  });

  it("that are days count from 1970, in UTC where nothing else is said", () => {
    assert.deepEqual(
      [
        "1970-01-01",
        "1970-01-02T12:00",
        "1970-01-02 12:00:00.5Z",
        "1970-01-02T02:00+02:00",
        "1969-12-31",
        "2024-02-29",
      ].map(daysFrom),
      [0, 1.5, 1.5 + 0.5 / 86_400, 1, -1, 19_782],
    );
    for (const text of [
      "2023-02-29",
      "2024-13-01",
      "2024-1-1",
      "01.02.2024",
      "20240101",
      "2024-01-01T25:00",
      "",
      "today",
    ])
      assert.equal(daysFrom(text), undefined, text);
  });

  for (const value of ["1e39", "-1e39", "1e308"])
    it(`are refused where a model's input cannot hold ${value}`, async () => {
      const path = await folder.file("large.csv", `a,b,label\n1,2,0\n${value},2,1\n`);
      await rejectsCode(readWhole(path), "DATASET_VALUE_INVALID", { row: 3, column: "a", value });
    });
});
