/**
 * JSON Lines as a table: keys are columns, and each value of an array is one, called `key.0`, `key.1` and so on.
 *
 * Columns lie in the alphabetical order of their keys, and arrays in their own: the order of keys in an object means
 * nothing, and clients with the same data must get the same columns.
 */
import { VerisumError } from "../../protocol/errors.ts";
import { repeatedKey } from "../../protocol/repeated-key.ts";
import { linesOf } from "./lines.ts";
import type { Line } from "./lines.ts";
import { assertDistinct, refusal } from "./table.ts";
import type { Cell, Row, Table } from "./table.ts";
import type { TextSource } from "./text.ts";

const REMEDY = "correct the line";
/** Sixteen digits in a row, as Number.MAX_SAFE_INTEGER has, or an exponent of three: 1e309 is no number any more. */
const LARGE_NUMBER = /[:[,\s-]\d{16}|\d[eE]\+?\d{3}/;

/** Blank lines are ignored. @throws DATASET_EMPTY, DATASET_TOO_LARGE, DATASET_MALFORMED, and what reading throws */
export async function openJsonLines(source: TextSource): Promise<Table> {
  const { path } = source;
  const first = await firstLine(source);
  if (first === undefined) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  const { columns } = cellsFrom(first, path);
  assertDistinct(columns, { path, row: first.number });
  return {
    path,
    columns,
    hasHeader: true,
    unnamed: [],
    decimal: ".",
    notes: [],
    async *batches() {
      for await (const lines of linesOf(source)) yield lines.map((line) => rowFrom(line, columns, path));
    },
  };
}

function rowFrom(line: Line, expected: readonly string[], path: string): Row {
  const { columns, cells } = cellsFrom(line, path);
  if (columns.length !== expected.length || columns.some((name, i) => name !== expected[i]))
    throw malformed(path, line, "its keys or the lengths of its arrays are not those of the first line");
  return { number: line.number, cells };
}

function cellsFrom(line: Line, path: string): { readonly columns: readonly string[]; readonly cells: readonly Cell[] } {
  const columns: string[] = [];
  const cells: Cell[] = [];
  const add = (name: string, value: unknown): void => {
    if (value !== null && typeof value === "object")
      throw refusal(
        "DATASET_VALUE_INVALID",
        { path, row: line.number, column: name },
        "it is neither a number, a word nor an array of them",
        REMEDY,
      );
    columns.push(name);
    cells.push(
      typeof value === "number" || typeof value === "string" || value === null ? value : JSON.stringify(value),
    );
  };
  const entries = Object.entries(objectFrom(line, path)).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of entries)
    if (Array.isArray(value)) value.forEach((item: unknown, i) => add(`${key}.${i}`, item));
    else add(key, value);
  return { columns, cells };
}

/** Numbers that no float holds, and integers that none holds exactly, become text: identifiers stay apart. */
function parseExactly(text: string): unknown {
  const asText = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === "number" && (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      ? (context?.source ?? value)
      : value;
  return JSON.parse(text, asText);
}

function objectFrom(line: Line, path: string): object {
  let value: unknown;
  try {
    value = LARGE_NUMBER.test(line.text) ? parseExactly(line.text) : JSON.parse(line.text);
  } catch (cause) {
    if (/^[[{]$|^\[\s*\{/.test(line.text))
      throw refusal(
        "DATASET_MALFORMED",
        { path, row: line.number },
        "its object or array goes on in the next lines",
        "write one object a line, without brackets around them",
      );
    throw malformed(path, line, `it is not complete JSON: ${(cause as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(path, line, "it is not an object");
  // Each key has a colon: where there are no more of them, no key is there twice.
  const repeated = colonsIn(line.text) > Object.keys(value).length ? repeatedKey(line.text) : undefined;
  if (repeated !== undefined)
    throw refusal(
      "DATASET_MALFORMED",
      { path, row: line.number, column: repeated },
      "the key is there twice, and only one of its values would count",
      REMEDY,
    );
  return value;
}

function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) count++;
  return count;
}

async function firstLine(source: TextSource): Promise<Line | undefined> {
  for await (const [line] of linesOf(source)) if (line !== undefined) return line;
  return undefined;
}

function malformed(path: string, { number }: Line, problem: string): VerisumError {
  return refusal("DATASET_MALFORMED", { path, row: number }, problem, REMEDY);
}
