/** A table as every reader gives it: named columns, and its rows as a stream. What a value means is decided later. */
import { VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { DataNote } from "../examples.ts";

/** A value as the file has it: text is not interpreted yet, null is no value. */
export type Cell = string | number | null;

export interface Row {
  /** Where a person finds it, counted from 1: the line of a text file, or else the row. */
  readonly number: number;
  /** One for each column. */
  readonly cells: readonly Cell[];
}

export interface Table {
  readonly path: string;
  /** Names in the order of the cells, no two alike; a column without a name is called by its number, from 1. */
  readonly columns: readonly string[];
  /** Whether the file names its columns. */
  readonly hasHeader: boolean;
  /** Columns without a name in a file that names the others. */
  readonly unnamed: readonly string[];
  /** Columns whose cells are all null because nothing reads their values, each with the reason. */
  readonly unreadable?: ReadonlyMap<string, string>;
  /** What separates a number's whole and fractional part where numbers are text. */
  readonly decimal: Decimal;
  /** What was found out about the file, such as its delimiter. */
  readonly notes: readonly DataNote[];
  /** All rows from the first, some at a time; each call begins again. @throws DATASET_… */
  batches(): AsyncIterable<readonly Row[]>;
}

export type Decimal = "." | ",";

/** Where in a table something is. */
export interface Place {
  readonly path: string;
  readonly row?: number;
  readonly column?: string;
  readonly value?: Cell;
}

/** Characters of a value that a message shows. */
const MOST_SHOWN = 40;

/** Rows that are made at a time where a file is not read in pieces of its own. */
const BATCH_ROWS = 1024;

/** Rows by their place, some at a time. @param cellsAt the cells of the i-th of them, from 0 */
export function* batchesOf(
  { first, count }: { readonly first: number; readonly count: number },
  cellsAt: (i: number) => readonly Cell[],
): Generator<readonly Row[]> {
  for (let from = 0; from < count; from += BATCH_ROWS)
    yield Array.from({ length: Math.min(BATCH_ROWS, count - from) }, (_, i) => ({
      number: first + from + i,
      cells: cellsAt(from + i),
    }));
}

/** A refusal that names place, value, cause and remedy. */
export function refusal(code: ErrorCode, place: Place, problem: string, remedy: string): VerisumError {
  const { path, row, column, value } = place;
  const where = [
    path,
    ...(row === undefined ? [] : [`row ${row}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
  ];
  const details = {
    path,
    ...(row === undefined ? {} : { row }),
    ...(column === undefined ? {} : { column }),
    ...(value === undefined ? {} : { value: shown(value) }),
  };
  return new VerisumError(code, `${where.join(", ")}: ${problem}; ${remedy}`, details);
}

/** A value as messages quote it. */
export function quoted(value: Cell): string {
  return `“${shown(value)}”`;
}

/** A value as messages show it: no more of it than a line has room for. */
export function shown(value: Cell): string {
  const text = value === null ? "" : String(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** A name as options write it: what has a meaning there is percent-encoded. */
export function optionText(name: string): string {
  return name.replaceAll(/[%&=?,]/g, (character) => encodeURIComponent(character));
}

/**
 * A name as people see it, for comparisons: without capitals, in one Unicode form (é is one character or two), and
 * without characters that nothing shows, such as zero-width spaces and joiners.
 */
export function nameKey(name: string): string {
  return name
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFC")
    .toLowerCase();
}

/** @throws DATASET_COLUMN_REPEATED if two columns have names that look alike, capitals aside */
export function assertDistinct(columns: readonly string[], place: Place): void {
  const seen = new Map<string, number>();
  columns.forEach((name, i) => {
    const key = nameKey(name);
    const before = seen.get(key);
    const isVisible = before !== undefined && columns[before]!.toLowerCase() === name.toLowerCase();
    if (before !== undefined)
      throw refusal(
        "DATASET_COLUMN_REPEATED",
        { ...place, column: name },
        `columns ${before + 1} and ${i + 1} have the same name, ${isVisible ? "" : "invisible characters, Unicode's forms and "}capitals aside`,
        "give each column a name of its own, or take one out",
      );
    seen.set(key, i);
  });
}

/** Names for a message, the first of many. */
export function listed(names: readonly string[], most = 12): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(", ")} and ${rest} more` : names.join(", ");
}
