/** From an update to integers where the vector itself carries no noise (docs/protocol.md, section 3). */
import { VerisumError } from "../../protocol/errors.ts";
import { coordinateOffset, PRESETS } from "../../protocol/parameters.ts";
import { normBoundSquared, quantiseUpdate } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { UpdateEncoder, UpdateVector } from "./mechanism.ts";

/** @throws PARAMETERS_INVALID */
export function plainNormBoundSquared(vector: UpdateVector): bigint {
  assertVoteFits(vector, coordinateOffset(PRESETS[vector.preset]) - 1);
  return normBoundSquared(vector.quantisation, vector.dimension);
}

/** Clips, scales and rounds. Throws UPDATE_NOT_FINITE and, with probability below e^−200, UPDATE_OVER_BOUND. */
export function plainEncoder({ preset, quantisation }: UpdateVector, random: RandomBytes): UpdateEncoder {
  return (update, scale) => quantiseUpdate(PRESETS[preset], quantisation, update, random, scale);
}

/**
 * @param limit of a coordinate, in steps
 * @throws PARAMETERS_INVALID if a vote on the clip norm is longer
 */
export function assertVoteFits({ quantisation: { adaptive } }: UpdateVector, limit: number): void {
  if (adaptive !== undefined && adaptive.voteSteps > limit) {
    throw new VerisumError(
      "PARAMETERS_INVALID",
      `a vote of ${adaptive.voteSteps} steps does not fit into a coordinate, which holds ${limit} before noise`,
      { voteSteps: adaptive.voteSteps, limit },
    );
  }
}
