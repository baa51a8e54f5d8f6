/**
 * A clip norm that follows a quantile of the clients' update norms (Andrew et al. 2021), without a change to bounds,
 * noise or contract: clients clip to the same number of steps in every round, and what changes is how long a step is.
 * The level, in octaves of the step, is the model's last weight; each client votes on it with one more coordinate of
 * its vector, which is shared, proven, noised and summed with the rest (docs/privacy.md, "Clip norm and grid").
 */
import { roundedQuotient } from "./integers.ts";
import type { DyadicRational } from "./integers.ts";

/** How the level follows the votes. */
export interface AdaptiveClip {
  /** Share of clients whose update shall pass unclipped. */
  readonly quantile: DyadicRational;
  /** Octaves by which the level moves in a round, for each unit by which that share is off. */
  readonly octavesPerRound: DyadicRational;
  /** The level stays within this many octaves of the document's step, either way. */
  readonly maxOctaves: number;
  /**
   * A client's vote, in steps: positive if its update passes whole, negative if it was clipped or a coordinate was
   * clamped.
   */
  readonly voteSteps: number;
}

/** Bits after the binary point of a level. */
export const LEVEL_BITS = 16;
const QUARTER_BITS = LEVEL_BITS - 2;
/** Bits after the binary point of a scale's mantissa. */
export const SCALE_BITS = 16;
/** round(2^(SCALE_BITS + i/4)). */
const QUARTER_OCTAVES = [65_536, 77_936, 92_682, 110_218] as const;

/**
 * How many of the document's steps a step is, mantissa·2^(octaves − SCALE_BITS): the level rounded down to a quarter of
 * an octave.
 */
export interface StepScale {
  readonly mantissa: number;
  readonly octaves: number;
}

/**
 * The level that counts: within the document's octaves, whatever a state says. No round leaves them; a genesis can.
 * @param level in units of 2^−LEVEL_BITS octaves
 */
export function boundedLevel(level: number, { maxOctaves }: Pick<AdaptiveClip, "maxOctaves">): number {
  const limit = maxOctaves * 2 ** LEVEL_BITS;
  return Math.max(-limit, Math.min(limit, level));
}

/** @param level bounded, in units of 2^−LEVEL_BITS octaves */
export function stepScaleOf(level: number): StepScale {
  const quarters = level >> QUARTER_BITS;
  return { mantissa: QUARTER_OCTAVES[(quarters & 3) as 0 | 1 | 2 | 3], octaves: quarters >> 2 };
}

/** The same as a number, exactly. */
export function scaleFactor({ mantissa, octaves }: StepScale): number {
  return mantissa * 2 ** (octaves - SCALE_BITS);
}

/**
 * The level after a round: down by octavesPerRound·(share of unclipped updates − quantile), rounded to nearest, halves
 * up. Noise and corrupt clients move a sum of votes beyond what votes can be; it counts as the most that they can be.
 *
 * @param votes the weighted sum of the clients' votes, in steps
 * @param totalWeight of the clients; at least 1
 */
export function nextLevel(level: number, votes: number, totalWeight: number, adaptive: AdaptiveClip): number {
  const { quantile, octavesPerRound, voteSteps } = adaptive;
  const most = BigInt(voteSteps) * BigInt(totalWeight);
  const sum = BigInt(votes) > most ? most : BigInt(votes) < -most ? -most : BigInt(votes);
  // share − quantile = excess / whole
  const whole = (2n * most) << BigInt(quantile.denominatorBits);
  const excess = ((sum + most) << BigInt(quantile.denominatorBits)) - 2n * most * BigInt(quantile.numerator);
  const move = roundedQuotient(
    (-excess * BigInt(octavesPerRound.numerator)) << BigInt(LEVEL_BITS),
    whole << BigInt(octavesPerRound.denominatorBits),
  );
  return boundedLevel(boundedLevel(level, adaptive) + Number(move), adaptive);
}
