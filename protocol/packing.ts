/** Signed coordinates packed into field elements, and weighted sums of them unpacked (docs/protocol.md, section 2). */
import { VerisumError } from "./errors.ts";
import type { Layout } from "./layout.ts";
import { coordinateOffset, FIELD_ORDER, MASKS_PER_CHUNK, SLOT_BITS, SLOTS_PER_ELEMENT } from "./parameters.ts";

const SLOT_HALF = 2 ** (SLOT_BITS - 1);
const PAIR_BITS = BigInt(2 * SLOT_BITS);
const PAIR_MASK = (1n << PAIR_BITS) - 1n;
const PAIRS_PER_ELEMENT = SLOTS_PER_ELEMENT / 2;
/** Σ 2^(slotBits−1)·2^(slotBits·l): added before unpacking so that every slot is non-negative. */
const BIAS = Array.from({ length: SLOTS_PER_ELEMENT }, (_, l) => BigInt(SLOT_HALF) << BigInt(SLOT_BITS * l)).reduce(
  (a, b) => a + b,
);

/**
 * The client's vector X: each chunk's packed coordinates followed by its masks.
 *
 * @param quantised the update, `layout.dimension` signed integers of the preset's width; padding is zero
 * @param masks MASKS_PER_CHUNK uniform elements per chunk, in order
 * @returns `layout.elementCount` elements
 * @throws UPDATE_LENGTH, UPDATE_OVER_BOUND; ENCODING_LENGTH, ENCODING_NOT_CANONICAL for the masks
 */
export function packUpdate(layout: Layout, quantised: Int32Array, masks: readonly bigint[]): bigint[] {
  assertCoordinates(layout, quantised);
  if (masks.length !== layout.chunks.length * MASKS_PER_CHUNK) {
    throw new VerisumError(
      "ENCODING_LENGTH",
      `expected ${layout.chunks.length * MASKS_PER_CHUNK} masks, got ${masks.length}`,
    );
  }
  masks.forEach((mask, i) => assertElement(mask, i));
  const elements: bigint[] = [];
  layout.chunks.forEach((chunk, index) => {
    const end = chunk.coordinateStart + chunk.kind.coordinates;
    for (let at = chunk.coordinateStart; at < end; at += SLOTS_PER_ELEMENT) elements.push(packElement(quantised, at));
    elements.push(...masks.slice(index * MASKS_PER_CHUNK, (index + 1) * MASKS_PER_CHUNK));
  });
  return elements;
}

/**
 * The coordinates of a weighted sum of updates.
 *
 * @param elements the interpolated sum, masks included
 * @returns `layout.dimension` integers in [−2^(slotBits−1), 2^(slotBits−1)); slots of the padding are not looked at
 * @throws ENCODING_LENGTH, ENCODING_NOT_CANONICAL, ENCODING_SLOT_RANGE if an element is not a sum of slots
 */
export function unpackSum(layout: Layout, elements: readonly bigint[]): Int32Array {
  if (elements.length !== layout.elementCount) {
    throw new VerisumError("ENCODING_LENGTH", `expected ${layout.elementCount} elements, got ${elements.length}`);
  }
  const sums = new Int32Array(layout.dimension);
  for (const chunk of layout.chunks) {
    const packed = chunk.kind.coordinates / SLOTS_PER_ELEMENT;
    for (let e = 0; e < packed; e++) {
      unpackElement(
        elements[chunk.elementStart + e]!,
        chunk.elementStart + e,
        sums,
        chunk.coordinateStart + e * SLOTS_PER_ELEMENT,
      );
    }
  }
  return sums;
}

/** The coordinates of one chunk as rows of the lookup table, padding included: x_i = q_i + offset. */
export function tableRows(layout: Layout, chunkIndex: number, quantised: Int32Array): Uint16Array {
  const chunk = layout.chunks[chunkIndex]!;
  const offset = coordinateOffset(layout.preset);
  const rows = new Uint16Array(chunk.kind.coordinates);
  for (let i = 0; i < rows.length; i++) rows[i] = (quantised[chunk.coordinateStart + i] ?? 0) + offset;
  return rows;
}

/** Σ q_i², exactly. Coordinates are below 2^11 and there are fewer than 2^30 of them, so a double holds it. */
export function normSquared(quantised: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < quantised.length; i++) sum += quantised[i]! * quantised[i]!;
  return sum;
}

/** @throws UPDATE_LENGTH, UPDATE_OVER_BOUND for a coordinate outside the preset's range. */
export function assertCoordinates(layout: Layout, quantised: Int32Array): void {
  if (quantised.length !== layout.dimension) {
    throw new VerisumError("UPDATE_LENGTH", `expected ${layout.dimension} coordinates, got ${quantised.length}`, {
      expected: layout.dimension,
      actual: quantised.length,
    });
  }
  const offset = coordinateOffset(layout.preset);
  for (let i = 0; i < quantised.length; i++) {
    if (quantised[i]! < -offset || quantised[i]! >= offset) {
      throw new VerisumError(
        "UPDATE_OVER_BOUND",
        `coordinate ${i} is outside the ${layout.preset.coordinateBits}-bit range`,
        { index: i, value: quantised[i]! },
      );
    }
  }
}

function assertElement(value: bigint, index: number): void {
  if (value < 0n || value >= FIELD_ORDER)
    throw new VerisumError("ENCODING_NOT_CANONICAL", `element ${index} is not below the field order`, { index });
}

function packElement(quantised: Int32Array, start: number): bigint {
  let biased = 0n;
  for (let pair = PAIRS_PER_ELEMENT - 1; pair >= 0; pair--) {
    const low = (quantised[start + 2 * pair] ?? 0) + SLOT_HALF;
    const high = (quantised[start + 2 * pair + 1] ?? 0) + SLOT_HALF;
    biased = (biased << PAIR_BITS) | BigInt(high * 2 ** SLOT_BITS + low);
  }
  const signed = biased - BIAS;
  return signed < 0n ? signed + FIELD_ORDER : signed;
}

function unpackElement(element: bigint, index: number, sums: Int32Array, start: number): void {
  assertElement(element, index);
  const signed = element > FIELD_ORDER / 2n ? element - FIELD_ORDER : element;
  let biased = signed + BIAS;
  if (biased < 0n || biased >> (PAIR_BITS * BigInt(PAIRS_PER_ELEMENT)) !== 0n) {
    throw new VerisumError("ENCODING_SLOT_RANGE", `element ${index} is not a sum of slots`, { index });
  }
  for (let pair = 0; pair < PAIRS_PER_ELEMENT; pair++) {
    const both = Number(biased & PAIR_MASK);
    biased >>= PAIR_BITS;
    const low = both % 2 ** SLOT_BITS;
    if (start + 2 * pair < sums.length) sums[start + 2 * pair] = low - SLOT_HALF;
    if (start + 2 * pair + 1 < sums.length) sums[start + 2 * pair + 1] = (both - low) / 2 ** SLOT_BITS - SLOT_HALF;
  }
}
