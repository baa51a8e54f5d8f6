/** The loss of a classifier: softmax cross-entropy. */

/** Of each example's row of [examples, classCount] scores, and its gradient in the row. */
export function exampleCrossEntropy(
  scores: Float32Array,
  labels: Int32Array,
  classCount: number,
): { losses: Float64Array; errors: Float32Array } {
  const errors = new Float32Array(scores.length);
  const losses = new Float64Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const from = row * classCount;
    const values = scores.subarray(from, from + classCount);
    const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    const label = labels[row]!;
    for (let j = 0; j < classCount; j++)
      errors[from + j] = Math.exp(values[j]! - largest) / total - (j === label ? 1 : 0);
    losses[row] = largest + Math.log(total) - values[label]!;
  }
  return { losses, errors };
}

/** Of each row of [rows, classCount] scores: probabilities. */
export function softmax(scores: Float32Array, classCount: number): Float32Array {
  const probabilities = new Float32Array(scores.length);
  for (let from = 0; from < scores.length; from += classCount) {
    const row = scores.subarray(from, from + classCount);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = Float64Array.from(row, (score) => Math.exp(score - largest));
    const total = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, j) => (probabilities[from + j] = power / total));
  }
  return probabilities;
}
