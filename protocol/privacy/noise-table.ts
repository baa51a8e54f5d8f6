/**
 * Discrete Gaussian noise for long vectors: Walker's alias method over integer weights.
 *
 * Weights are computed in fixed-point integers with 320 fractional bits and rounded to multiples of 2^−96, so that what
 * is sampled is an exactly known distribution whose distance to the discrete Gaussian is derived, not measured
 * (`totalVariationBound`). A sample takes 96 random bits, one row of the table, one subtraction and one selection,
 * whatever its value, and no branch.
 */
import { VerisumError } from "../errors.ts";
import type { RandomBytes } from "../random.ts";

/** A table for one variance; opaque except for what it promises. */
export interface NoiseTable {
  /** Samples lie within ±reach. */
  readonly reach: number;
  /** Total variation distance between one sample and the discrete Gaussian, at most. */
  readonly totalVariationBound: number;
  /** log2 of the number of rows. */
  readonly rowBits: number;
  /** Limbs of each row's threshold, most significant first: 32 − rowBits bits, 32, 32. */
  readonly thresholds: readonly [Uint32Array, Uint32Array, Uint32Array];
  /** The value of row r is values[2r] below the threshold, values[2r + 1] otherwise. */
  readonly values: Int32Array;
}

/** No table's totalVariationBound is larger. */
export const LARGEST_TABLE_ERROR = 2 ** -80;
const SAMPLE_BITS = 96n;
const FRACTION_BITS = 320n;
const ONE = 1n << FRACTION_BITS;
/** Samples drawn at once: 48 KiB, within what one call of a CSPRNG gives. */
const SAMPLES_PER_DRAW = 4096;

/**
 * Prepares noise with P(x) proportional to exp(−x²/(2·variance)).
 *
 * Weights of magnitudes up to `reach` are exact to 2^−280: each is a product of at most reach² factors, each rounded
 * down once. The mass beyond is below 2^−96, each of the 2·reach weights is rounded down to a multiple of 2^−96, and
 * zero takes the rest. Hence the total variation is below (2·reach + 2)·2^−96.
 *
 * @param numerator of the variance, in steps²
 * @param denominator of the variance
 * @throws PRIVACY_PARAMETERS_INVALID for a variance below 1/4 or above 2^22 (2^16 rows)
 * @example const table = noiseTable(400n); const noise = drawNoise(table, 1_000_000, random);
 */
export function noiseTable(numerator: bigint, denominator = 1n): NoiseTable {
  if (numerator < 1n || denominator < 1n || 4n * numerator < denominator || numerator > denominator << 22n) {
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", `no table for variance ${numerator}/${denominator}`, {
      numerator,
      denominator,
    });
  }
  const weights = halfWeights(numerator, denominator);
  const reach = weights.length - 1;
  const total = 2n * weights.reduce((sum, weight) => sum + weight, 0n) - ONE;
  const masses = Array.from(
    { length: 2 * reach + 1 },
    (_, i) => (weights[Math.abs(i - reach)]! << SAMPLE_BITS) / total,
  );
  masses[reach]! += (1n << SAMPLE_BITS) - masses.reduce((sum, mass) => sum + mass, 0n);
  return { reach, totalVariationBound: (2 * reach + 2) * 2 ** -Number(SAMPLE_BITS), ...aliasRows(masses, reach) };
}

/**
 * Draws `count` independent samples.
 * @param random a CSPRNG; 12 bytes a sample, rounded up to whole draws of 48 KiB for long vectors
 */
export function drawNoise(table: NoiseTable, count: number, random: RandomBytes): Int32Array {
  const { values, rowBits } = table;
  const [high, middle, low] = table.thresholds.map(signed) as [Int32Array, Int32Array, Int32Array];
  const [rowShift, highMask] = [32 - rowBits, 2 ** (32 - rowBits) - 1];
  const samples = new Int32Array(count);
  for (let start = 0; start < count; start += SAMPLES_PER_DRAW) {
    const drawn = Math.min(SAMPLES_PER_DRAW, count - start);
    const words = wordsOf(random(drawn * 12));
    for (let i = 0; i < drawn; i++) {
      const first = words[3 * i]!;
      const row = first >>> rowShift;
      const lowBorrow = borrowOf(words[3 * i + 2]!, low[row]!, 0);
      const below = borrowOf(first & highMask, high[row]!, borrowOf(words[3 * i + 1]!, middle[row]!, lowBorrow));
      samples[start + i] = values[2 * row + 1 - below]!;
    }
  }
  return samples;
}

/**
 * The borrow of a − b − borrow for 32-bit words: 1 if it is negative. No comparison, which would be compiled to a
 * branch whose wrong predictions show in the time, and no number beyond 32 signed bits, for which memory would be
 * allocated.
 */
function borrowOf(a: number, b: number, borrow: number): number {
  const lastBit = ((a & 1) - (b & 1) - borrow) >>> 31;
  return ((a >>> 1) - (b >>> 1) - lastBit) >>> 31;
}

/**
 * exp(−x²/(2·variance)) in fixed point for x = 0, 1, … until the mass beyond, on both sides, is below 2^−97 of the
 * whole.
 */
function halfWeights(numerator: bigint, denominator: bigint): bigint[] {
  const ratioStep = expOfMinus(denominator, numerator);
  let ratio = expOfMinus(denominator, 2n * numerator);
  const weights = [ONE];
  for (;;) {
    const next = (weights.at(-1)! * ratio) >> FRACTION_BITS;
    ratio = (ratio * ratioStep) >> FRACTION_BITS;
    // From here the weights fall faster than a geometric series of this ratio; the whole is at least ONE.
    if (next << (SAMPLE_BITS + 2n) < ONE - ratio) return weights;
    weights.push(next);
  }
}

/** exp(−numerator/denominator) in fixed point, by its series; numerator/denominator is at most 4. */
function expOfMinus(numerator: bigint, denominator: bigint): bigint {
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; term !== 0n; n++) {
    term = (term * numerator) / (denominator * n);
    sum += n % 2n === 0n ? term : -term;
  }
  return sum;
}

/** Vose's construction with integers: rows of equal capacity, each shared by at most two values. */
function aliasRows(masses: readonly bigint[], reach: number): Pick<NoiseTable, "rowBits" | "thresholds" | "values"> {
  const rowBits = Math.max(1, (masses.length - 1).toString(2).length);
  const rows = 2 ** rowBits;
  const capacity = 1n << (SAMPLE_BITS - BigInt(rowBits));
  const left = Array.from({ length: rows }, (_, row) => masses[row] ?? 0n);
  const values = new Int32Array(2 * rows);
  const thresholds = [new Uint32Array(rows), new Uint32Array(rows), new Uint32Array(rows)] as const;
  const small: number[] = [];
  const large: number[] = [];
  left.forEach((mass, row) => (mass < capacity ? small : large).push(row));
  const fill = (row: number, threshold: bigint, other: number): void => {
    thresholds[0][row] = Number(threshold >> 64n);
    thresholds[1][row] = Number((threshold >> 32n) & 0xffff_ffffn);
    thresholds[2][row] = Number(threshold & 0xffff_ffffn);
    [values[2 * row], values[2 * row + 1]] = [row - reach, other - reach];
  };
  while (small.length > 0 && large.length > 0) {
    const row = small.pop()!;
    const other = large.at(-1)!;
    fill(row, left[row]!, other);
    left[other]! -= capacity - left[row]!;
    if (left[other]! < capacity) small.push(large.pop()!);
  }
  // The masses add up to the rows exactly, so that every row left is full: both of its values are its own.
  for (const row of [...small, ...large]) fill(row, 0n, row);
  return { rowBits, thresholds, values };
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

function signed(limbs: Uint32Array): Int32Array {
  return new Int32Array(limbs.buffer, limbs.byteOffset, limbs.length);
}
