/**
 * What a weighted sum of integers tells of one summand (docs/protocol.md, section 7.11). With equal weights it is their
 * sum. With others it is more: where all other weights are multiples of a number, it is the one summand modulo it.
 */

/**
 * The largest m such that whoever has the sum, and `known` of the other summands, has each coordinate of the summand
 * modulo m; 1 if the weights have no such divisor. Coordinates below m/2 are then known as they are.
 * @param own weight of the summand, at least 1
 * @param others weights of the other summands, at least 1, more than `known` of them
 * @param known how many of the others somebody may know
 */
export function readableModulus(own: number, others: readonly number[], known: number): number {
  let largest = 1;
  for (let divisor = 2; divisor <= Math.max(...others); divisor++) {
    const remaining = others.filter((weight) => weight % divisor !== 0);
    if (remaining.length <= known) largest = Math.max(largest, divisor / greatestCommonDivisor(divisor, own));
  }
  return largest;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
