/**
 * Multi-exponentiation by buckets (Pippenger, "On the evaluation of powers and related problems", 1976) with signed
 * digits.
 *
 * Windows of c bits: each scalar's digit in −2^(c−1)..2^(c−1) puts its base, or the negated one, into the bucket of the
 * digit's magnitude. Σ j·B_j over a window's buckets is halved again and again: with B'_i = B_2i + B_2i+1 it is
 * Σ B_odd + 2·Σ i·B'_i, so that each bit of the result's weights has a list of points to sum. These lists, unlike
 * running sums, are independent: every addition here is affine and part of a batch.
 */
import type { AdditionBatch } from "./addition-batch.ts";
import type { PointMemory } from "./point-memory.ts";
import { NEGATED } from "./point-module.ts";
import { sumSegments } from "./segment-sums.ts";

const MAX_WINDOW_BITS = 16;
/** Windows are taken together up to this many points: fewer give small batches, more leave the processor's caches. */
const BLOCK_ITEMS = 1 << 16;

/** Σ 2^k·sum_k, for the sums in consecutive slots. */
export interface BitSums {
  readonly slots: number;
  readonly count: number;
}

interface Plan {
  readonly windowBits: number;
  readonly windows: number;
  /** Of a window; bucket j is at index j − 1. */
  readonly buckets: number;
}

/**
 * Sums scalar·point by bits.
 * @param points slots of as many points as there are scalars; infinity only if the batch has met it
 * @param scalars little-endian, `width` bytes each, of any value
 */
export function multiExponentiate(
  kernel: PointMemory,
  batch: AdditionBatch,
  points: number,
  scalars: Uint8Array,
  width: number,
): BitSums {
  const count = scalars.length / width;
  const { slotBytes } = kernel;
  const plan = planWindows(count, bitLength(scalars, width));
  const { windowBits, windows, buckets } = plan;
  const sums = kernel.allocate(windows * windowBits * slotBytes);
  const mark = kernel.mark();
  const bucketSlots = kernel.allocate(windows * buckets * slotBytes);
  const lengths = new Uint32Array(windows * buckets);
  const digits = new SignedDigits(scalars, width, windowBits);
  const perBlock = Math.max(1, Math.floor(BLOCK_ITEMS / Math.max(1, count)));
  const items = new Uint32Array(perBlock * count);
  for (let first = 0; first < windows; first += perBlock) {
    const last = Math.min(windows, first + perBlock);
    let filled = 0;
    for (let window = first; window < last; window++)
      filled += sortByBucket(
        digits.next(),
        { start: points, slotBytes },
        items.subarray(filled),
        lengths.subarray(window * buckets, (window + 1) * buckets),
      );
    sumSegments(
      kernel,
      batch,
      items.subarray(0, filled),
      lengths.subarray(first * buckets, last * buckets),
      bucketSlots + first * buckets * slotBytes,
    );
  }
  sumBits(kernel, batch, plan, bucketSlots, lengths, sums);
  kernel.release(mark);
  return { slots: sums, count: windows * windowBits };
}

/**
 * The windows with the fewest additions: one for each point of a window but the first of each bucket, and two for each
 * bucket.
 */
function planWindows(count: number, bits: number): Plan {
  let best: Plan | undefined;
  let fewest = Infinity;
  for (let windowBits = 2; windowBits <= MAX_WINDOW_BITS; windowBits++) {
    const plan = { windowBits, windows: Math.ceil((bits + 1) / windowBits), buckets: 2 ** (windowBits - 1) };
    const additions = plan.windows * (count + plan.buckets);
    if (additions < fewest) [best, fewest] = [plan, additions];
  }
  return best!;
}

/** Bits of the largest scalar, at least one. */
function bitLength(scalars: Uint8Array, width: number): number {
  const any = new Uint8Array(width);
  for (let at = 0; at < scalars.length; at += width) for (let k = 0; k < width; k++) any[k]! |= scalars[at + k]!;
  const top = any.findLastIndex((byte) => byte !== 0);
  return top < 0 ? 1 : top * 8 + 32 - Math.clz32(any[top]!);
}

/** The scalars' digits, from the lowest window on. */
class SignedDigits {
  private readonly scalars: Uint8Array;
  private readonly width: number;
  private readonly windowBits: number;
  private readonly digits: Int32Array;
  private readonly carries: Uint8Array;
  private bit = 0;

  constructor(scalars: Uint8Array, width: number, windowBits: number) {
    this.scalars = scalars;
    this.width = width;
    this.windowBits = windowBits;
    this.digits = new Int32Array(scalars.length / width);
    this.carries = new Uint8Array(scalars.length / width);
  }

  /** The next window's digits, in an array that the next call overwrites. */
  next(): Int32Array {
    const { scalars, width, windowBits, digits, carries } = this;
    const [byte, shift, size] = [this.bit >> 3, this.bit & 7, 2 ** windowBits];
    for (let i = 0, at = byte; i < digits.length; i++, at += width) {
      // A window of 16 bits touches three bytes.
      const low = byte < width ? scalars[at]! : 0;
      const middle = byte + 1 < width ? scalars[at + 1]! : 0;
      const high = byte + 2 < width ? scalars[at + 2]! : 0;
      const digit = (((low | (middle << 8) | (high << 16)) >> shift) & (size - 1)) + carries[i]!;
      const carry = digit > size / 2 ? 1 : 0;
      carries[i] = carry;
      digits[i] = digit - carry * size;
    }
    this.bit += windowBits;
    return digits;
  }
}

/** Lists the points of each bucket in turn; returns how many there are. */
function sortByBucket(
  digits: Int32Array,
  { start, slotBytes }: { readonly start: number; readonly slotBytes: number },
  items: Uint32Array,
  lengths: Uint32Array,
): number {
  for (let i = 0; i < digits.length; i++) if (digits[i] !== 0) lengths[Math.abs(digits[i]!) - 1]!++;
  const next = new Uint32Array(lengths.length);
  let total = 0;
  for (let bucket = 0; bucket < lengths.length; bucket++) {
    next[bucket] = total;
    total += lengths[bucket]!;
  }
  for (let i = 0; i < digits.length; i++) {
    const digit = digits[i]!;
    if (digit !== 0) items[next[Math.abs(digit) - 1]!++] = start + i * slotBytes + (digit < 0 ? NEGATED : 0);
  }
  return total;
}

/** Sums the buckets of all windows by the bits of their weights. */
function sumBits(
  kernel: PointMemory,
  batch: AdditionBatch,
  { windowBits, windows, buckets }: Plan,
  bucketSlots: number,
  lengths: Uint32Array,
  sums: number,
): void {
  const lists: number[][] = Array.from({ length: windows * windowBits }, () => []);
  // Addresses by weight, one more than there are buckets; zero stands for none.
  let size = buckets + 1;
  let level = new Uint32Array(windows * size);
  lengths.forEach((length, k) => {
    const address = bucketSlots + k * kernel.slotBytes;
    if (length > 0) level[Math.floor(k / buckets) * size + (k % buckets) + 1] = address;
  });
  for (let bit = 0; bit < windowBits; bit++) {
    const halved = (size >> 1) + 1;
    const next = new Uint32Array(windows * halved);
    for (let window = 0; window < windows; window++) {
      const list = lists[window * windowBits + bit]!;
      for (let i = 0; i < size; i += 2) {
        const [even, odd] = [level[window * size + i]!, i + 1 < size ? level[window * size + i + 1]! : 0];
        if (odd !== 0 && !(batch.metInfinity && kernel.isInfinity(odd))) list.push(odd);
        if (i > 0) next[window * halved + (i >> 1)] = addPresent(kernel, batch, even, odd);
      }
    }
    batch.flush();
    [level, size] = [next, halved];
  }
  sumSegments(
    kernel,
    batch,
    Uint32Array.from(lists.flat()),
    Uint32Array.from(lists, (list) => list.length),
    sums,
  );
}

/** The address of a sum after the next flush, where zero and infinity count as nothing. */
function addPresent(kernel: PointMemory, batch: AdditionBatch, a: number, b: number): number {
  const missing = (point: number): boolean => point === 0 || (batch.metInfinity && kernel.isInfinity(point));
  if (missing(a)) return missing(b) ? 0 : b;
  if (missing(b)) return a;
  const sum = kernel.allocate(kernel.slotBytes);
  batch.push(a, b, sum);
  return sum;
}
