/** Where values stand in a chart. */

export interface Scale {
  /** Position of a value, in pixels. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Round numbers from 0 or below to the largest value: 1, 2 or 5 times a power of ten apart. */
export function scaleOf(least: number, most: number, from: number, to: number, count = 4): Scale {
  const span = most > least ? most - least : Math.max(1, Math.abs(most));
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= count)!;
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil((most - step * 1e-9) / step));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  const [low, high] = [first * step, last * step];
  return { at: (value) => from + ((value - low) / (high - low)) * (to - from), ticks };
}

/** At most so many of the values, evenly apart, the last among them. */
export function thinned(values: readonly number[], most: number): readonly number[] {
  const every = Math.max(1, Math.ceil(values.length / most));
  return values.filter((_, i) => (values.length - 1 - i) % every === 0);
}
