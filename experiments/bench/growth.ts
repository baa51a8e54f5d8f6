/** How a measured quantity grows: the exponent e of the power law y = c·x^e that fits best. */

export interface Sample {
  readonly x: number;
  readonly y: number;
}

/** Least squares of log y on log x. Undefined for fewer than two different positive points. */
export function growthExponent(samples: readonly Sample[]): number | undefined {
  const logs = samples.filter(({ x, y }) => x > 0 && y > 0).map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(logs.map(({ x }) => x));
  const meanY = mean(logs.map(({ y }) => y));
  const spread = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (logs.length < 2 || spread === 0) return undefined;
  return logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
