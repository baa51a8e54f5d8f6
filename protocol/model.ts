/**
 * The model is an integer vector; floats derive from it (docs/protocol.md, section 6).
 * A weight w is the integer round(w·2^fractionalBits). The state carries the server's momentum beside the weights,
 * so that the next model follows from the state and the sum alone.
 */
import { boundedLevel, nextLevel, SCALE_BITS, stepScaleOf } from "./clip-level.ts";
import type { AdaptiveClip } from "./clip-level.ts";
import { VerisumError } from "./errors.ts";
import { encodeElements } from "./field.ts";
import { roundedQuotient } from "./integers.ts";
import type { DyadicRational } from "./integers.ts";
import { leafDigest } from "./transcript.ts";
import type { Hex } from "./transcript.ts";

/** Fixed-point weights and velocity, both `dimension` int32 values in units of 2^−fractionalBits. */
export interface ModelState {
  readonly weights: Int32Array;
  readonly velocity: Int32Array;
}

/** How a sum moves the model. */
export interface ServerRule {
  /** Bits after the binary point of a weight. */
  readonly fractionalBits: number;
  /** Bits after the binary point of one quantisation step. */
  readonly stepBits: number;
  /** eta, applied to the weighted mean of the updates. */
  readonly learningRate: DyadicRational;
  /** Share of the last velocity that is kept. */
  readonly momentum: DyadicRational;
  /** The last weight is the level of the step, and the last sum the clients' votes on it. */
  readonly adaptiveClip?: AdaptiveClip;
}

const INT32_MAX = 2 ** 31 - 1;

/**
 * FedAvg with server momentum in exact integers: v' = round(mu·v) + round(eta·S·2^(fractionalBits−stepBits)/W); w' = w
 * + v'. `round` is to nearest, halves up. With an adaptive clip norm a step is as long as the state's level says.
 *
 * @param sums weighted sums of quantised coordinates, in steps
 * @param totalWeight W, the sum of the included clients' weights
 * @throws PARAMETERS_INVALID for a total weight below 1; UPDATE_LENGTH; MODEL_OVERFLOW
 */
export function nextModel(state: ModelState, sums: Int32Array, totalWeight: number, rule: ServerRule): ModelState {
  const dimension = state.weights.length;
  if (!Number.isSafeInteger(totalWeight) || totalWeight < 1) {
    throw new VerisumError("PARAMETERS_INVALID", `a sum of total weight ${totalWeight} has no mean`, { totalWeight });
  }
  if (sums.length !== dimension || state.velocity.length !== dimension) {
    throw new VerisumError("UPDATE_LENGTH", `model of ${dimension} weights, sum of ${sums.length}`, {
      expected: dimension,
      actual: sums.length,
    });
  }
  const { adaptiveClip } = rule;
  const trained = adaptiveClip === undefined ? dimension : dimension - 1;
  const scale = stepScaleOf(adaptiveClip === undefined ? 0 : boundedLevel(state.weights[trained]!, adaptiveClip));
  const shift = rule.fractionalBits - rule.stepBits + scale.octaves - SCALE_BITS;
  const stepNumerator = BigInt(rule.learningRate.numerator * scale.mantissa) << BigInt(Math.max(shift, 0));
  const stepDenominator = BigInt(totalWeight) << BigInt(rule.learningRate.denominatorBits + Math.max(-shift, 0));
  const weights = new Int32Array(dimension);
  const velocity = new Int32Array(dimension);
  for (let i = 0; i < trained; i++) {
    const step = roundedQuotient(BigInt(sums[i]!) * stepNumerator, stepDenominator);
    const kept = roundedQuotient(
      BigInt(state.velocity[i]!) * BigInt(rule.momentum.numerator),
      1n << BigInt(rule.momentum.denominatorBits),
    );
    velocity[i] = asInt32(step + kept, i);
    weights[i] = asInt32(BigInt(state.weights[i]!) + step + kept, i);
  }
  if (adaptiveClip !== undefined)
    weights[trained] = nextLevel(state.weights[trained]!, sums[trained]!, totalWeight, adaptiveClip);
  return { weights, velocity };
}

/**
 * The state of a model at the start of a task.
 * @param levels zeros behind the weights: 1 with an adaptive clip norm, else 0
 * @throws UPDATE_NOT_FINITE, MODEL_OVERFLOW
 */
export function initialState(weights: Float32Array, fractionalBits: number, levels: 0 | 1 = 0): ModelState {
  const fixed = new Int32Array(weights.length + levels);
  for (let i = 0; i < weights.length; i++) {
    const scaled = Math.round(weights[i]! * 2 ** fractionalBits);
    if (!Number.isFinite(scaled))
      throw new VerisumError("UPDATE_NOT_FINITE", `weight ${i} is not finite`, { index: i });
    fixed[i] = asInt32(BigInt(scaled), i);
  }
  return { weights: fixed, velocity: new Int32Array(fixed.length) };
}

/** The float32 weights that participants train from. */
export function floatWeights(state: ModelState, fractionalBits: number): Float32Array {
  const unit = 2 ** -fractionalBits;
  const weights = new Float32Array(state.weights.length);
  for (let i = 0; i < weights.length; i++) weights[i] = state.weights[i]! * unit;
  return weights;
}

/** `state.bin`: weights, then velocity, int32 little-endian. */
export function encodeModelState(state: ModelState): Uint8Array {
  const { weights, velocity } = state;
  const bytes = new Uint8Array((weights.length + velocity.length) * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < weights.length; i++) view.setInt32(i * 4, weights[i]!, true);
  for (let i = 0; i < velocity.length; i++) view.setInt32((weights.length + i) * 4, velocity[i]!, true);
  return bytes;
}

/** @throws ENCODING_LENGTH */
export function decodeModelState(bytes: Uint8Array, dimension: number): ModelState {
  if (bytes.length !== dimension * 8) {
    throw new VerisumError(
      "ENCODING_LENGTH",
      `a state of ${dimension} weights has ${dimension * 8} bytes, got ${bytes.length}`,
      { expected: dimension * 8, actual: bytes.length },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const weights = new Int32Array(dimension);
  const velocity = new Int32Array(dimension);
  for (let i = 0; i < dimension; i++) {
    weights[i] = view.getInt32(i * 4, true);
    velocity[i] = view.getInt32((dimension + i) * 4, true);
  }
  return { weights, velocity };
}

/** The digest of a model that the contract records. */
export function modelDigest(state: ModelState): Hex {
  return leafDigest("model", encodeModelState(state));
}

/** The digest of an aggregate's canonical bytes that the contract records. */
export function aggregateDigest(elements: readonly bigint[]): Hex {
  return leafDigest("aggregate", encodeElements(elements));
}

function asInt32(value: bigint, index: number): number {
  if (value > BigInt(INT32_MAX) || value < -BigInt(INT32_MAX))
    throw new VerisumError("MODEL_OVERFLOW", `weight ${index} leaves the fixed-point range`, { index });
  return Number(value);
}
