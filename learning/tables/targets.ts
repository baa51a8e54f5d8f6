/** Targets: numbers that a model is to answer with, scaled by constants that all clients share. */
import type { MissingPolicy } from "./schema.ts";
import { quoted, refusal } from "./table.ts";
import type { Row, Table } from "./table.ts";
import { missingTest, numberFrom } from "./values.ts";

/** What the target of a row is subtracted and divided by. */
export interface TargetScaling {
  readonly mean: number;
  readonly stdDev: number;
}

/** @returns a reader of one row's scaled target, which throws DATASET_VALUE_MISSING and DATASET_LABEL_INVALID */
export function targetReader(
  { path, decimal }: Table,
  {
    label,
    missing,
  }: { readonly label: { readonly index: number; readonly name: string }; readonly missing: MissingPolicy },
  { mean, stdDev }: TargetScaling,
): (row: Row) => number {
  const isAbsent = missingTest(missing.markers, decimal);
  return ({ number, cells }) => {
    const cell = cells[label.index]!;
    const place = { path, row: number, column: label.name, value: cell };
    if (isAbsent(cell))
      throw refusal("DATASET_VALUE_MISSING", place, "the target is missing", "fill it in, or take the row out");
    const value = numberFrom(cell, decimal);
    const scaled = value === undefined ? NaN : Math.fround((value - mean) / stdDev);
    if (Number.isFinite(scaled)) return scaled;
    throw refusal(
      "DATASET_LABEL_INVALID",
      place,
      `the target ${quoted(cell)} is ${value === undefined ? "no number" : "out of range"}`,
      "correct it, or name the column of the target with label=",
    );
  };
}
