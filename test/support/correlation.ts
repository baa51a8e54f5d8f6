/** Rank correlation: what a few slow measurements on a busy machine cannot sway. */

/**
 * Spearman's coefficient of two series of equal length, ties sharing their mean rank. Of independent series its
 * standard deviation is 1/√(n − 1).
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return correlation(ranksOf(a), ranksOf(b));
}

/** Pearson's coefficient. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [products, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    products += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return products / Math.sqrt(squaresA * squaresB);
}

/** The same values, with those beyond the quantiles `share` and 1 − `share` moved there. */
export function winsorised(values: ArrayLike<number>, share: number): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const [low, high] = [
    sorted[Math.floor(share * (sorted.length - 1))]!,
    sorted[Math.ceil((1 - share) * (sorted.length - 1))]!,
  ];
  return Float64Array.from(values, (value) => Math.min(high, Math.max(low, value)));
}

function ranksOf(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + end - 1) / 2;
    start = end;
  }
  return ranks;
}
