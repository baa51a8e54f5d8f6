/** What a round's sum of digits says about all clients' rows together. */
import { layoutOf, readDigits } from "./statistics-model.ts";
import type { Place, StatisticsColumn, StatisticsModel } from "./statistics-model.ts";

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
  /** Rows by bin or word. */
  readonly counts: readonly { readonly name: string; readonly count: number }[];
}

export interface StatisticsSummary {
  readonly rows: number;
  readonly clients: number;
  readonly columns: readonly ColumnSummary[];
  /** How far a count may be off: by rounding at most, and by noise as a standard deviation; both 0 if it is exact. */
  readonly countError: { readonly rounding: number; readonly noiseStdDev: number };
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
  const { unit, digits } = layout.rows;
  let noiseOfDigits = 0;
  for (let i = 0; i < digits; i++) noiseOfDigits += 4 ** (model.digitBits * i);
  return {
    rows: valueAt(layout.rows),
    clients,
    columns: model.columns.map((column, i): ColumnSummary => {
      const { present, range, counts } = layout.columns[i]!;
      const { name, type } = column;
      const count = valueAt(present);
      const named = counts.map((place, k) => ({ name: nameOf(column, k), count: valueAt(place) }));
      if (range === undefined || column.type === "category") return { name, type, present: count, counts: named };
      const width = column.to - column.from;
      const share = (place: Place): number => valueAt(place) / (2 ** model.valueBits * count);
      const mean = share(range.sum);
      const variance = Math.max(0, share(range.squares) - mean * mean);
      return {
        name,
        type,
        present: count,
        outside: valueAt(range.outside),
        mean: count > 0 ? column.from + width * mean : null,
        stdDev: count > 0 ? width * Math.sqrt(variance) : null,
        counts: named,
      };
    }),
    countError: {
      rounding: unit > 1 ? (clients * unit) / 2 : 0,
      noiseStdDev: noiseStdDev * unit * Math.sqrt(noiseOfDigits),
    },
  };
}

function nameOf(column: StatisticsColumn, place: number): string {
  if (column.type === "category") return column.values[place]!;
  const edge = (bin: number): string =>
    String(Number((column.from + ((column.to - column.from) * bin) / column.bins).toPrecision(6)));
  return `${edge(place)} to ${edge(place + 1)}`;
}
