/** What a cell says: a number, a day, or nothing. */
import { quoted, refusal } from "./table.ts";
import type { Cell, Decimal, Place } from "./table.ts";

/** How tables write that there is no value; compared without regard to case and blanks around it. */
const MISSING_MARKERS: ReadonlySet<string> = new Set([
  "",
  "na",
  "n/a",
  "#n/a",
  "<na>",
  "nan",
  "null",
  "none",
  "nil",
  "?",
  "-",
  "--",
  ".",
]);

/** A day's milliseconds. */
const DAY = 86_400_000;
// Only one way to read a row of digits: with two, a long cell takes time that grows with the square of its length.
const POINT = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?(\d+(,\d*)?|,\d+)(e[+-]?\d+)?$/i;
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** @param markers more of them, of one task or argument */
export function isMissing(cell: Cell, markers: readonly string[] = []): boolean {
  if (cell === null) return true;
  if (typeof cell === "number") return Number.isNaN(cell) || markers.some((marker) => Number(marker) === cell);
  const text = cell.trim();
  return MISSING_MARKERS.has(text.toLowerCase()) || markers.includes(text);
}

/**
 * The same for a column: where its values are numbers, a marker that is one stands for the number, however a cell
 * writes it: -999 for -999.0 as well.
 * @param decimal of a column of numbers
 */
export function missingTest(markers: readonly string[] = [], decimal?: Decimal): (cell: Cell) => boolean {
  const values =
    decimal === undefined
      ? []
      : markers.flatMap((marker) => numberFrom(marker, decimal) ?? numberFrom(marker, ".") ?? []);
  if (decimal === undefined || values.length === 0) return (cell) => isMissing(cell, markers);
  return (cell) => {
    if (isMissing(cell, markers)) return true;
    const value = numberFrom(cell, decimal);
    return value !== undefined && values.includes(value);
  };
}

/** Whether it is written as numbers are, and larger than any that a computer calculates with. */
export function isBeyondNumbers(cell: Cell, decimal: Decimal): boolean {
  if (typeof cell === "number") return Math.abs(cell) === Infinity;
  return (
    cell !== null && (decimal === "." ? POINT : COMMA).test(cell.trim()) && numberFrom(cell, decimal) === undefined
  );
}

/** A finite number in decimal digits, or undefined: no thousands separators, units, hexadecimals or infinities. */
export function numberFrom(cell: Cell, decimal: Decimal): number | undefined {
  if (typeof cell === "number") return Number.isFinite(cell) ? cell : undefined;
  if (cell === null) return undefined;
  const text = cell.trim();
  if (!(decimal === "." ? POINT : COMMA).test(text)) return undefined;
  const value = Number(decimal === "." ? text : text.replace(",", "."));
  return Number.isFinite(value) ? value : undefined;
}

/** A cell as float32, of files whose every value is a number. @throws DATASET_VALUE_INVALID */
export function floatFrom(cell: string, place: Place): number {
  const value = Math.fround(numberFrom(cell, ".") ?? NaN);
  if (Number.isFinite(value)) return value;
  throw refusal("DATASET_VALUE_INVALID", place, `${quoted(cell)} is not a number`, "correct it");
}

/**
 * Days since 1970-01-01, fractions included, of a date or time as ISO 8601 writes it (2024-03-01, 2024-03-01T12:00);
 * without an offset the time is UTC. Undefined for anything else: 03/04/2024 is a day in March or in April.
 */
export function daysFrom(cell: Cell): number | undefined {
  if (typeof cell !== "string") return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", offset = "Z"] =
    ISO_DATE.exec(cell.trim()) ?? [];
  if (year === undefined) return undefined;
  const midnight = new Date(`${year}-${month}-${day}T00:00:00Z`);
  // A day that the month does not have becomes one of the next month.
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined;
  const zone = offset === "Z" ? "Z" : `${offset.slice(0, 3)}:${offset.slice(-2)}`;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(time) ? undefined : time / DAY;
}

/** The day of such a number, as ISO 8601 writes it; the number itself where no calendar has it. */
export function dayText(days: number): string {
  const date = new Date(Math.round(days * DAY));
  return Number.isNaN(date.getTime()) ? String(days) : date.toISOString().slice(0, 10);
}
