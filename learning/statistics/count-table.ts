/** One client's counts and sums over a table, in one pass and memory that does not grow with it. */
import { ensure } from "../../protocol/errors.ts";
import { columnCalled } from "../tables/plan.ts";
import { listed, quoted, refusal } from "../tables/table.ts";
import type { Cell, Place as CellPlace, Table } from "../tables/table.ts";
import { daysFrom, missingTest, numberFrom } from "../tables/values.ts";
import { layoutOf, writeDigits } from "./statistics-model.ts";
import type { StatisticsColumn, StatisticsModel } from "./statistics-model.ts";

/** Whole numbers of one column. */
interface Tally {
  present: number;
  outside: number;
  /** Of values as whole multiples of 2^−valueBits of the range. */
  sum: number;
  squares: number;
  readonly counts: number[];
}

/**
 * The vector of digits that a client adds to the round's sum; its coordinates are whole, in [0, 2^digitBits).
 * @param markers what stands for a missing value besides the usual words
 * @throws DATASET_COLUMN_ABSENT, DATASET_VALUE_INVALID, DATASET_CATEGORY_UNKNOWN, DATASET_TOO_LARGE for more rows than
 *   the task allows, DATASET_EMPTY, and what reading throws
 */
export async function countTable(
  table: Table,
  model: StatisticsModel,
  markers: readonly string[] = [],
): Promise<Float32Array> {
  const { path } = table;
  const placed = model.columns.map((column) => ({ ...columnCalled(table, column.name), column }));
  const tallies = placed.map(({ column }) => emptyTally(column));
  const tests = placed.map(({ column }) => missingTest(markers, column.type === "number" ? table.decimal : undefined));
  let rows = 0;
  for await (const batch of table.batches())
    for (const { number, cells } of batch) {
      rows++;
      ensure(
        rows <= model.maxRows,
        "DATASET_TOO_LARGE",
        `${path} has more than the ${model.maxRows} rows that the task allows`,
        {
          path,
        },
      );
      placed.forEach(({ index, name, column }, i) => {
        const value = cells[index]!;
        add(
          tallies[i]!,
          value,
          { column, model, decimal: table.decimal, isAbsent: tests[i]! },
          { path, row: number, column: name, value },
        );
      });
    }
  ensure(rows > 0, "DATASET_EMPTY", `${path} holds no row`, { path });
  return vectorOf(model, rows, tallies);
}

interface Reading {
  readonly column: StatisticsColumn;
  readonly model: StatisticsModel;
  readonly decimal: Table["decimal"];
  readonly isAbsent: (cell: Cell) => boolean;
}

function add(tally: Tally, cell: Cell, { column, model, decimal, isAbsent }: Reading, place: CellPlace): void {
  if (column.type === "category") {
    const word = String(cell).trim();
    const found = column.values.indexOf(word);
    if (found < 0 && isAbsent(cell)) return;
    if (found < 0)
      throw refusal(
        "DATASET_CATEGORY_UNKNOWN",
        place,
        `${quoted(cell)} is none of the task's values, ${listed(column.values)}`,
        "correct the value; only the task's operator can add one",
      );
    tally.present++;
    tally.counts[found]!++;
    return;
  }
  if (isAbsent(cell)) return;
  const value = column.type === "date" ? (daysFrom(cell) ?? numberFrom(cell, decimal)) : numberFrom(cell, decimal);
  if (value === undefined)
    throw refusal("DATASET_VALUE_INVALID", place, `${quoted(cell)} is no ${column.type}`, "correct it");
  const share = (Math.min(column.to, Math.max(column.from, value)) - column.from) / (column.to - column.from);
  const one = 2 ** model.valueBits;
  tally.present++;
  if (value < column.from || value > column.to) tally.outside++;
  tally.sum += Math.round(share * one);
  tally.squares += Math.round(share * share * one);
  tally.counts[Math.min(column.bins - 1, Math.floor(share * column.bins))]!++;
}

function emptyTally(column: StatisticsColumn): Tally {
  const counts = Array<number>(column.type === "category" ? column.values.length : column.bins).fill(0);
  return { present: 0, outside: 0, sum: 0, squares: 0, counts };
}

function vectorOf(model: StatisticsModel, rows: number, tallies: readonly Tally[]): Float32Array {
  const layout = layoutOf(model);
  const vector = new Float32Array(layout.length);
  const { digitBits } = model;
  writeDigits(vector, layout.rows, rows, digitBits);
  layout.columns.forEach(({ present, range, counts }, i) => {
    const tally = tallies[i]!;
    writeDigits(vector, present, tally.present, digitBits);
    if (range !== undefined) {
      writeDigits(vector, range.outside, tally.outside, digitBits);
      writeDigits(vector, range.sum, tally.sum, digitBits);
      writeDigits(vector, range.squares, tally.squares, digitBits);
    }
    counts.forEach((place, k) => writeDigits(vector, place, tally.counts[k]!, digitBits));
  });
  return vector;
}
