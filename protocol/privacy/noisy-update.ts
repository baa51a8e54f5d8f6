/** An update for client-level privacy: clip, round within the bound, add noise (docs/privacy.md). */
import { VerisumError } from "../errors.ts";
import { normSquared } from "../packing.ts";
import { clipToSteps, roundStochastically } from "../quantise.ts";
import type { Quantisation } from "../quantise.ts";
import type { RandomBytes } from "../random.ts";
import type { NoisyUpdateBounds } from "./noise-bounds.ts";

/** An attempt fails with probability below e^−1/2; all of them with probability below e^−100. */
const MAX_ROUNDING_ATTEMPTS = 200;

/**
 * Clips to the norm and the coordinates' limit, then rounds stochastically until the norm is within the bound:
 * Algorithm 1 of Kairouz, Liu, Steinke 2021, without its rotation (docs/privacy.md). Floating point ends with the
 * clipping.
 *
 * @param update finite numbers, in units of the model's weights
 * @param bounds from `noisyUpdateBounds` for the same clip norm and dimension
 * @param random a CSPRNG; four bytes are drawn per coordinate and attempt
 * @param scale how many of the quantisation's steps a step is, with an adaptive clip norm
 * @returns signed integers in steps, ‖q‖² <= roundedNormSquared, |q_i| <= coordinateLimit, the vote last if there is
 * one
 * @throws PARAMETERS_INVALID, UPDATE_NOT_FINITE; UPDATE_OVER_BOUND if no attempt succeeds
 */
export function roundConditionally(
  quantisation: Quantisation,
  bounds: Pick<NoisyUpdateBounds, "roundedNormSquared" | "coordinateLimit">,
  update: Float32Array | Float64Array,
  random: RandomBytes,
  scale = 1,
): Int32Array {
  const scaled = clipToSteps(quantisation, update, bounds.coordinateLimit, scale);
  for (let attempt = 0; attempt < MAX_ROUNDING_ATTEMPTS; attempt++) {
    const rounded = roundStochastically(scaled, random);
    if (BigInt(normSquared(rounded)) <= bounds.roundedNormSquared) return rounded;
  }
  throw new VerisumError("UPDATE_NOISE_OVER_BOUND", "stochastic rounding did not come within the norm bound");
}

/**
 * The sum of a rounded update and noise. Noise that does not fit is not drawn again: the client sits the round out,
 * which has probability `exitProbability` at most and is counted in delta.
 *
 * @throws UPDATE_LENGTH; UPDATE_OVER_BOUND if the noise does not fit
 */
export function addNoise(
  rounded: Int32Array,
  noise: Int32Array,
  bounds: Pick<NoisyUpdateBounds, "noisyNormSquared" | "noisyCoordinateLimit">,
): Int32Array {
  if (noise.length !== rounded.length)
    throw new VerisumError("UPDATE_LENGTH", `${noise.length} samples of noise for ${rounded.length} coordinates`);
  const noisy = new Int32Array(rounded.length);
  let largest = 0;
  for (let i = 0; i < noisy.length; i++) {
    const value = rounded[i]! + noise[i]!;
    noisy[i] = value;
    largest = Math.max(largest, Math.abs(value));
  }
  if (largest > bounds.noisyCoordinateLimit || BigInt(normSquared(noisy)) > bounds.noisyNormSquared) {
    throw new VerisumError("UPDATE_NOISE_OVER_BOUND", "the noise of this round does not fit; it is not drawn again");
  }
  return noisy;
}
