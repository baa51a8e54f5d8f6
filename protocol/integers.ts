/** Integer arithmetic that every party computes alike. */

/** a/b to the nearest integer, halves up; b > 0. */
export function roundedQuotient(a: bigint, b: bigint): bigint {
  const doubled = 2n * a + b;
  const divisor = 2n * b;
  const quotient = doubled / divisor;
  return doubled % divisor < 0n ? quotient - 1n : quotient;
}

/** The least integer whose square is at least `value`. */
export function ceilRoot(value: bigint): bigint {
  let root = 0n;
  for (let bit = 1n << BigInt(value.toString(2).length >> 1); bit > 0n; bit >>= 1n) {
    if ((root | bit) * (root | bit) <= value) root |= bit;
  }
  return root * root === value ? root : root + 1n;
}

/** A rational number with exact arithmetic: numerator / 2^denominatorBits. */
export interface DyadicRational {
  readonly numerator: number;
  readonly denominatorBits: number;
}
