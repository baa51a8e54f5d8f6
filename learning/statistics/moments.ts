/** Mean and standard deviation from a count and two sums, and how far each may be off. */

/** A number, the most that rounding moved it by, and the standard deviation of its noise. */
export interface Measured {
  readonly value: number;
  readonly rounding: number;
  readonly noise: number;
}

export interface Moments {
  readonly mean: Measured;
  readonly stdDev: Measured;
}

/**
 * Rounding is bounded for certain, by the ends of intervals; noise to first order, as the errors of the three numbers
 * are independent. Either is infinite where the numbers leave it open.
 * @param sum of values in [0, 1] @param squares of their squares
 * @returns undefined where no value is counted
 */
export function momentsOf(count: Measured, sum: Measured, squares: Measured): Moments | undefined {
  const { value: n } = count;
  if (!(n > 0)) return undefined;
  const mean = sum.value / n;
  const square = squares.value / n;
  const variance = Math.max(0, square - mean * mean);
  const stdDev = Math.sqrt(variance);
  const [leastMean, mostMean] = quotient(sum, count);
  const [leastSquare, mostSquare] = quotient(squares, count);
  const least = Math.sqrt(Math.max(0, leastSquare - mostMean ** 2));
  const most = Math.sqrt(Math.max(0, mostSquare - leastMean ** 2));
  const noiseOfVariance = Math.hypot(squares.noise, 2 * mean * sum.noise, (2 * mean * mean - square) * count.noise) / n;
  return {
    mean: {
      value: mean,
      rounding: Math.max(mostMean - mean, mean - leastMean),
      noise: Math.hypot(sum.noise, mean * count.noise) / n,
    },
    stdDev: {
      value: stdDev,
      rounding: Math.max(most - stdDev, stdDev - least),
      // Where noise left no spread, nothing of it is known.
      noise: noiseOfVariance === 0 ? 0 : noiseOfVariance / (2 * stdDev),
    },
  };
}

/** Least and most of a share in [0, 1] whose parts are rounded. */
function quotient(part: Measured, whole: Measured): readonly [number, number] {
  const [fewest, most] = [whole.value - whole.rounding, whole.value + whole.rounding];
  const low = Math.max(0, part.value - part.rounding) / most;
  const high = fewest > 0 ? (part.value + part.rounding) / fewest : Infinity;
  return [Math.min(low, part.value / whole.value), Math.max(high, part.value / whole.value)];
}
