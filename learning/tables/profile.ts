/** What a table's columns hold, found in one pass over its rows in memory that does not grow with them. */
import { createHistogram } from "./histogram.ts";
import type { Bin } from "./histogram.ts";
import type { Cell, Decimal, Table } from "./table.ts";
import { daysFrom, missingTest, numberFrom } from "./values.ts";

/** Different values that are told apart in a column. */
const MOST_DISTINCT = 1000;

export type ColumnType = "empty" | "number" | "date" | "word" | "mixed";

export interface ColumnProfile {
  readonly name: string;
  /** `mixed` where some values are numbers or dates and some are words. */
  readonly type: ColumnType;
  readonly missing: number;
  /** Different values, or null beyond a thousand. */
  readonly distinct: number | null;
  /** How often each value occurs, the most frequent first; empty if there are more than a thousand. */
  readonly values: readonly (readonly [value: string, count: number])[];
  /** Of numbers, and of dates in days since 1970-01-01. */
  readonly figures?: ColumnFigures;
  /** The first value that is neither a number nor a date. */
  readonly firstWord?: { readonly row: number; readonly value: string };
}

export interface ColumnFigures {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  /** Of the values themselves, not of a population. */
  readonly stdDev: number;
  readonly histogram: readonly Bin[];
}

export interface TableProfile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

/** @param markers what stands for a missing value besides the usual words. @throws what reading throws */
export async function profileTable(table: Table, markers: readonly string[] = []): Promise<TableProfile> {
  const profiles = table.columns.map((name) => columnProfiler(name, table.decimal, markers));
  let rows = 0;
  for await (const batch of table.batches())
    for (const { number, cells } of batch) {
      rows++;
      profiles.forEach(({ add }, i) => add(cells[i]!, number));
    }
  return { rows, columns: profiles.map(({ profile }) => profile()) };
}

interface ColumnProfiler {
  add(cell: Cell, row: number): void;
  profile(): ColumnProfile;
}

function columnProfiler(name: string, decimal: Decimal, markers: readonly string[]): ColumnProfiler {
  const isAbsent = missingTest(markers, decimal);
  const counts = new Map<string, number>();
  const kinds = { number: 0, date: 0, word: 0 };
  const histogram = createHistogram();
  let missing = 0;
  let firstWord: ColumnProfile["firstWord"];
  let [count, mean, squares, least, most] = [0, 0, 0, Infinity, -Infinity];
  const measure = (value: number): void => {
    const off = value - mean;
    mean += off / ++count;
    squares += off * (value - mean);
    [least, most] = [Math.min(least, value), Math.max(most, value)];
    histogram.add(value);
  };
  return {
    add(cell, row) {
      if (isAbsent(cell)) {
        missing++;
        return;
      }
      const text = String(cell).trim();
      if (counts.size <= MOST_DISTINCT) counts.set(text, (counts.get(text) ?? 0) + 1);
      const value = numberFrom(cell, decimal);
      const days = value === undefined ? daysFrom(cell) : undefined;
      if (value !== undefined) kinds.number++;
      else if (days !== undefined) kinds.date++;
      else {
        kinds.word++;
        firstWord ??= { row, value: text };
      }
      if (value !== undefined || days !== undefined) measure((value ?? days)!);
    },
    profile() {
      const present = (["number", "date", "word"] as const).filter((kind) => kinds[kind] > 0);
      const type = present.length === 0 ? "empty" : present.length === 1 ? present[0]! : "mixed";
      const isCounted = counts.size <= MOST_DISTINCT;
      return {
        name,
        type,
        missing,
        distinct: isCounted ? counts.size : null,
        values: isCounted ? [...counts].sort(([, a], [, b]) => b - a) : [],
        ...(type === "number" || type === "date"
          ? { figures: { least, most, mean, stdDev: Math.sqrt(squares / count), histogram: histogram.bins() } }
          : {}),
        ...(firstWord === undefined ? {} : { firstWord }),
      };
    },
  };
}
