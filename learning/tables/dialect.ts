/** How a text file separates columns and writes numbers: found in its first rows, or asked where it is unclear. */
import Papa from "papaparse";
import { listed, quoted, refusal } from "./table.ts";
import type { Decimal } from "./table.ts";

/** Delimiters by the names that options and messages have for them; any other single character is taken as it is. */
export const DELIMITERS: Readonly<Record<string, string>> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  pipe: "|",
  space: " ",
};
/** Those that are looked for; columns between blanks are read where they are asked for. */
const CANDIDATES = [",", ";", "\t", "|"];
/** A delimiter is better than another one if it is better by so much of what there is to reach. */
const CLEARLY = 0.1;
const DECIMAL_COMMA = /^[+-]?\d*,\d+$/;
const DECIMAL_POINT = /^[+-]?\d*\.\d+$/;
const THOUSANDS = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

/**
 * The delimiter with which all rows have the same number of cells, and cells hold no other delimiter.
 * @param text some whole rows
 * @throws DATASET_DIALECT_UNCLEAR if none or several would do
 */
export function delimiterOf(text: string, path: string): string {
  const scores = CANDIDATES.map((delimiter) => ({ delimiter, score: scoreOf(delimiter, text) }));
  const [best, second] = scores.toSorted((a, b) => b.score - a.score);
  if (best!.score === 0)
    throw refusal(
      "DATASET_DIALECT_UNCLEAR",
      { path },
      "no delimiter gives its rows a feature and a label column",
      "name it with delimiter=comma, semicolon, tab, pipe or space",
    );
  if (best!.score - second!.score < CLEARLY)
    throw refusal(
      "DATASET_DIALECT_UNCLEAR",
      { path },
      `${nameOf(best!.delimiter)} and ${nameOf(second!.delimiter)} could both separate its columns`,
      "say which with delimiter=",
    );
  return best!.delimiter;
}

/** A delimiter as options name it. */
export function nameOf(delimiter: string): string {
  return Object.entries(DELIMITERS).find(([, character]) => character === delimiter)?.[0] ?? quoted(delimiter);
}

/** 0 for a delimiter that separates nothing, 1 for one that all rows agree on. */
function scoreOf(delimiter: string, text: string): number {
  const { data } = Papa.parse<string[]>(text, { delimiter, newline: "\n" });
  const rows = data.filter((cells) => cells.some((cell) => cell.trim() !== ""));
  const widths = new Map<number, number>();
  for (const { length } of rows) widths.set(length, (widths.get(length) ?? 0) + 1);
  const [width, count] = [...widths].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0]);
  if (width < 2) return 0;
  const cells = rows.flat();
  const plain = cells.filter((cell) => isPlain(cell, delimiter)).length;
  return (count / rows.length + plain / cells.length) / 2;
}

function isPlain(cell: string, delimiter: string): boolean {
  return DECIMAL_COMMA.test(cell.trim()) || !CANDIDATES.some((other) => other !== delimiter && cell.includes(other));
}

/**
 * Whether numbers have a decimal point or a decimal comma.
 * @param delimiter of the columns
 * @throws DATASET_DIALECT_UNCLEAR if there are both, or only such as 1,234, which may be a thousand
 */
export function decimalOf(cells: readonly string[], path: string, delimiter = ","): Decimal {
  const texts = cells.map((cell) => cell.trim());
  const commas = texts.filter((text) => DECIMAL_COMMA.test(text));
  const points = texts.filter((text) => DECIMAL_POINT.test(text));
  const point = points[0];
  const remedy = "say which with decimal=comma or decimal=point";
  if (commas.length === 0) {
    // Semicolons separate columns where numbers have a decimal comma: there 1.234 is more than a thousand.
    if (delimiter === ";" && point !== undefined && points.every((text) => THOUSANDS.test(text)))
      throw refusal(
        "DATASET_DIALECT_UNCLEAR",
        { path, value: point },
        `numbers such as ${listed([...new Set(points)], 3)} may have a decimal point or a thousands separator`,
        `${remedy}, and take thousands separators out`,
      );
    return ".";
  }
  const value = commas[0]!;
  if (point !== undefined)
    throw refusal(
      "DATASET_DIALECT_UNCLEAR",
      { path, value },
      `it has numbers such as ${value} and such as ${point}`,
      `${remedy}, and take thousands separators out`,
    );
  if (commas.every((text) => THOUSANDS.test(text)))
    throw refusal(
      "DATASET_DIALECT_UNCLEAR",
      { path, value },
      `numbers such as ${listed([...new Set(commas)], 3)} may have a decimal comma or a thousands separator`,
      `${remedy}, and take thousands separators out`,
    );
  return ",";
}
