/** From a real-valued update to bounded integers: clip, scale, round stochastically (docs/protocol.md, section 3). */
import type { AdaptiveClip } from "./clip-level.ts";
import { VerisumError } from "./errors.ts";
import { ceilRoot } from "./integers.ts";
import { normSquared } from "./packing.ts";
import { coordinateOffset } from "./parameters.ts";
import type { Preset } from "./parameters.ts";
import type { RandomBytes } from "./random.ts";

/** How an update is turned into integers. One step is 2^−stepBits in units of the model's weights. */
export interface Quantisation {
  readonly stepBits: number;
  /** L2 norm to which updates are clipped, in steps. */
  readonly clipSteps: number;
  /** Lengthens and shortens the step from round to round, on a vote that is one more coordinate. */
  readonly adaptive?: AdaptiveClip | undefined;
}

const MAX_ROUNDING_ATTEMPTS = 100;
const MAX_STEP_BITS = 30;
/** Keeps B² below 2^48 for every dimension that a layout can have. */
const MAX_CLIP_STEPS = 2 ** 23;

/**
 * B², the public bound on ‖q‖² in steps²: the rounded norm of any vector clipped to `clipSteps`.
 *
 * Kairouz, Liu, Steinke 2021, Theorem 1 with beta = e^−2: c² + d/4 + 2·(c + √d/2), in integers and rounded up.
 * Stochastic rounding stays below it with probability at least 1 − e^−2; the client rounds again until it does.
 *
 * @throws PARAMETERS_INVALID for a clip norm or step that is not an integer in range
 */
export function normBoundSquared(quantisation: Quantisation, dimension: number): bigint {
  const clip = BigInt(encodedClipSteps(quantisation));
  const d = BigInt(dimension);
  return clip * clip + (d + 3n) / 4n + 2n * clip + ceilRoot(d);
}

/**
 * The L2 norm, in steps, of all that a client encodes before it is rounded: the clipped update, and its vote if it has
 * one.
 * @throws PARAMETERS_INVALID
 */
export function encodedClipSteps(quantisation: Quantisation): number {
  assertQuantisation(quantisation);
  const { clipSteps, adaptive } = quantisation;
  return adaptive === undefined
    ? clipSteps
    : Number(ceilRoot(BigInt(clipSteps) ** 2n + BigInt(adaptive.voteSteps) ** 2n));
}

/**
 * Clips to the norm and the coordinate range, then rounds stochastically until the norm is within the bound.
 *
 * @param update `dimension` finite numbers, in units of the model's weights
 * @param random a CSPRNG; four bytes are drawn per coordinate and attempt
 * @param scale how many of the quantisation's steps a step is, with an adaptive clip norm
 * @returns signed integers in steps with ‖q‖² <= normBoundSquared, the vote last if there is one
 * @throws PARAMETERS_INVALID, UPDATE_NOT_FINITE; UPDATE_OVER_BOUND if no attempt succeeds (probability below e^−200)
 */
export function quantiseUpdate(
  preset: Preset,
  quantisation: Quantisation,
  update: Float32Array | Float64Array,
  random: RandomBytes,
  scale = 1,
): Int32Array {
  const scaled = clipToSteps(quantisation, update, coordinateOffset(preset) - 1, scale);
  const bound = normBoundSquared(quantisation, scaled.length);
  for (let attempt = 0; attempt < MAX_ROUNDING_ATTEMPTS; attempt++) {
    const rounded = roundStochastically(scaled, random);
    if (BigInt(normSquared(rounded)) <= bound) return rounded;
  }
  throw new VerisumError("UPDATE_NOISE_OVER_BOUND", "stochastic rounding did not come within the norm bound");
}

/**
 * The update in steps, scaled down to the clip norm, with coordinates clamped to an integer `limit`, within which
 * rounding stays; behind it the vote, if there is one.
 * @param scale how many of the quantisation's steps a step is
 * @throws PARAMETERS_INVALID, UPDATE_NOT_FINITE
 */
export function clipToSteps(
  quantisation: Quantisation,
  update: Float32Array | Float64Array,
  limit: number,
  scale = 1,
): Float64Array {
  assertQuantisation(quantisation);
  const { adaptive } = quantisation;
  const largest = largestMagnitude(update);
  const scaled = new Float64Array(update.length + (adaptive === undefined ? 0 : 1));
  if (adaptive !== undefined) scaled[update.length] = Math.min(limit, adaptive.voteSteps);
  if (largest === 0) return scaled;
  // Relative to the largest coordinate, so that neither 1e308 nor a denormal leaves the range of a double when squared.
  let relativeSquares = 0;
  for (let i = 0; i < update.length; i++) relativeSquares += (update[i]! / largest) ** 2;
  const relativeNorm = Math.sqrt(relativeSquares);
  const steps = 2 ** quantisation.stepBits / scale;
  const clipped = largest * relativeNorm * steps > quantisation.clipSteps;
  let clamped = false;
  for (let i = 0; i < update.length; i++) {
    const value = clipped ? (update[i]! / largest) * (quantisation.clipSteps / relativeNorm) : update[i]! * steps;
    scaled[i] = Math.min(limit, Math.max(-limit, value));
    clamped ||= scaled[i] !== value;
  }
  if ((clipped || clamped) && adaptive !== undefined) scaled[update.length] = -scaled[update.length]!;
  return scaled;
}

function largestMagnitude(update: Float32Array | Float64Array): number {
  let largest = 0;
  for (let i = 0; i < update.length; i++) {
    const value = update[i]!;
    if (!Number.isFinite(value))
      throw new VerisumError("UPDATE_NOT_FINITE", `coordinate ${i} of the update is ${value}`, { index: i });
    largest = Math.max(largest, Math.abs(value));
  }
  return largest;
}

function assertQuantisation({ stepBits, clipSteps }: Quantisation): void {
  if (
    !Number.isInteger(stepBits) ||
    stepBits < 0 ||
    stepBits > MAX_STEP_BITS ||
    !Number.isInteger(clipSteps) ||
    clipSteps < 1 ||
    clipSteps > MAX_CLIP_STEPS
  ) {
    throw new VerisumError(
      "PARAMETERS_INVALID",
      `cannot quantise with ${stepBits} step bits and a clip norm of ${clipSteps} steps`,
      { stepBits, clipSteps },
    );
  }
}

/** Rounds each value down or up, up with probability equal to its fraction (to 2^−32). */
export function roundStochastically(values: Float64Array, random: RandomBytes): Int32Array {
  const rounded = new Int32Array(values.length);
  const perDraw = 16_384;
  for (let start = 0; start < values.length; start += perDraw) {
    const count = Math.min(perDraw, values.length - start);
    const bytes = random(count * 4);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) {
      const floor = Math.floor(values[start + i]!);
      const threshold = Math.floor((values[start + i]! - floor) * 2 ** 32);
      rounded[start + i] = floor + (view.getUint32(i * 4) < threshold ? 1 : 0);
    }
  }
  return rounded;
}
