/**
 * The "model" of a task that sums statistics of its clients' tables in place of training: which columns, over which
 * ranges, and where each count lies in the vector (docs/data.md, "Federated statistics").
 */
import { z } from "zod";
import type { ParameterShape } from "../layers/layer.ts";
import { isOfKind, parsedDescription } from "../model-description.ts";

const MAX_COLUMNS = 1000;
const MAX_BINS = 64;
const name = z.string().min(1).max(200);

const range = {
  name,
  /** Stated; values beyond it count as its ends, and are counted as outside. Dates in days since 1970. */
  from: z.number(),
  to: z.number(),
  /** Of one width. */
  bins: z.int().min(1).max(MAX_BINS).default(1),
};
const columnSchema = z.discriminatedUnion("type", [
  z.strictObject({ ...range, type: z.literal("number") }),
  z.strictObject({ ...range, type: z.literal("date") }),
  z.strictObject({ name, type: z.literal("category"), values: z.array(name).min(1).max(MAX_BINS) }),
]);

const statisticsSchema = z
  .strictObject({
    kind: z.literal("statistics"),
    columns: z.array(columnSchema).min(1).max(MAX_COLUMNS),
    /** Most rows of one client. */
    maxRows: z
      .int()
      .min(1)
      .max(2 ** 32),
    /** A value and its square are rounded to 2^−valueBits of the range. */
    valueBits: z.int().min(1).max(30).default(16),
    /** A digit, and with it a coordinate, is below 2^digitBits. */
    digitBits: z.int().min(1).max(11).default(10),
    /** `exact` takes as many digits as are needed; `one` rounds each number to one, for tasks with noise. */
    digits: z.enum(["exact", "one"]).default("exact"),
  })
  .superRefine(({ columns, maxRows, valueBits }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: "custom", path: ["columns"], message });
    if (new Set(columns.map((column) => column.name)).size < columns.length) refuse("a column twice");
    for (const column of columns)
      if (column.type === "category" && new Set(column.values).size < column.values.length)
        refuse(`a value of ${column.name} twice`);
      else if (column.type !== "category" && !isRange(column))
        refuse(`the range of ${column.name} is empty or endless`);
    if (maxRows * 2 ** valueBits > Number.MAX_SAFE_INTEGER) refuse("maxRows and valueBits give sums above 2^53");
  });

/** Ascending, and of a width that a number holds: shares of another are no numbers. */
function isRange({ from, to }: { readonly from: number; readonly to: number }): boolean {
  return from < to && Number.isFinite(to - from);
}

export type StatisticsModel = z.output<typeof statisticsSchema>;
export type StatisticsColumn = StatisticsModel["columns"][number];

/** One number of a client, and where its digits begin in the vector, the least one first. */
export interface Place {
  readonly at: number;
  readonly digits: number;
  /** What one unit of the digits stands for; above 1 the number is rounded. */
  readonly unit: number;
  /** The largest that it can be for one client. */
  readonly most: number;
}

/** The places of one column's numbers. */
export interface ColumnPlaces {
  /** Rows with a value. */
  readonly present: Place;
  /** Of a range: values beyond it, the sum, the sum of squares, and the bins. */
  readonly range?: { readonly outside: Place; readonly sum: Place; readonly squares: Place };
  /** Rows in each bin, or with each of the words. */
  readonly counts: readonly Place[];
}

export interface StatisticsLayout {
  readonly rows: Place;
  readonly columns: readonly ColumnPlaces[];
  readonly tensors: readonly ParameterShape[];
  /** Coordinates. */
  readonly length: number;
  /** L2 norm that no client's vector exceeds, rounded up. */
  readonly largestNorm: number;
}

/** True if a description says that it is of statistics, be it right or wrong otherwise. */
export function isStatistics(description: unknown): boolean {
  return isOfKind(description, "statistics");
}

/** @throws MODEL_DESCRIPTION_INVALID */
export function parseStatistics(description: unknown): StatisticsModel {
  return parsedDescription(statisticsSchema, description);
}

export function layoutOf(model: StatisticsModel): StatisticsLayout {
  const { columns, maxRows, valueBits } = model;
  const tensors: ParameterShape[] = [];
  let length = 0;
  let normSquared = 0;
  const take = (tensor: string, most: number, count?: number): Place[] => {
    const { digits, unit } = digitsFor(most, model);
    const first = length;
    const places = Array.from({ length: count ?? 1 }, (_, i) => ({ at: first + i * digits, digits, unit, most }));
    length += places.length * digits;
    normSquared += places.length * largestSquares(Math.round(most / unit), digits, model);
    tensors.push({ name: tensor, shape: count === undefined ? [digits] : [count, digits] });
    return places;
  };
  const one = (tensor: string, most: number): Place => take(tensor, most)[0]!;
  const rows = one("rows", maxRows);
  const most = maxRows * 2 ** valueBits;
  const placed = columns.map((column, i): ColumnPlaces => {
    const tensor = `column_${i + 1}`;
    const present = one(`${tensor}.present`, maxRows);
    if (column.type === "category") return { present, counts: take(`${tensor}.values`, maxRows, column.values.length) };
    return {
      present,
      range: {
        outside: one(`${tensor}.outside`, maxRows),
        sum: one(`${tensor}.sum`, most),
        squares: one(`${tensor}.squares`, most),
      },
      counts: take(`${tensor}.bins`, maxRows, column.bins),
    };
  });
  return { rows, columns: placed, tensors, length, largestNorm: Math.ceil(Math.sqrt(normSquared)) };
}

function digitsFor(most: number, { digits, digitBits }: StatisticsModel): Pick<Place, "digits" | "unit"> {
  const base = 2 ** digitBits;
  if (digits === "one") return { digits: 1, unit: Math.max(1, most / (base - 1)) };
  let count = 1;
  while (base ** count <= most) count++;
  return { digits: count, unit: 1 };
}

/** The largest sum of squares that the digits of a number up to `most` have. */
function largestSquares(most: number, digits: number, { digitBits }: StatisticsModel): number {
  const base = 2 ** digitBits;
  const top = Math.floor(most / base ** (digits - 1));
  return (digits - 1) * (base - 1) ** 2 + top ** 2;
}

/** Digits of a number, into the vector at its place. */
export function writeDigits(vector: Float32Array, place: Place, value: number, digitBits: number): void {
  const base = 2 ** digitBits;
  let rest = Math.round(value / place.unit);
  for (let i = 0; i < place.digits; i++) {
    vector[place.at + i] = rest % base;
    rest = Math.floor(rest / base);
  }
}

/** The number whose digits are sums of many vectors' digits; exact where a sum of so many numbers is. */
export function readDigits(sums: Int32Array, place: Place, digitBits: number): number {
  let value = 0;
  for (let i = place.digits - 1; i >= 0; i--) value = value * 2 ** digitBits + sums[place.at + i]!;
  return value * place.unit;
}
