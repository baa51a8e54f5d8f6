/**
 * A random rotation that spreads a vector's norm over its coordinates: signs from a public seed, then the Walsh and
 * Hadamard transform, on a power of two of coordinates (Kairouz, Liu, Steinke 2021, section 4.2). Its own inverse up to
 * the signs.
 *
 * A rotation keeps the norm, and with it the clipping and the sensitivity; it does not touch what privacy rests on. No
 * task uses it: it is here so that its gain can be measured (rotation-gain.ts).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** A public rotation: the same for all clients of one round. */
export interface Rotation {
  readonly dimension: number;
  /** Coordinates after rotation: the least power of two that is not below `dimension`. */
  readonly paddedDimension: number;
  /** One sign for each coordinate after padding, as 1 or −1. */
  readonly signs: Int8Array;
}

const SIGNS_PER_HASH = 256;
const LABEL = utf8ToBytes("verisum.v1.rotation");

/**
 * Derives a round's rotation from a public seed, which must not be known when updates' shapes can still be chosen.
 * @param seed 32 bytes
 */
export function rotationFor(seed: Uint8Array, dimension: number): Rotation {
  let paddedDimension = 1;
  while (paddedDimension < dimension) paddedDimension *= 2;
  const signs = new Int8Array(paddedDimension);
  const counter = new Uint8Array(4);
  for (let start = 0; start < paddedDimension; start += SIGNS_PER_HASH) {
    new DataView(counter.buffer).setUint32(0, start / SIGNS_PER_HASH);
    const bits = sha256(concatBytes(LABEL, seed, counter));
    const count = Math.min(SIGNS_PER_HASH, paddedDimension - start);
    for (let i = 0; i < count; i++) signs[start + i] = ((bits[i >> 3]! >> (i & 7)) & 1) === 1 ? -1 : 1;
  }
  return { dimension, paddedDimension, signs };
}

/** H·diag(signs)·vector, scaled so that the norm stays; `paddedDimension` coordinates. */
export function rotate({ paddedDimension, signs }: Rotation, vector: Float32Array | Float64Array): Float64Array {
  const rotated = new Float64Array(paddedDimension);
  for (let i = 0; i < vector.length; i++) rotated[i] = vector[i]! * signs[i]!;
  return walshHadamard(rotated);
}

/**
 * The vector of which `rotated` is the rotation, to the last digits of a double; sums of rotated vectors come back as
 * sums.
 */
export function rotateBack({ dimension, signs }: Rotation, rotated: Float64Array): Float64Array {
  const vector = walshHadamard(Float64Array.from(rotated));
  for (let i = 0; i < dimension; i++) vector[i]! *= signs[i]!;
  return vector.slice(0, dimension);
}

/** The orthonormal Walsh and Hadamard transform, in place. */
function walshHadamard(values: Float64Array): Float64Array {
  for (let half = 1; half < values.length; half *= 2) {
    for (let start = 0; start < values.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const [a, b] = [values[i]!, values[i + half]!];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
  const norm = 1 / Math.sqrt(values.length);
  for (let i = 0; i < values.length; i++) values[i]! *= norm;
  return values;
}
