/**
 * JSON Lines: one object a line, its `label` and its features, numbers or arrays of numbers.
 *
 * Features lie in the alphabetical order of their keys, and arrays in their own: the order of keys in an object means
 * nothing, and clients with the same data must get the same columns.
 */
import { VerisumError } from "../../protocol/errors.ts";
import { MAX_DATA_VALUES, readTextFile } from "../data-file.ts";
import type { Dataset } from "../examples.ts";
import { valueScaling } from "../scaling.ts";
import { dataFormat } from "./format.ts";
import { classCountOf, isTable, labelFrom, loadTable, VALUE_OPTIONS, valueOptions } from "./table.ts";
import type { ValueOptions } from "./table.ts";

const ENDINGS = [".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"];
const LABEL_KEY = "label";
/** Characters of one line: a million values with fifteen digits each. */
const MAX_LINE_LENGTH = 1 << 24;

export const jsonLines = dataFormat({
  name: "JSON Lines",
  sources: "file.jsonl or file.ndjson, also with .gz, or a folder with train.jsonl and test.jsonl",
  options: VALUE_OPTIONS,
  recognises: (source) => isTable(source, ENDINGS),
  load: (source, options) =>
    loadTable(source, ENDINGS, async (path) => parseJsonLines(await readTextFile(path), path, valueOptions(options))),
});

/**
 * Blank lines, a byte order mark and a trailing newline are ignored; line numbers in errors count from 1.
 * @throws DATASET_EMPTY, DATASET_TOO_LARGE, DATASET_MALFORMED for a line that is not JSON or has other keys than the
 *   first, DATASET_VALUE_INVALID, DATASET_LABEL_INVALID, DATASET_SPEC_INVALID as a CSV file
 */
export function parseJsonLines(text: string, path: string, options: ValueOptions): Dataset {
  const lines = linesOf(text.replace(/^\ufeff/, ""));
  if (lines.length === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  const first = exampleFrom(lines[0]!, path);
  const columns = first.values.length;
  if (lines.length * columns > MAX_DATA_VALUES)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} holds ${lines.length}×${columns} values`, { path });
  const scale = valueScaling(options, columns);
  const features = new Float32Array(lines.length * columns);
  const labels = new Int32Array(lines.length);
  lines.forEach((line, i) => {
    const { values, keys, label } = i === 0 ? first : exampleFrom(line, path);
    if (keys !== first.keys)
      throw malformed(path, line, `its keys or the lengths of its arrays are not those of the first`);
    labels[i] = labelFrom(label, options.classCount, placeOf(path, line), { path, line: line.number });
    values.forEach((value, column) => {
      const scaled = Math.fround(scale(value, column));
      if (!Number.isFinite(scaled)) throw invalidValue(path, line, column);
      features[i * columns + column] = scaled;
    });
  });
  const classCount = classCountOf(labels, options.classCount);
  return { features, labels, exampleCount: lines.length, featureShape: [columns], classCount };
}

interface Line {
  readonly number: number;
  readonly text: string;
}

function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .map((line, i) => ({ number: i + 1, text: line.trim() }))
    .filter((line) => line.text !== "");
}

interface Example {
  /** Of the features, with the lengths of arrays: equal for examples of one shape. */
  readonly keys: string;
  readonly values: readonly number[];
  readonly label: unknown;
}

function exampleFrom(line: Line, path: string): Example {
  const { [LABEL_KEY]: label, ...features } = objectFrom(line, path);
  const entries = Object.entries(features).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) throw malformed(path, line, "it has no feature");
  if (label === undefined) throw malformed(path, line, `it has no ${LABEL_KEY}`);
  const keys = JSON.stringify(entries.map(([key, value]) => [key, Array.isArray(value) ? value.length : null]));
  return { keys, label, values: entries.flatMap(([key, value]) => numbersFrom(value, key, line, path)) };
}

function objectFrom(line: Line, path: string): object & { readonly [LABEL_KEY]?: unknown } {
  if (line.text.length > MAX_LINE_LENGTH)
    throw new VerisumError("DATASET_TOO_LARGE", `${placeOf(path, line)}: longer than ${MAX_LINE_LENGTH} characters`, {
      path,
      line: line.number,
    });
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (cause) {
    throw malformed(path, line, "it is not complete JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(path, line, "it is not an object");
  return value;
}

function numbersFrom(value: unknown, key: string, line: Line, path: string): readonly number[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const one of values)
    if (typeof one !== "number")
      throw new VerisumError(
        "DATASET_VALUE_INVALID",
        `${placeOf(path, line)}, key ${key}: neither a number nor an array of numbers`,
        { path, line: line.number, key },
      );
  return values as readonly number[];
}

function placeOf(path: string, { number }: Line): string {
  return `${path}, line ${number}`;
}

function malformed(path: string, line: Line, problem: string, cause?: unknown): VerisumError {
  const details = { path, line: line.number };
  return new VerisumError("DATASET_MALFORMED", `${placeOf(path, line)}: ${problem}`, details, { cause });
}

function invalidValue(path: string, line: Line, column: number): VerisumError {
  return new VerisumError(
    "DATASET_VALUE_INVALID",
    `${placeOf(path, line)}, feature ${column + 1}: the number is out of range`,
    { path, line: line.number, column: column + 1 },
  );
}
