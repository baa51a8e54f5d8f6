/** The finest grid that an update and its noise fit on, for client-level privacy. */
import { VerisumError } from "../errors.ts";
import { noisyUpdateBounds } from "./noise-bounds.ts";

/** What the grid has to hold; lengths in units of the model's weights. */
export interface GranularityOptions {
  /** L2 norm to which updates are clipped. */
  readonly clipNorm: number;
  /** Largest magnitude of a coordinate that must not be clamped: at most `clipNorm`, usually far below it. */
  readonly largestCoordinate: number;
  readonly dimension: number;
  readonly coordinateBits: number;
  /** Variance of one client's noise in steps², when updates are clipped to so many steps. */
  readonly varianceFor: (clipSteps: number) => number;
}

export interface Granularity {
  /** One step is 2^−stepBits of a weight. */
  readonly stepBits: number;
  readonly clipSteps: number;
  readonly noiseVariance: number;
}

/** What a task's document can say. */
const MOST_STEP_BITS = 20;
const MOST_CLIP_STEPS = 2 ** 23;

/**
 * The largest `stepBits` with which coordinates of this width hold the clipped update and, outside of the exits that
 * are counted in delta, its noise. Finer is better: rounding lengthens an update by up to d/4 steps² and noise has to
 * hide that, too.
 * @throws PRIVACY_PARAMETERS_INVALID if none does: the noise is too large for the coordinates, so that fewer rounds, a
 *   larger epsilon or more clients are needed
 */
export function finestGranularity({
  clipNorm,
  largestCoordinate,
  dimension,
  coordinateBits,
  varianceFor,
}: GranularityOptions): Granularity {
  if (!(clipNorm > 0 && largestCoordinate > 0 && largestCoordinate <= clipNorm))
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "0 < largest coordinate <= clip norm does not hold");
  for (let stepBits = MOST_STEP_BITS; stepBits >= 0; stepBits--) {
    const clipSteps = Math.floor(clipNorm * 2 ** stepBits);
    const coordinateSteps = Math.ceil(largestCoordinate * 2 ** stepBits);
    if (clipSteps < 1) break;
    if (clipSteps > MOST_CLIP_STEPS || coordinateSteps >= 2 ** (coordinateBits - 1)) continue;
    const noiseVariance = varianceFor(clipSteps);
    if (noiseFits({ clipSteps, dimension, noiseVariance, coordinateBits }, coordinateSteps))
      return { stepBits, clipSteps, noiseVariance };
  }
  throw new VerisumError(
    "PRIVACY_PARAMETERS_INVALID",
    `no grid of ${coordinateBits} bits holds the update and its noise`,
    { coordinateBits },
  );
}

/** True if coordinates hold the noise, and beside it so many steps of an update. */
export function noiseFits(options: Parameters<typeof noisyUpdateBounds>[0], coordinateSteps = 1): boolean {
  try {
    return noisyUpdateBounds(options).coordinateLimit >= coordinateSteps;
  } catch (error) {
    if (error instanceof VerisumError && error.code === "PRIVACY_PARAMETERS_INVALID") return false;
    throw error;
  }
}
