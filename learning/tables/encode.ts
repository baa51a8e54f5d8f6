/** Examples from a table's rows, by a plan. */
import { VerisumError } from "../../protocol/errors.ts";
import type { Dataset, DataNote } from "../examples.ts";
import { growingFloats, growingIntegers } from "./growing.ts";
import { labelReader } from "./labels.ts";
import type { Feature, PlacedColumn, PlanToAnswer } from "./plan.ts";
import { widthOf } from "./schema.ts";
import { listed, optionText, quoted, refusal, shown } from "./table.ts";
import type { Cell, Place, Row, Table } from "./table.ts";
import { targetReader } from "./targets.ts";
import { daysFrom, isBeyondNumbers, isMissing, missingTest, numberFrom } from "./values.ts";

/** A data set with what its rows are split by. */
export interface Encoded {
  readonly data: Dataset;
  /** Of each example: equal for examples that belong together. Absent unless the plan has a group. */
  readonly groups?: readonly string[];
  /** Of each example. Absent unless the plan has a time. */
  readonly times?: readonly number[];
  /** Of each example: where a person finds it. */
  readonly rowNumbers: Uint32Array;
  readonly notes: readonly DataNote[];
}

/**
 * @param mayLackAnswers whether a row without an answer is one all the same: its label is −1, its target NaN
 * @throws DATASET_EMPTY, DATASET_TOO_LARGE, DATASET_VALUE_MISSING, DATASET_VALUE_INVALID, DATASET_CATEGORY_UNKNOWN,
 *   DATASET_LABEL_INVALID, DATASET_CLASSES_UNSTATED, and what reading throws
 */
export async function encodeTable(table: Table, plan: PlanToAnswer, mayLackAnswers = false): Promise<Encoded> {
  const { path } = table;
  const width = plan.features.reduce((sum, { schema }) => sum + widthOf(schema), 0);
  const features = growingFloats(path);
  const labels = growingIntegers();
  const targets = growingFloats(path);
  const numbers = growingIntegers();
  const { label } = plan;
  const readLabel =
    plan.target === undefined && label !== undefined ? labelReader(table, { ...plan, label }) : undefined;
  const readTarget =
    plan.target === undefined || label === undefined ? undefined : targetReader(table, { ...plan, label }, plan.target);
  const lacks = lackTests(plan, table);
  const target = new Float32Array(1);
  const encoders = plan.features.map((feature) => encoderOf(feature, plan, table));
  const groups: string[] = [];
  // One text for each group: millions of rows have few of them.
  const groupNames = new Map<string, string>();
  const times: number[] = [];
  const readTime = timeReader(plan, table);
  const values = new Float32Array(width);
  let dropped = 0;
  const coded = new Set<Feature>();
  for await (const rows of table.batches())
    for (const row of rows) {
      for (const feature of plan.features)
        if (feature.schema.type === "number" && isCode(row.cells[feature.index]!)) coded.add(feature);
      if (plan.missing.policy === "drop-row" && (lacks.feature(row) || (!mayLackAnswers && lacks.label(row)))) {
        dropped++;
        continue;
      }
      let at = 0;
      for (const { encode, size } of encoders) {
        encode(row, values, at);
        at += size;
      }
      const isUnanswered = mayLackAnswers && lacks.label(row);
      labels.push(isUnanswered ? -1 : (readLabel?.(row) ?? 0));
      numbers.push(row.number);
      if (readTarget !== undefined) {
        target[0] = isUnanswered ? NaN : readTarget(row);
        targets.push(target);
      }
      features.push(values);
      if (plan.group !== undefined) {
        const name = textOf(row, plan.group, plan, path);
        groups.push(groupNames.get(name) ?? (groupNames.set(name, name), name));
      }
      if (plan.time !== undefined) times.push(readTime(row, plan.time));
    }
  if (labels.length === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  const found = labels.values();
  const { classCount, classNames } = readLabel?.classes(found) ?? { classCount: 0 };
  return {
    data: {
      features: features.values(),
      labels: found,
      exampleCount: labels.length,
      featureShape: [width],
      classCount,
      ...(plan.target === undefined || readTarget === undefined
        ? {}
        : { targets: targets.values(), targetScaling: plan.target }),
      ...(classNames === undefined ? {} : { classNames }),
      ...(label === undefined ? { isUnanswered: true } : {}),
    },
    rowNumbers: Uint32Array.from(numbers.values()),
    ...(plan.group === undefined ? {} : { groups }),
    ...(plan.time === undefined ? {} : { times }),
    notes: [...codeNotes([...coded], plan.isByTask), ...droppedNote(dropped, path)],
  };
}

/** Whether it begins as codes do, such as postcodes: no quantity is written with a zero before other digits. */
function isCode(cell: Cell): boolean {
  return typeof cell === "string" && cell.length > 1 && cell.startsWith("0") && cell[1]! >= "0" && cell[1]! <= "9";
}

function codeNotes(coded: readonly Feature[], isByTask: boolean): DataNote[] {
  return coded.map(({ name }) => ({
    level: "warning",
    event: "column-identifier",
    column: name,
    text: `column ${name}: it has values that begin with zeros, as codes do and quantities do not${isByTask ? "" : `; drop=${optionText(name)} leaves it out`}`,
  }));
}

function droppedNote(dropped: number, path: string): DataNote[] {
  return dropped === 0
    ? []
    : [
        {
          level: "warning",
          event: "rows-dropped",
          text: `${path}: ${dropped} row(s) with a missing value are left out`,
        },
      ];
}

interface Encoder {
  readonly size: number;
  encode(row: Row, values: Float32Array, at: number): void;
}

function encoderOf({ index, name, schema, scale }: Feature, plan: PlanToAnswer, { path, decimal }: Table): Encoder {
  const { missing } = plan;
  const isAbsent = missingTest(missing.markers, schema.type === "number" ? decimal : undefined);
  const constant = missing.policy === "constant" ? missing.values[name] : undefined;
  const placeOf = (row: Row): Place => ({ path, row: row.number, column: name, value: row.cells[index]! });
  /** The cell, or the task's constant in its place. */
  const valueOf = (row: Row): Cell => {
    const cell = row.cells[index]!;
    if (schema.type === "category" && typeof cell === "string" && schema.values.includes(cell.trim())) return cell;
    if (!isAbsent(cell)) return cell;
    if (constant === undefined) throw missingValue(placeOf(row), plan.isByTask);
    return constant;
  };
  switch (schema.type) {
    case "category":
      return {
        size: schema.values.length,
        encode(row, values, at) {
          const cell = valueOf(row);
          const found = schema.values.indexOf(String(cell).trim());
          if (found < 0)
            throw refusal(
              "DATASET_CATEGORY_UNKNOWN",
              placeOf(row),
              `${quoted(cell)} is none of the task's values, ${listed(schema.values)}`,
              "correct the value; only the task's operator can add one",
            );
          values.fill(0, at, at + schema.values.length);
          values[at + found] = 1;
        },
      };
    case "number":
    case "date":
      return {
        size: 1,
        encode(row, values, at) {
          const cell = valueOf(row);
          const value = schema.type === "date" && typeof cell === "string" ? daysFrom(cell) : numberFrom(cell, decimal);
          const scaled = value === undefined ? NaN : Math.fround(scale(value));
          if (!Number.isFinite(scaled))
            throw invalidValue(
              placeOf(row),
              schema.type,
              isBeyondNumbers(cell, decimal) ? Infinity : value,
              plan.isByTask,
            );
          values[at] = scaled;
        },
      };
  }
}

function missingValue(place: Place, isByTask: boolean): VerisumError {
  return refusal(
    "DATASET_VALUE_MISSING",
    place,
    place.value === "" || place.value === null ? "there is no value" : `${quoted(place.value!)} stands for no value`,
    isByTask
      ? "fill it in, or take the row out; what else is done with it only the task's document can say (data.missing)"
      : "fill it in, or leave such rows out with missing=drop-row; in a task its document says what is done (data.missing)",
  );
}

function invalidValue(
  place: Place,
  type: "number" | "date",
  value: number | undefined,
  isByTask: boolean,
): VerisumError {
  const { column = "" } = place;
  const problem =
    value !== undefined
      ? `${quoted(place.value!)} is out of range`
      : type === "date"
        ? `${quoted(place.value!)} is no date such as 2024-03-01`
        : `${quoted(place.value!)} is not a number`;
  if (isByTask)
    return refusal(
      "DATASET_VALUE_INVALID",
      place,
      problem,
      `correct it, or take the row out: the task asks for this column as a ${type}, and only its operator can change that`,
    );
  const remedy = `correct it, or leave the column out with drop=${optionText(column)}`;
  const words =
    type === "number" && value === undefined
      ? `; if it stands for no value, say na=${optionText(shown(place.value!).trim())}; words need a list of categories in the task's document (data.columns)`
      : "";
  return refusal("DATASET_VALUE_INVALID", place, problem, remedy + words);
}

/** Whether a row lacks its label, or the value of a feature. Words that a list names are values. */
function lackTests(
  { features, label, classes, target, missing: { markers } }: PlanToAnswer,
  { decimal }: Table,
): { readonly label: (row: Row) => boolean; readonly feature: (row: Row) => boolean } {
  const testOf = (index: number, isNumber: boolean, listed: readonly string[] | undefined) => {
    const isAbsent = missingTest(markers, isNumber ? decimal : undefined);
    return ({ cells }: Row): boolean => {
      const cell = cells[index]!;
      return isAbsent(cell) && listed?.includes(String(cell).trim()) !== true;
    };
  };
  const names = typeof classes === "object" ? classes : undefined;
  const tests = features.map(({ index, schema }) =>
    testOf(index, schema.type === "number", schema.type === "category" ? schema.values : undefined),
  );
  return {
    label: label === undefined ? () => true : testOf(label.index, target !== undefined || names === undefined, names),
    feature: (row) => tests.some((isLacking) => isLacking(row)),
  };
}

/** @throws DATASET_VALUE_MISSING */
function textOf(row: Row, { index, name }: PlacedColumn, { missing, isByTask }: PlanToAnswer, path: string): string {
  const cell = row.cells[index]!;
  if (isMissing(cell, missing.markers))
    throw missingValue({ path, row: row.number, column: name, value: cell }, isByTask);
  return String(cell).trim();
}

/**
 * A day or a number; the larger, the later. All rows have the same kind: a number is no day since 1970.
 * @returns a reader, which throws DATASET_VALUE_MISSING and DATASET_VALUE_INVALID
 */
function timeReader(plan: PlanToAnswer, { path, decimal }: Table): (row: Row, column: PlacedColumn) => number {
  let kind: "date" | "number" | undefined;
  return (row, column) => {
    const text = textOf(row, column, plan, path);
    const place = { path, row: row.number, column: column.name, value: text };
    const days = daysFrom(text);
    const time = days ?? numberFrom(text, decimal);
    if (time === undefined)
      throw refusal(
        "DATASET_VALUE_INVALID",
        place,
        `${quoted(text)} is neither a date such as 2024-03-01 nor a number`,
        "correct it, or leave time= away",
      );
    const found = days === undefined ? "number" : "date";
    kind ??= found;
    if (kind !== found)
      throw refusal(
        "DATASET_VALUE_INVALID",
        place,
        `${quoted(text)} is a ${found}, and the rows before it have a ${kind}`,
        "write all times in one way",
      );
    return time;
  };
}
