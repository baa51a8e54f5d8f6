/** Which column is what: by name, by the task's schema, never by guess. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import type { TableSchema } from "../../learning/tables/schema.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const ROWS = "\n1,2,0,7\n3,4,1,8\n";

const READ: readonly (readonly [what: string, text: string, options: string, names: string, labels: string])[] = [
  ["the column called label", `a,b,label,c${ROWS}`, "", "a,b,c", "0,1"],
  ["the column called Label", `a,b,Label,c${ROWS}`, "", "a,b,c", "0,1"],
  ["a named label", `a,b,outcome,c${ROWS}`, "label=outcome", "a,b,c", "0,1"],
  ["a named label in other capitals", `a,b,Outcome,c${ROWS}`, "label=OUTCOME", "a,b,c", "0,1"],
  ["the first column", "0,5\n1,6\n", "label=first", "2", "0,1"],
  ["the last column", "5,0\n6,1\n", "label=last", "1", "0,1"],
  ["a column by its number", `x${ROWS}`.replace("x\n", ""), "label=3", "1,2,4", "0,1"],
  ["a column that is called by another's number", "2,b,label,1\n5,5,0,9\n6,6,1,8\n", "header=yes&drop=2", "b,1", "0,1"],
  ["what is not dropped", `a,b,label,c${ROWS}`, "drop=a,c", "b", "0,1"],
  ["what is kept, in the order of keep", `a,b,label,c${ROWS}`, "keep=c,a", "c,a", "0,1"],
  ["all but the group", `a,ward,label,c${ROWS}`, "group=ward", "a,c", "0,1"],
  ["all but the time", `a,day,label,c${ROWS}`, "time=day", "a,c", "0,1"],
  ["a name with a comma", '"a, b",b,label,c\n1,2,0,7\n3,4,1,8\n', "drop=a%2C%20b", "b,c", "0,1"],
  ["a name with &, =, ? and %", '"a&b=c?50%",b,label,c\n1,2,0,7\n3,4,1,8\n', "drop=a%26b%3Dc%3F50%25", "b,c", "0,1"],
  ["a name of many words", `a,b,final outcome,c${ROWS}`, "label=final outcome", "a,b,c", "0,1"],
  ["an unnamed column that is dropped", `,b,label,c${ROWS}`, "drop=1", "b,c", "0,1"],
  ["an unnamed column that is kept", `,b,label,c${ROWS}`, "keep=1,b", "1,b", "0,1"],
  ["class names in their order", "a,label\n1,yes\n2,no\n", "classes=no,yes", "a", "1,0"],
  ["class names that are numbers", "a,label\n1,1\n2,2\n", "classes=1,2", "a", "0,1"],
  ["class names that are numbers with a point", "a,label\n1,1.0\n2,2.0\n", "classes=1,2", "a", "0,1"],
  ["class names that stand for nothing elsewhere", "a,label\n1,none\n2,some\n", "classes=none,some", "a", "0,1"],
  ["labels with a point", "a,label\n1,0.0\n2,1.0\n", "", "a", "0,1"],
];

const REFUSED: readonly (readonly [
  what: string,
  text: string,
  options: string,
  code: ErrorCode,
  details?: ErrorDetails,
])[] = [
  ["a label that nobody named", `a,b,outcome,c${ROWS}`, "", "DATASET_LABEL_UNNAMED"],
  ["a label that nobody named, without a header", "1,2,0\n3,4,1\n", "", "DATASET_LABEL_UNNAMED"],
  [
    "a missing value in a first row without a header",
    "NA,2,0\n3,4,1\n",
    "label=last",
    "DATASET_VALUE_MISSING",
    { row: 1, column: "1", value: "NA" },
  ],
  ["a name that is not there", `a,b,label,c${ROWS}`, "drop=d", "DATASET_COLUMN_ABSENT", { column: "d" }],
  ["a number beyond the columns", "1,2,0\n3,4,1\n", "label=4", "DATASET_COLUMN_ABSENT", { column: "4" }],
  ["a name twice", `a,a,label,c${ROWS}`, "", "DATASET_COLUMN_REPEATED", { column: "a" }],
  ["a name twice in other capitals", `label,a,Label,c${ROWS}`, "", "DATASET_COLUMN_REPEATED", { column: "Label" }],
  ["a column without a name", `,b,label,c${ROWS}`, "", "DATASET_COLUMN_UNNAMED", { column: "1" }],
  ["pandas' name for no name", `Unnamed: 0,b,label,c${ROWS}`, "", "DATASET_COLUMN_UNNAMED", { column: "Unnamed: 0" }],
  ["R's name for no name", `...1,b,label,c${ROWS}`, "", "DATASET_COLUMN_UNNAMED", { column: "...1" }],
  ["keep and drop at once", `a,b,label,c${ROWS}`, "keep=a&drop=b", "DATASET_SPEC_INVALID"],
  ["a label that is kept", `a,b,label,c${ROWS}`, "keep=a,label", "DATASET_SPEC_INVALID"],
  ["a name kept twice", `a,b,label,c${ROWS}`, "keep=a,a", "DATASET_SPEC_INVALID"],
  ["a label that is dropped", `a,b,label,c${ROWS}`, "drop=label", "DATASET_SPEC_INVALID"],
  ["an empty name", `a,b,label,c${ROWS}`, "drop=a,", "DATASET_SPEC_INVALID"],
  ["two labels", `a,b,label,c${ROWS}`, "label=a,b", "DATASET_SPEC_INVALID"],
  ["a percent sign alone", `a,b,label,c${ROWS}`, "label=50%", "DATASET_SPEC_INVALID"],
  ["no feature", "a,label\n1,0\n2,1\n", "drop=a", "DATASET_MALFORMED"],
  ["a scaling of other columns", `a,b,label,c${ROWS}`, "mean=1,2", "DATASET_SPEC_INVALID"],
  [
    "words for labels without a list",
    "a,label\n1,yes\n2,no\n",
    "",
    "DATASET_CLASSES_UNSTATED",
    { row: 2, column: "label", value: "yes" },
  ],
  [
    "a label that is not in the list",
    "a,label\n1,yes\n2,maybe\n",
    "classes=no,yes",
    "DATASET_LABEL_INVALID",
    { row: 3, value: "maybe" },
  ],
  [
    "a class name in other capitals",
    "a,label\n1,Yes\n2,no\n",
    "classes=no,yes",
    "DATASET_LABEL_INVALID",
    { value: "Yes" },
  ],
  ["a class twice in the list", "a,label\n1,yes\n2,no\n", "classes=no,no", "DATASET_SPEC_INVALID"],
  [
    "a label beyond the number of classes",
    "a,label\n1,0\n2,2\n",
    "classes=2",
    "DATASET_LABEL_INVALID",
    { row: 3, value: "2" },
  ],
  ["a fractional label", "a,label\n1,0\n2,0.5\n", "", "DATASET_LABEL_INVALID", { row: 3, value: "0.5" }],
  ["a negative label", "a,label\n1,0\n2,-1\n", "", "DATASET_LABEL_INVALID", { row: 3 }],
  ["a label too large for a class", "a,label\n1,0\n2,65536\n", "", "DATASET_LABEL_INVALID", { row: 3 }],
  ["a missing label", "a,label\n1,0\n2,\n", "", "DATASET_VALUE_MISSING", { row: 3, column: "label" }],
  [
    "an identifier for a label",
    `a,label\n${Array.from({ length: 12 }, (_, i) => `1,${i * 3}`).join("\n")}\n`,
    "",
    "DATASET_LABEL_INVALID",
    { column: "label" },
  ],
];

const SCHEMA: TableSchema = tableSchema.parse({
  label: "diagnosis",
  classes: ["benign", "malignant"],
  columns: [
    { name: "age", type: "number" },
    { name: "sex", type: "category", values: ["F", "M"] },
    { name: "admitted", type: "date" },
  ],
  scaling: { age: { mean: 50, stdDev: 10 }, admitted: { mean: 19_783, stdDev: 1 } },
});

describe("the columns of a table", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  READ.forEach(([what, text, options, names, labels], i) => {
    it(`are found: ${what}`, async () => {
      const path = await folder.file(`read-${i}.csv`, text);
      const table = await readWhole(options === "" ? path : `${path}?${options}`);
      assert.deepEqual([table.names.join(), table.labels.join()], [names, labels]);
    });
  });

  REFUSED.forEach(([what, text, options, code, details], i) => {
    it(`are refused: ${what}`, async () => {
      const path = await folder.file(`refused-${i}.csv`, text);
      await rejectsCode(readWhole(options === "" ? path : `${path}?${options}`), code, details);
    });
  });

  describe("by a task's schema", () => {
    const EXPECTED = [
      [1, 1, 0, 0],
      [-1, 0, 1, 1.5],
    ];

    for (const [order, text] of [
      ["its own order", "age,sex,admitted,diagnosis\n60,F,2024-03-01,benign\n40,M,2024-03-02T12:00,malignant\n"],
      ["another order", "diagnosis,admitted,sex,age\nbenign,2024-03-01,F,60\nmalignant,2024-03-02 12:00:00Z,M,40\n"],
      [
        "columns more",
        "id,age,x,sex,admitted,diagnosis\nA,60,,F,2024-03-01,benign\nB,40,,M,2024-03-02T14:00+02:00,malignant\n",
      ],
    ] as const)
      it(`give the model the same inputs from a file in ${order}`, async () => {
        const { rows, labels, classCount } = await readWhole(await folder.file("ordered.csv", text), SCHEMA);
        assert.deepEqual([rows, labels, classCount], [EXPECTED, [0, 1], 2]);
      });

    it("say which columns the task has no use for", async () => {
      const rows = Array.from(
        { length: 6 },
        (_, i) => `${i},6${i},F,2024-03-01,${i % 2 === 0 ? "benign" : "malignant"}`,
      );
      const path = await folder.file("more.csv", `id,age,sex,admitted,diagnosis\n${rows.join("\n")}\n`);
      const unused = (spec: string): Promise<number> =>
        loadDataset(spec, SCHEMA).then(({ notes }) => notes!.filter(({ event }) => event === "columns-unused").length);
      assert.deepEqual([await unused(path), await unused(`${path}?drop=id`)], [1, 0]);
    });

    for (const [what, row, code, details] of [
      [
        "a word that is not listed",
        "60,X,2024-03-01,benign",
        "DATASET_CATEGORY_UNKNOWN",
        { row: 2, column: "sex", value: "X" },
      ],
      ["a word in other capitals", "60,f,2024-03-01,benign", "DATASET_CATEGORY_UNKNOWN", { value: "f" }],
      ["a missing word", "60,,2024-03-01,benign", "DATASET_VALUE_MISSING", { row: 2, column: "sex" }],
      [
        "a class that is not listed",
        "60,F,2024-03-01,unknown",
        "DATASET_LABEL_INVALID",
        { column: "diagnosis", value: "unknown" },
      ],
      ["a word for a number", "old,F,2024-03-01,benign", "DATASET_VALUE_INVALID", { column: "age", value: "old" }],
      [
        "a day that may be in March or April",
        "60,F,03/04/2024,benign",
        "DATASET_VALUE_INVALID",
        { column: "admitted" },
      ],
      ["a day that February does not have", "60,F,2024-02-30,benign", "DATASET_VALUE_INVALID", { value: "2024-02-30" }],
      ["a day without a year's century", "60,F,24-02-03,benign", "DATASET_VALUE_INVALID", { column: "admitted" }],
    ] as const satisfies readonly (readonly [string, string, ErrorCode, ErrorDetails])[])
      it(`refuse ${what}`, async () => {
        const path = await folder.file("bad.csv", `age,sex,admitted,diagnosis\n${row}\n40,M,2024-03-02,malignant\n`);
        await rejectsCode(readWhole(path, SCHEMA), code, details);
      });

    it("refuse a file without one of them, options that say what the task says, and other data than tables", async () => {
      const path = await folder.file("lacks.csv", "age,sex,diagnosis\n60,F,benign\n40,M,malignant\n");
      await rejectsCode(readWhole(path, SCHEMA), "DATASET_COLUMN_ABSENT", { column: "admitted" });
      for (const option of ["label=age", "keep=age", "classes=2", "mean=1", "deviation=2", "missing=drop-row", "na=x"])
        await rejectsCode(readWhole(`${path}?${option}`, SCHEMA), "DATASET_SPEC_INVALID");
      await rejectsCode(loadDataset("digits", SCHEMA), "DATASET_SPEC_INVALID");
    });

    it("refuse to drop a column that the task asks for, and drop others", async () => {
      const rows = "60,F,2024-03-01,benign,1\n40,M,2024-03-02,malignant,2\n";
      const path = await folder.file("more.csv", `age,sex,admitted,diagnosis,ward\n${rows}`);
      for (const name of ["age", "sex", "diagnosis"])
        await rejectsCode(readWhole(`${path}?drop=${name}`, SCHEMA), "DATASET_SPEC_INVALID");
      assert.equal((await readWhole(`${path}?drop=ward`, SCHEMA)).rows.length, 2);
    });

    for (const [what, change] of Object.entries({
      "a label among the features": { label: "age" },
      "a column twice": { columns: [...SCHEMA.columns, SCHEMA.columns[0]] },
      "no column": { columns: [] },
      "one class": { classes: ["benign"] },
      "a class twice": { classes: ["benign", "benign"] },
      "a category of one word": { columns: [{ name: "sex", type: "category", values: ["F"] }], scaling: {} },
      "a scaling of a column that is not there": { scaling: { weight: { mean: 1, stdDev: 1 } } },
      "a scaling of words": { scaling: { sex: { mean: 1, stdDev: 1 } } },
      "a standard deviation of zero": { scaling: { age: { mean: 1, stdDev: 0 } } },
      "a standard deviation that divides to infinity": { scaling: { age: { mean: 1, stdDev: 5e-324 } } },
      "a constant for a column that is not there": { missing: { policy: "constant", values: { weight: 1 } } },
      "a word as a number's constant": { missing: { policy: "constant", values: { age: "F" } } },
      "a constant that is not in the list": { missing: { policy: "constant", values: { sex: "X" } } },
      "an unknown policy": { missing: { policy: "guess" } },
      "an unknown field": { order: 1 },
    }))
      it(`are no schema with ${what}`, () =>
        assert.equal(tableSchema.safeParse({ ...SCHEMA, ...change }).success, false));
  });
});
