/** Whether a table's first row names its columns. */
import { listed, quoted, refusal } from "./table.ts";
import type { Decimal, Place } from "./table.ts";
import { daysFrom, isMissing, numberFrom } from "./values.ts";

type Kind = "missing" | "value" | "text";

/**
 * Words above values are a header; numbers, days and missing values are a row. All else is asked, not guessed.
 *
 * @param first the first row
 * @param below rows after it
 * @param place of the first row
 * @throws DATASET_HEADER_UNCLEAR naming the cell that speaks against a header
 */
export function isHeader(
  first: readonly string[],
  below: readonly (readonly string[])[],
  decimal: Decimal,
  place: Place,
): boolean {
  const kindOf = (cell: string): Kind =>
    isMissing(cell)
      ? "missing"
      : numberFrom(cell, decimal) !== undefined || daysFrom(cell) !== undefined
        ? "value"
        : "text";
  const kinds = first.map(kindOf);
  const unclear = (column: number, problem: string): never => {
    throw refusal(
      "DATASET_HEADER_UNCLEAR",
      { ...place, column: String(column + 1), value: first[column]! },
      problem,
      "say with header=yes or header=no whether this row names the columns",
    );
  };
  if (!kinds.includes("text")) {
    if (isCount(first)) unclear(0, `the first row, ${listed(first, 4)}, may count the columns or be an example`);
    return false;
  }
  const recurring = first.findIndex(
    (cell, column) => kinds[column] === "text" && below.some((cells) => cells[column]?.trim() === cell.trim()),
  );
  const isRepeated = below.some(
    (cells) => cells.length === first.length && cells.every((cell, i) => cell === first[i]),
  );
  const value = kinds.indexOf("value");
  if (value < 0) {
    if (recurring >= 0 && !isRepeated)
      unclear(
        recurring,
        `the first row may be an example: ${quoted(first[recurring]!)} is in this column again below it`,
      );
    return true;
  }
  const isAsBelow = first.every((_, column) => {
    const others = new Set(below.flatMap((cells) => (cells[column] === undefined ? [] : [kindOf(cells[column])])));
    return kinds[column] === "missing" || others.has(kinds[column]!);
  });
  if (!isAsBelow || recurring < 0 || isRepeated)
    unclear(value, `the first row has words and numbers: ${quoted(first[value]!)} does not look like a column's name`);
  return false;
}

/** 0, 1, 2, … or 1, 2, 3, …, as programs number columns. */
function isCount(cells: readonly string[]): boolean {
  const start = Number(cells[0]);
  return (
    cells.length > 2 && (start === 0 || start === 1) && cells.every((cell, i) => cell.trim() === String(start + i))
  );
}
