/** The linear estimate of how often each of some known vectors is in a noisy sum. */

/** What is known before the sum is seen. */
export interface Prior {
  /** A vector's expected coefficient, and its variance. */
  readonly mean: number;
  readonly variance: number;
}

/**
 * Coefficients' posterior means less their prior ones, as if all were Gaussian: with C the vectors as rows, V the prior
 * variances and s the noise variance, V·Cᵀ·(C·V·Cᵀ + s·I)⁻¹·(sum − expected sum), solved among the vectors.
 *
 * @param vectors of `sum.length` values each
 * @param noiseVariance of each coordinate of the sum, positive
 */
export function estimateCoefficients(
  sum: Float64Array,
  vectors: readonly Float64Array[],
  priors: readonly Prior[],
  noiseVariance: number,
): Float64Array {
  const rest = sum.slice();
  vectors.forEach((vector, i) => vector.forEach((value, k) => (rest[k] = rest[k]! - priors[i]!.mean * value)));
  const matrix = vectors.map((vector, i) =>
    Float64Array.from(
      { length: i + 1 },
      (_, j) => dot(vector, vectors[j]!) + (i === j ? noiseVariance / priors[i]!.variance : 0),
    ),
  );
  return solve(
    matrix,
    Float64Array.from(vectors, (vector) => dot(vector, rest)),
  );
}

/**
 * Cholesky's factor takes the place of the matrix, of which the lower half is given; then both triangles are solved.
 */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  matrix.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      const rest = row[j]! - dot(row, matrix[j]!, j);
      row[j] = i === j ? Math.sqrt(rest) : rest / matrix[j]![j]!;
    }
  });
  const solution = right.slice();
  for (let i = 0; i < solution.length; i++)
    solution[i] = (solution[i]! - dot(matrix[i]!, solution, i)) / matrix[i]![i]!;
  for (let i = solution.length - 1; i >= 0; i--) {
    const value = solution[i]! / matrix[i]![i]!;
    solution[i] = value;
    for (let j = 0; j < i; j++) solution[j] = solution[j]! - matrix[i]![j]! * value;
  }
  return solution;
}

function dot(a: Float64Array, b: Float64Array, count = a.length): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[i]! * b[i]!;
  return sum;
}
