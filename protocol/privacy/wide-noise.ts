/**
 * Discrete Gaussian noise of a variance that no table has rows for: a combination kⁿ⁻¹·X₁ + … + k·Xₙ₋₁ + Xₙ of
 * independent samples of one narrow table (protocol/privacy/noise-table.ts). Integers all the way, and the same work
 * for every value.
 *
 * How far one step kX + Y is from a discrete Gaussian, for X and Y discrete Gaussians of variances v and s²: with V =
 * k²v + s² and t² = v·s²/V, completing the square in the sum over all x with kx + y = z gives
 *
 *   P(z) ∝ exp(−z²/2V) · Σₓ exp(−(x − zkv/V)²/2t²),
 *
 * and by Poisson summation the second factor is t√(2π)·(1 + 2·Σⱼ q^(j²)·cos(2πjzkv/V)) with q = exp(−2π²t²): within 1 ±
 * ε of a constant for ε = 2q/(1 − q). Hence P(z) is within the factor (1 + ε)/(1 − ε) of the discrete Gaussian of
 * variance V in every z, and their total variation distance is at most ε/(1 − ε) = 2q/(1 − 3q). (The smoothing argument
 * of Micciancio and Walter 2017.)
 *
 * All steps have v >= s², so that t² >= s²/(k² + 1). Distances of the n samples and n − 1 steps add up.
 */
import { ensureRules } from "../errors.ts";
import type { RandomBytes } from "../random.ts";
import { drawNoise, LARGEST_TABLE_ERROR, noiseTable } from "./noise-table.ts";
import type { NoiseTable } from "./noise-table.ts";

/** Which combination of narrow samples. */
export interface Combination {
  /** Variance of the result, in steps². */
  readonly variance: bigint;
  /** k: what each sample but the last is multiplied by, once more than the next one. */
  readonly scale: number;
  /** n: samples combined in one. */
  readonly terms: number;
}

/** A sampler of one combination; opaque except for what it promises. */
export interface WideNoise {
  readonly table: NoiseTable;
  readonly scale: number;
  readonly terms: number;
  /** Samples lie within ±reach. */
  readonly reach: number;
  /** Total variation distance between one sample and the discrete Gaussian, at most. */
  readonly totalVariationBound: number;
}

/** Samples combined at once, few enough for the cache: as many as the table draws from one piece of random bytes. */
const BLOCK = 4096;

/**
 * Prepares noise with P(x) proportional to exp(−x²/(2·variance)).
 *
 * @throws PRIVACY_PARAMETERS_INVALID if the samples are too narrow for the scale, so that combining them costs more
 *   than a table's own error; if a sum might not fit into 32 bits; and where there is no table
 * @example const noise = wideNoise({ variance: 1n << 40n, scale: 80, terms: 3 }); // standard deviation 2^20
 */
export function wideNoise(combination: Combination): WideNoise {
  const { variance, scale, terms } = combination;
  const details = { variance, scale, terms };
  ensureRules(
    "PRIVACY_PARAMETERS_INVALID",
    {
      "2 <= scale <= 2^16": Number.isInteger(scale) && scale >= 2 && scale <= 2 ** 16,
      "2 <= terms <= 8": Number.isInteger(terms) && terms >= 2 && terms <= 8,
    },
    details,
  );
  const combining = combinationError(combination);
  ensureRules(
    "PRIVACY_PARAMETERS_INVALID",
    { [`samples combined with scale ${scale} are wide enough`]: combining <= LARGEST_TABLE_ERROR },
    details,
  );
  const table = noiseTable(variance, sumOfSquares(combination));
  const reach = Array.from({ length: terms }, (_, i) => table.reach * scale ** i).reduce((sum, term) => sum + term, 0);
  ensureRules("PRIVACY_PARAMETERS_INVALID", { "sums fit into 32 bits": reach < 2 ** 31 }, details);
  return { table, scale, terms, reach, totalVariationBound: terms * table.totalVariationBound + combining };
}

/**
 * Total variation distance from the discrete Gaussian, at most, of a combination of exact samples; 1 if nothing is
 * known.
 */
export function combinationError({ variance, scale, terms }: Combination): number {
  const tableVariance = Number(variance) / Number(sumOfSquares({ scale, terms }));
  const q = Math.exp((-2 * Math.PI ** 2 * tableVariance) / (scale ** 2 + 1));
  return 3 * q < 1 ? Math.min(1, (terms - 1) * ((2 * q) / (1 - 3 * q))) : 1;
}

/**
 * Draws `count` independent samples.
 * @param random a CSPRNG; 12 bytes a sample and term
 */
export function drawWideNoise({ table, scale, terms }: WideNoise, count: number, random: RandomBytes): Int32Array {
  const samples = new Int32Array(count);
  for (let start = 0; start < count; start += BLOCK) {
    const block = samples.subarray(start, start + BLOCK);
    for (let term = 0; term < terms; term++) {
      const narrow = drawNoise(table, block.length, random);
      for (let i = 0; i < block.length; i++) block[i] = block[i]! * scale + narrow[i]!;
    }
  }
  return samples;
}

/** 1 + k² + … + k^(2n−2): the result's variance in variances of the table. */
function sumOfSquares({ scale, terms }: Omit<Combination, "variance">): bigint {
  return Array.from({ length: terms }, (_, i) => BigInt(scale) ** BigInt(2 * i)).reduce(
    (sum, square) => sum + square,
    0n,
  );
}
