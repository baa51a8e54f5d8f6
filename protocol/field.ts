/** Arithmetic in Fr, the scalar field of BN254, on canonical bigints. */
import { ELEMENT_BYTES, FIELD_ORDER } from "./parameters.ts";
import { VerisumError } from "./errors.ts";
import type { RandomBytes } from "./random.ts";

const MASK_64 = (1n << 64n) - 1n;
const WORD_LIMIT = 1n << 256n;

/** The representative of `value` in [0, r). */
export function toField(value: bigint): bigint {
  const reduced = value % FIELD_ORDER;
  return reduced < 0n ? reduced + FIELD_ORDER : reduced;
}

/** a·b mod r for canonical a, b. */
export function multiply(a: bigint, b: bigint): bigint {
  return (a * b) % FIELD_ORDER;
}

/** base^exponent mod r, exponent >= 0. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = toField(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** The inverse of a non-zero element, by Fermat. */
export function invert(value: bigint): bigint {
  if (value % FIELD_ORDER === 0n) throw new VerisumError("ENCODING_NOT_CANONICAL", "zero has no inverse");
  return power(value, FIELD_ORDER - 2n);
}

/** Inverts every element with one inversion (Montgomery's trick). No element may be zero. */
export function invertAll(values: readonly bigint[]): bigint[] {
  const prefix = new Array<bigint>(values.length);
  let product = 1n;
  for (let i = 0; i < values.length; i++) {
    prefix[i] = product;
    product = multiply(product, values[i]!);
  }
  let suffix = invert(product);
  const inverses = new Array<bigint>(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = multiply(suffix, prefix[i]!);
    suffix = multiply(suffix, values[i]!);
  }
  return inverses;
}

/** A uniform element: 48 random bytes reduced, at most 2^-130 from uniform. */
export function randomElement(random: RandomBytes): bigint {
  return randomElements(1, random)[0]!;
}

/** `count` uniform elements (48 random bytes each, drawn in pieces of at most 1 MiB). */
export function randomElements(count: number, random: RandomBytes): bigint[] {
  const perDraw = 20_000;
  const elements = new Array<bigint>(count);
  for (let done = 0; done < count; done += perDraw) {
    const take = Math.min(perDraw, count - done);
    const bytes = random(take * 48);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < take; i++) {
      let value = 0n;
      for (let limb = 0; limb < 6; limb++) value = (value << 64n) | view.getBigUint64(i * 48 + limb * 8);
      elements[done + i] = value % FIELD_ORDER;
    }
  }
  return elements;
}

/**
 * Elements as consecutive 32-byte big-endian words, the only encoding that `decodeElements` reads.
 * @throws ENCODING_NOT_CANONICAL for a value outside [0, r)
 */
export function encodeElements(elements: readonly bigint[]): Uint8Array {
  return encodeBelow(elements, FIELD_ORDER);
}

/**
 * 256-bit words (hashes, addresses, coordinates of points, integers) as consecutive 32-byte big-endian words.
 * @throws ENCODING_NOT_CANONICAL for a value outside [0, 2^256): it would collide with another one
 */
export function encodeWords(words: readonly bigint[]): Uint8Array {
  return encodeBelow(words, WORD_LIMIT);
}

function encodeBelow(values: readonly bigint[], limit: bigint): Uint8Array {
  const bytes = new Uint8Array(values.length * ELEMENT_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < 0n || value >= limit)
      throw new VerisumError("ENCODING_NOT_CANONICAL", `value ${i} is outside its range`, { index: i });
    const at = i * ELEMENT_BYTES;
    view.setBigUint64(at, value >> 192n);
    view.setBigUint64(at + 8, (value >> 128n) & MASK_64);
    view.setBigUint64(at + 16, (value >> 64n) & MASK_64);
    view.setBigUint64(at + 24, value & MASK_64);
  }
  return bytes;
}

/**
 * Reads exactly `count` canonical elements.
 * @throws ENCODING_LENGTH, ENCODING_NOT_CANONICAL
 */
export function decodeElements(bytes: Uint8Array, count: number): bigint[] {
  if (bytes.length !== count * ELEMENT_BYTES) {
    throw new VerisumError("ENCODING_LENGTH", `expected ${count} elements, got ${bytes.length} bytes`, {
      expected: count * ELEMENT_BYTES,
      actual: bytes.length,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements = new Array<bigint>(count);
  for (let i = 0; i < count; i++) {
    const at = i * ELEMENT_BYTES;
    const value =
      (view.getBigUint64(at) << 192n) |
      (view.getBigUint64(at + 8) << 128n) |
      (view.getBigUint64(at + 16) << 64n) |
      view.getBigUint64(at + 24);
    if (value >= FIELD_ORDER)
      throw new VerisumError("ENCODING_NOT_CANONICAL", `element ${i} is not below the field order`, { index: i });
    elements[i] = value;
  }
  return elements;
}

/**
 * p(z) for coefficients in ascending order, by Horner's rule; four coefficients a step, since reductions are what takes
 * time.
 */
export function evaluatePolynomial(coefficients: readonly bigint[], z: bigint): bigint {
  const z2 = multiply(z, z);
  const z3 = multiply(z2, z);
  const z4 = multiply(z2, z2);
  let value = 0n;
  let at = coefficients.length;
  while (at % 4 !== 0) value = (value * z + coefficients[--at]!) % FIELD_ORDER;
  while (at > 0) {
    at -= 4;
    value =
      (value * z4 +
        coefficients[at + 3]! * z3 +
        coefficients[at + 2]! * z2 +
        coefficients[at + 1]! * z +
        coefficients[at]!) %
      FIELD_ORDER;
  }
  return value;
}

/** The quotient (p(X) − p(z)) / (X − z), one coefficient fewer than p. */
export function divideByLinear(coefficients: readonly bigint[], z: bigint): bigint[] {
  const quotient = new Array<bigint>(Math.max(coefficients.length - 1, 0));
  let carry = 0n;
  for (let i = coefficients.length - 1; i >= 1; i--) {
    carry = (carry * z + coefficients[i]!) % FIELD_ORDER;
    quotient[i - 1] = carry;
  }
  return quotient;
}
