/**
 * Exact samples of the discrete Gaussian, P(x) ∝ exp(−x²/(2·variance)) on the integers, from random bits and integer
 * arithmetic alone (Canonne, Kamath, Steinke 2020, Algorithms 1 to 3). No logarithm, exponential or division result is
 * rounded anywhere; every integer stays below 2^53, where doubles are exact.
 *
 * The one difference: a magnitude of 64 or more standard deviations is drawn again; total variation distance below
 * e^−2000. Running time depends on the values drawn: training and updates take their noise from tables, over ten times
 * as fast and the same work for every value (noise-table.ts, wide-noise.ts). This is the definition that those are
 * tested against, and nothing else draws from it.
 */
import { VerisumError } from "../errors.ts";
import type { RandomBytes } from "../random.ts";

/** Largest standard deviation that is an integer. */
export const MAX_STD_DEV = 2 ** 20;
/** Largest variance that is not a square. */
const MAX_VARIANCE = 2 ** 20;

const MAX_STD_DEVS = 64;
const POOL_BYTES = 1 << 14;

/** Integer sampling helpers over one source of bytes. */
interface Draws {
  /** Uniform in [0, bound), 1 <= bound <= 2^53. */
  below(bound: number): number;
  bit(): boolean;
}

/**
 * Draws `count` independent samples.
 *
 * @param variance an integer >= 1: the square of an integer up to 2^20, or any integer up to 2^20
 * @param random a CSPRNG; about 70 bytes a sample
 * @returns integers below 64 standard deviations in magnitude
 * @throws PRIVACY_PARAMETERS_INVALID for another variance
 * @example discreteGaussian(9, 1000, random) // standard deviation 3
 */
export function discreteGaussian(variance: number, count: number, random: RandomBytes): Int32Array {
  const root = Math.round(Math.sqrt(variance));
  const isSquare = root * root === variance;
  if (!Number.isInteger(variance) || variance < 1 || (isSquare ? root > MAX_STD_DEV : variance > MAX_VARIANCE)) {
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", `no exact sampler for variance ${variance}`, { variance });
  }
  const draws = drawsFrom(random);
  const samples = new Int32Array(count);
  // The proposal's scale t may be any positive integer; with t = root the acceptance exponent loses a factor t².
  for (let i = 0; i < count; i++)
    samples[i] = isSquare ? sample(root, 1, root, draws) : sample(root + 1, root + 1, variance, draws);
  return samples;
}

/**
 * One sample by rejection from the discrete Laplace of scale `t`.
 * Accepts y with probability exp(−(|y|·a − b)²/(2·b·a·t)): with a = 1, b = t = root, and with a = t, b = variance, this
 * is exp(−(|y| − variance/t)²/(2·variance)).
 */
function sample(t: number, a: number, b: number, draws: Draws): number {
  const denominator = 2 * b * a * t;
  for (;;) {
    const magnitude = discreteLaplaceMagnitude(t, draws);
    const negative = draws.bit();
    if (magnitude === undefined || (negative && magnitude === 0)) continue;
    const distance = magnitude * a - b;
    if (bernoulliExp(distance * distance, denominator, draws)) return negative ? -magnitude : magnitude;
  }
}

/** |y| with P ∝ exp(−|y|/t), or undefined beyond 64·t (also 64 standard deviations at most). */
function discreteLaplaceMagnitude(t: number, draws: Draws): number | undefined {
  let u: number;
  do u = draws.below(t);
  while (!bernoulliExpBelowOne(u, t, draws));
  let v = 0;
  while (bernoulliExpBelowOne(1, 1, draws)) v++;
  return v >= MAX_STD_DEVS - 1 ? undefined : u + t * v;
}

/** True with probability exp(−numerator/denominator). */
function bernoulliExp(numerator: number, denominator: number, draws: Draws): boolean {
  const remainder = numerator % denominator;
  for (let whole = (numerator - remainder) / denominator; whole > 0; whole--) {
    if (!bernoulliExpBelowOne(1, 1, draws)) return false;
  }
  return bernoulliExpBelowOne(remainder, denominator, draws);
}

/** The same for a fraction in [0, 1]: the first k at which a Bernoulli(fraction/k) fails is odd. */
function bernoulliExpBelowOne(numerator: number, denominator: number, draws: Draws): boolean {
  let k = 1;
  while (draws.below(denominator * k) < numerator) k++;
  return k % 2 === 1;
}

function drawsFrom(random: RandomBytes): Draws {
  let pool: DataView = new DataView(new ArrayBuffer(0));
  let at = 0;
  let bits = 0;
  let bitsLeft = 0;
  const word = (): number => {
    if (at === pool.byteLength) {
      const bytes = random(POOL_BYTES);
      pool = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      at = 0;
    }
    at += 4;
    return pool.getUint32(at - 4);
  };
  const below = (bound: number): number => {
    const wide = bound > 2 ** 32;
    const range = wide ? 2 ** 53 : 2 ** 32;
    const limit = range - (range % bound);
    for (;;) {
      const drawn = wide ? (word() >>> 11) * 2 ** 32 + word() : word();
      if (drawn < limit) return drawn % bound;
    }
  };
  const bit = (): boolean => {
    if (bitsLeft === 0) {
      bits = word();
      bitsLeft = 32;
    }
    return ((bits >>> --bitsLeft) & 1) === 1;
  };
  return { below, bit };
}
