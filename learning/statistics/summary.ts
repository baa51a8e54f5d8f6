/** What a round's sum of digits says about all clients' rows together. */
import { momentsOf } from "./moments.ts";
import type { Measured, Moments } from "./moments.ts";
import { layoutOf, readDigits } from "./statistics-model.ts";
import type { Place, StatisticsColumn, StatisticsModel } from "./statistics-model.ts";

/** How far a figure may be off: by rounding at most, and by noise as a standard deviation, to first order. */
export interface StatedError {
  readonly rounding: number;
  readonly noiseStdDev: number;
}

export interface ColumnSummary {
  readonly name: string;
  readonly type: StatisticsColumn["type"];
  /** Rows with a value. */
  readonly present: number;
  /** Of a range; null where no row has a value. Squares and sums are of values cut to the range. */
  readonly outside?: number;
  readonly mean?: number | null;
  /** Of the rows themselves, not of a population. */
  readonly stdDev?: number | null;
  /** Of mean and standard deviation, where they are numbers; null where noise may be all that there is of them. */
  readonly meanError?: StatedError | null;
  readonly stdDevError?: StatedError | null;
  /** Rows by bin or word. */
  readonly counts: readonly { readonly name: string; readonly count: number }[];
}

export interface StatisticsSummary {
  readonly rows: number;
  readonly clients: number;
  readonly columns: readonly ColumnSummary[];
  /** Of each count; both 0 if it is exact. */
  readonly countError: StatedError;
}

/**
 * @param sums of the clients' vectors, coordinate by coordinate
 * @param noiseStdDev of each coordinate of the sum
 */
export function summaryOf(
  model: StatisticsModel,
  sums: Int32Array,
  { clients, noiseStdDev = 0 }: { readonly clients: number; readonly noiseStdDev?: number },
): StatisticsSummary {
  const layout = layoutOf(model);
  const valueAt = (place: Place): number => readDigits(sums, place, model.digitBits);
  const errorOf = ({ unit, digits }: Place): StatedError => {
    let noiseOfDigits = 0;
    for (let i = 0; i < digits; i++) noiseOfDigits += 4 ** (model.digitBits * i);
    return {
      rounding: unit > 1 ? (clients * unit) / 2 : 0,
      noiseStdDev: noiseStdDev * unit * Math.sqrt(noiseOfDigits),
    };
  };
  return {
    rows: valueAt(layout.rows),
    clients,
    columns: model.columns.map((column, i): ColumnSummary => {
      const { present, range, counts } = layout.columns[i]!;
      const { name, type } = column;
      const count = valueAt(present);
      const named = counts.map((place, k) => ({ name: nameOf(column, k), count: valueAt(place) }));
      if (range === undefined || column.type === "category") return { name, type, present: count, counts: named };
      const one = 2 ** model.valueBits;
      // Each value and each square is rounded to a whole multiple, before the sums may be.
      const inRange = (place: Place): Measured => {
        const { rounding, noiseStdDev: noise } = errorOf(place);
        return { value: valueAt(place) / one, rounding: (rounding + Math.max(0, count) / 2) / one, noise: noise / one };
      };
      const { rounding, noiseStdDev: noise } = errorOf(present);
      const moments = momentsOf({ value: count, rounding, noise }, inRange(range.sum), inRange(range.squares));
      return {
        name,
        type,
        present: count,
        outside: valueAt(range.outside),
        ...inUnits(moments, column.from, column.to - column.from),
        counts: named,
      };
    }),
    countError: errorOf(layout.rows),
  };
}

function nameOf(column: StatisticsColumn, place: number): string {
  if (column.type === "category") return column.values[place]!;
  const edge = (bin: number): string =>
    String(Number((column.from + ((column.to - column.from) * bin) / column.bins).toPrecision(6)));
  return `${edge(place)} to ${edge(place + 1)}`;
}

/** Mean and standard deviation of places in the range, in the column's own unit. */
function inUnits(
  moments: Moments | undefined,
  from: number,
  width: number,
): Pick<ColumnSummary, "mean" | "stdDev" | "meanError" | "stdDevError"> {
  if (moments === undefined) return { mean: null, stdDev: null, meanError: null, stdDevError: null };
  const stated = (measured: Measured): StatedError | null =>
    Number.isFinite(measured.rounding) && Number.isFinite(measured.noise)
      ? { rounding: width * measured.rounding, noiseStdDev: width * measured.noise }
      : null;
  const { mean, stdDev } = moments;
  return {
    mean: from + width * mean.value,
    stdDev: width * stdDev.value,
    meanError: stated(mean),
    stdDevError: stated(stdDev),
  };
}
