/** The middle value; the mean of the middle two for an even number. @throws RangeError without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values to take the median of");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Medians of each field of records of numbers. @throws RangeError without records */
export function medianOfEach<K extends string>(records: readonly Readonly<Record<K, number>>[]): Record<K, number> {
  const names = Object.keys(records[0] ?? {}) as K[];
  return Object.fromEntries(names.map((name) => [name, median(records.map((record) => record[name]))])) as Record<
    K,
    number
  >;
}
