import { VerisumError } from "../protocol/errors.ts";

/**
 * (value − mean) / standard deviation by public constants, one pair for all columns or one per column.
 * @throws DATASET_SPEC_INVALID if a list has neither one entry nor one per column
 */
export function valueScaling(
  {
    mean = [0],
    stdDev = [1],
  }: { readonly mean: readonly number[] | undefined; readonly stdDev: readonly number[] | undefined },
  columns: number,
): (value: number, column: number) => number {
  for (const list of [mean, stdDev]) {
    if (list.length !== 1 && list.length !== columns)
      throw new VerisumError(
        "DATASET_SPEC_INVALID",
        `mean and deviation need one entry or ${columns}, not ${list.length}`,
      );
  }
  return (value, column) => (value - mean[mean.length === 1 ? 0 : column]!) / stdDev[stdDev.length === 1 ? 0 : column]!;
}

/** Scales rows in place, by one pair for all columns or one for each. @throws DATASET_SPEC_INVALID */
export function scaleRows(values: Float32Array, columns: number, constants: Parameters<typeof valueScaling>[0]): void {
  const scale = valueScaling(constants, columns);
  for (let i = 0; i < values.length; i++) values[i] = scale(values[i]!, i % columns);
}
