/** Tables as people have them, in test/vectors/tables: read right, or refused by name, if needed with an option. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole } from "../support/tables.ts";

const FOLDER = fileURLToPath(new URL("../vectors/tables/", import.meta.url));

const REFUSED: readonly (readonly [spec: string, code: ErrorCode, details?: ErrorDetails])[] = [
  ["categories.csv", "DATASET_VALUE_INVALID", { row: 2, column: "sex", value: "F" }],
  ["count-line-header.csv", "DATASET_HEADER_UNCLEAR", { row: 1, column: "1", value: "40" }],
  ["id-and-date.csv", "DATASET_VALUE_INVALID", { row: 2, column: "patient_id", value: "P00000" }],
  ["id-and-date.csv?drop=patient_id", "DATASET_VALUE_INVALID", { row: 2, column: "admitted", value: "2024-03-01" }],
  ["label-not-last.csv", "DATASET_LABEL_UNNAMED"],
  ["label_first_noheader.csv", "DATASET_LABEL_UNNAMED"],
  ["label_twice.csv", "DATASET_COLUMN_REPEATED", { row: 1, column: "Label" }],
  ["length-of-stay.csv", "DATASET_LABEL_UNNAMED"],
  ["missing-NA.csv", "DATASET_VALUE_MISSING", { row: 2, column: "f0", value: "NA" }],
  ["na_first_row.csv?label=last", "DATASET_VALUE_MISSING", { row: 1, column: "1", value: "NA" }],
  ["pandas_index.csv", "DATASET_COLUMN_UNNAMED", { column: "1" }],
  ["text-labels.csv?label=diagnosis", "DATASET_CLASSES_UNSTATED", { row: 2, column: "diagnosis", value: "benign" }],
];

/** Specification, rows, features, classes, and the warnings that are due. */
const READ: readonly (readonly [
  spec: string,
  rows: number,
  features: number,
  classes: number,
  warnings: readonly string[],
])[] = [
  ["every-fifth-row-positive.csv", 40, 6, 2, ["column-unscaled"]],
  ["id-and-date.csv?drop=patient_id,admitted", 40, 6, 2, ["column-unscaled"]],
  ["id-and-date.csv?drop=patient_id&time=admitted", 40, 6, 2, ["column-unscaled"]],
  ["label-not-last.csv?label=outcome&drop=hospital_id", 40, 6, 2, ["column-unscaled"]],
  ["label-not-last.csv?label=hospital_id", 40, 7, 7, ["label-suspect"]],
  ["label_first_noheader.csv?label=first", 12, 2, 2, ["column-constant"]],
  ["label_first_noheader.csv?label=last", 12, 2, 2, ["one-class"]],
  ["length-of-stay.csv?label=los_days", 40, 6, 61, ["label-suspect", "class-empty", "class-not-in-split"]],
  ["missing-NA.csv?missing=drop-row", 21, 6, 2, ["rows-dropped"]],
  ["mixed_eol.csv", 12, 2, 2, []],
  ["na_first_row.csv?label=last&missing=drop-row", 12, 2, 2, ["rows-dropped"]],
  ["one-based-labels.csv", 40, 6, 3, ["class-empty"]],
  ["one-based-labels.csv?classes=1,2", 40, 6, 2, []],
  ["one-percent-positive.csv", 40, 6, 2, ["majority", "class-not-in-split"]],
  ["pandas_index.csv?drop=1", 12, 2, 2, []],
  ["period10.csv", 100, 2, 10, ["column-index", "column-constant"]],
  ["semicolon-decimal-comma.csv", 40, 6, 2, []],
  ["tabs.tsv", 40, 6, 2, []],
  ["text-labels.csv?label=diagnosis&classes=benign,malignant", 40, 6, 2, []],
  ["trailing-separator.csv", 40, 6, 2, ["trailing-column"]],
  ["unscaled-units.csv", 40, 5, 2, ["column-unscaled"]],
];

describe("tables as people have them", () => {
  for (const [spec, code, details] of REFUSED)
    it(`are refused by name: ${spec}`, () => rejectsCode(loadDataset(join(FOLDER, spec)), code, details));

  for (const [spec, rows, features, classes, warnings] of READ)
    it(`are read: ${spec}`, async () => {
      const { train, test, notes } = await loadDataset(join(FOLDER, spec));
      assert.deepEqual(
        [train.exampleCount + test.exampleCount, train.featureShape, train.classCount],
        [rows, [features], classes],
      );
      const events = notes!.map(({ event }) => event);
      for (const warning of warnings) assert.ok(events.includes(warning), `${warning} is not among ${events.join()}`);
    });

  it("are read alike whatever their delimiter, decimal mark and last column", async () => {
    const [plain, ...others] = await Promise.all(
      ["every-fifth-row-positive.csv", "semicolon-decimal-comma.csv", "tabs.tsv", "trailing-separator.csv"].map(
        (name) => readWhole(join(FOLDER, name)).then(({ rows }) => rows),
      ),
    );
    for (const rows of others) assert.deepEqual(rows, plain);
  });

  it("keep a positive in five, and each of ten classes, on both sides of the split", async () => {
    for (const name of ["every-fifth-row-positive.csv", "period10.csv"]) {
      const { train, test } = await loadDataset(join(FOLDER, name));
      assert.equal(new Set(train.labels).size, train.classCount, name);
      assert.equal(new Set(test.labels).size, train.classCount, name);
    }
  });
});
