/**
 * The model is an integer vector; floats derive from it (docs/protocol.md, section 6).
 * A weight w is the integer round(w·2^fractionalBits). The state carries what the server's rule keeps beside the
 * weights, a momentum for example, so that the next model follows from the state and the sum alone.
 */
import { VerisumError } from "./errors.ts";
import { encodeElements } from "./field.ts";
import { leafDigest } from "./transcript.ts";
import type { Hex } from "./transcript.ts";

/** A model with all that its next one depends on besides the sum; vectors of one length. */
export interface ModelState {
  /** Fixed-point weights, in units of 2^−fractionalBits. */
  readonly weights: Int32Array;
  /** The vectors that the server's rule keeps beside them, in its order (`keeps` of a rule). */
  readonly kept: readonly Int32Array[];
}

const INT32_MAX = 2 ** 31 - 1;

/** The float32 weights that participants train from. */
export function floatWeights(state: ModelState, fractionalBits: number): Float32Array {
  const unit = 2 ** -fractionalBits;
  const weights = new Float32Array(state.weights.length);
  for (let i = 0; i < weights.length; i++) weights[i] = state.weights[i]! * unit;
  return weights;
}

/** Bytes of `state.bin`. */
export function stateBytes(dimension: number, keptCount: number): number {
  return dimension * 4 * (1 + keptCount);
}

/** `state.bin`: weights, then each kept vector, int32 little-endian. */
export function encodeModelState({ weights, kept }: ModelState): Uint8Array {
  const bytes = new Uint8Array(stateBytes(weights.length, kept.length));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const vector of [weights, ...kept]) {
    for (let i = 0; i < vector.length; i++, at += 4) view.setInt32(at, vector[i]!, true);
  }
  return bytes;
}

/**
 * @param keptCount how many vectors the server's rule keeps
 * @throws ENCODING_LENGTH
 */
export function decodeModelState(bytes: Uint8Array, dimension: number, keptCount: number): ModelState {
  const expected = stateBytes(dimension, keptCount);
  if (bytes.length !== expected) {
    throw new VerisumError(
      "ENCODING_LENGTH",
      `a state of ${dimension} weights and ${keptCount} kept vectors has ${expected} bytes, got ${bytes.length}`,
      { expected, actual: bytes.length },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectorAt = (place: number): Int32Array => {
    const vector = new Int32Array(dimension);
    for (let i = 0; i < dimension; i++) vector[i] = view.getInt32((place * dimension + i) * 4, true);
    return vector;
  };
  return { weights: vectorAt(0), kept: Array.from({ length: keptCount }, (_, i) => vectorAt(1 + i)) };
}

/** The digest of a model that the contract records. */
export function modelDigest(state: ModelState): Hex {
  return leafDigest("model", encodeModelState(state));
}

/** The digest of an aggregate's canonical bytes that the contract records. */
export function aggregateDigest(elements: readonly bigint[]): Hex {
  return leafDigest("aggregate", encodeElements(elements));
}

/**
 * A number of a model's state.
 * @param index of its weight
 * @throws MODEL_OVERFLOW beyond ±(2^31 − 1)
 */
export function fixedPoint(value: bigint, index: number): number {
  if (value > BigInt(INT32_MAX) || value < -BigInt(INT32_MAX))
    throw new VerisumError("MODEL_OVERFLOW", `weight ${index} leaves the fixed-point range`, { index });
  return Number(value);
}
