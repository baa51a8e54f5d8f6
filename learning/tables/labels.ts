/** Labels: the classes that are stated, or whole numbers from 0. */
import type { Plan } from "./plan.ts";
import { MAX_CLASSES } from "./schema.ts";
import { listed, optionText, quoted, refusal } from "./table.ts";
import type { Cell, Row, Table } from "./table.ts";
import { missingTest, numberFrom } from "./values.ts";

/** A table of so many rows, each with a label of its own, has no classes. */
const ENOUGH_ROWS = 10;

export interface LabelReader {
  /** @throws DATASET_LABEL_INVALID, DATASET_VALUE_MISSING, DATASET_CLASSES_UNSTATED for words without a list */
  (row: Row): number;
  /** @throws DATASET_LABEL_INVALID for labels that are all different, as an identifier's are */
  classes(labels: Int32Array): { readonly classCount: number; readonly classNames?: readonly string[] };
}

export function labelReader(table: Table, { label, classes, missing }: Plan): LabelReader {
  const { path, decimal } = table;
  const names = typeof classes === "object" ? classes : undefined;
  const limit = typeof classes === "number" ? classes : MAX_CLASSES;
  const numbered = names === undefined ? undefined : new Map(numbersOf(names));
  const isAbsent = missingTest(missing.markers, names === undefined ? decimal : undefined);
  const read = (row: Row): number => {
    const cell = row.cells[label.index]!;
    const place = { path, row: row.number, column: label.name, value: cell };
    const named = names?.indexOf(String(cell).trim()) ?? -1;
    if (named >= 0) return named;
    if (isAbsent(cell))
      throw refusal("DATASET_VALUE_MISSING", place, "the label is missing", "fill it in, or take the row out");
    const value = numberFrom(cell, decimal);
    if (names !== undefined) {
      const found = value === undefined ? undefined : numbered!.get(value);
      if (found !== undefined) return found;
      throw refusal(
        "DATASET_LABEL_INVALID",
        place,
        `${quoted(cell)} is none of the classes, ${listed(names)}`,
        "correct it, or the list of classes",
      );
    }
    if (value === undefined)
      throw refusal(
        "DATASET_CLASSES_UNSTATED",
        place,
        `the label ${quoted(cell)} is a word, and classes have no order of their own`,
        `name all classes in order, as classes=${optionText(String(cell).trim())},…, or in the task's document (data.classes)`,
      );
    if (!Number.isInteger(value) || value < 0 || value >= limit)
      throw refusal(
        "DATASET_LABEL_INVALID",
        place,
        `the label ${quoted(cell)} is not a whole number from 0 to ${limit - 1}`,
        "name the column of the label with label=, or all classes in order with classes=",
      );
    return value;
  };
  return Object.assign(read, {
    classes(labels: Int32Array) {
      if (names !== undefined) return { classCount: names.length, classNames: names };
      if (typeof classes === "number") return { classCount: classes };
      if (labels.length >= ENOUGH_ROWS && new Set(labels).size === labels.length)
        throw refusal(
          "DATASET_LABEL_INVALID",
          { path, column: label.name },
          `each of ${labels.length} rows has a label of its own, as an identifier or a measured value has`,
          "name the column of the label with label=, or the number of classes with classes=",
        );
      return { classCount: labels.reduce((largest, value) => Math.max(largest, value), 1) + 1 };
    },
  });
}

/** Class names that are numbers: 1.0 in a file is the class named 1. */
function numbersOf(names: readonly Cell[]): [number, number][] {
  return names.flatMap((name, i): [number, number][] => {
    const value = numberFrom(name, ".");
    return value === undefined ? [] : [[value, i]];
  });
}
