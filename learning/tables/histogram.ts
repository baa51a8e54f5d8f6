/** Counts of values in at most sixteen bins of one width, exact, without knowing the range beforehand. */
const MOST_BINS = 16;
/** The first width is the value's own size over so many octaves. */
const FIRST_OCTAVES = 10;

export interface Bin {
  /** Included. */
  readonly from: number;
  /** Excluded. */
  readonly to: number;
  readonly count: number;
}

export interface Histogram {
  add(value: number): void;
  /** From the least to the most, empty ones included. */
  bins(): readonly Bin[];
}

/** Bins begin at multiples of their width, a power of two: two neighbours become one whenever there are too many. */
export function createHistogram(): Histogram {
  let counts = new Map<number, number>();
  let [least, most] = [Infinity, -Infinity];
  let width = 0;
  const widen = (): void => {
    width *= 2;
    const merged = new Map<number, number>();
    for (const [key, count] of counts) merged.set(Math.floor(key / 2), (merged.get(Math.floor(key / 2)) ?? 0) + count);
    counts = merged;
  };
  return {
    add(value) {
      if (width === 0) width = 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - FIRST_OCTAVES);
      [least, most] = [Math.min(least, value), Math.max(most, value)];
      while (Math.floor(most / width) - Math.floor(least / width) >= MOST_BINS) widen();
      const key = Math.floor(value / width);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    bins() {
      if (counts.size === 0) return [];
      const first = Math.floor(least / width);
      return Array.from({ length: Math.floor(most / width) - first + 1 }, (_, i) => ({
        from: (first + i) * width,
        to: (first + i + 1) * width,
        count: counts.get(first + i) ?? 0,
      }));
    },
  };
}
