/**
 * From a client's update to the integers that it commits to, as the task's document says (docs/protocol.md, sections 3
 * and 8).
 */
import { VerisumError } from "../protocol/errors.ts";
import { coordinateOffset, PRESETS } from "../protocol/parameters.ts";
import { noisyUpdateBounds } from "../protocol/privacy/noise-bounds.ts";
import type { NoisyUpdateBounds } from "../protocol/privacy/noise-bounds.ts";
import { drawNoise, noiseTable } from "../protocol/privacy/noise-table.ts";
import type { NoiseTable } from "../protocol/privacy/noise-table.ts";
import { addNoise, roundConditionally } from "../protocol/privacy/noisy-update.ts";
import { encodedClipSteps, normBoundSquared, quantiseUpdate } from "../protocol/quantise.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { ClientPrivacy, TaskDocument } from "./document.ts";

type Encoding = Pick<TaskDocument, "preset" | "quantisation" | "training">;

/**
 * One round's encoder: its noise is drawn when it is made, before there is an update or a deadline to betray by its
 * time.
 * @param scale of the round's step (`stepScale` in model-vector.ts)
 */
export type UpdateEncoder = (update: Float32Array, scale: number) => Int32Array;

/**
 * B², the public bound on the squared norm of what a client commits to, in steps².
 * @param dimension of the vector, the vote included
 * @throws PARAMETERS_INVALID, PRIVACY_PARAMETERS_INVALID
 */
export function normBoundOf(document: Encoding, dimension: number): bigint {
  const { privacy } = document.training;
  if (privacy?.unit === "client") return clientNoiseBounds(document, privacy, dimension).noisyNormSquared;
  assertVoteFits(document, coordinateOffset(PRESETS[document.preset]) - 1);
  return normBoundSquared(document.quantisation, dimension);
}

/**
 * The bounds of a client's update before and after its noise. @throws PRIVACY_PARAMETERS_INVALID, PARAMETERS_INVALID
 */
export function clientNoiseBounds(
  document: Encoding,
  { noiseVariance }: Pick<ClientPrivacy, "noiseVariance">,
  dimension: number,
): NoisyUpdateBounds {
  const { coordinateBits } = PRESETS[document.preset];
  const bounds = noisyUpdateBounds({
    clipSteps: encodedClipSteps(document.quantisation),
    dimension,
    localVariance: noiseVariance,
    coordinateBits,
  });
  assertVoteFits(document, bounds.coordinateLimit);
  return bounds;
}

function assertVoteFits({ quantisation: { adaptive } }: Encoding, limit: number): void {
  if (adaptive !== undefined && adaptive.voteSteps > limit) {
    throw new VerisumError(
      "PARAMETERS_INVALID",
      `a vote of ${adaptive.voteSteps} steps does not fit into a coordinate, which holds ${limit} before noise`,
      { voteSteps: adaptive.voteSteps, limit },
    );
  }
}

/**
 * An encoder for one round. It throws UPDATE_NOT_FINITE for an update that is not finite; where clients are protected
 * as a whole, when staying away would reveal it, such an update counts as zero. It throws UPDATE_OVER_BOUND if the
 * noise does not fit: it is never drawn again.
 * @param dimension of the vector, the vote included
 * @param random a CSPRNG
 */
export function updateEncoder(document: Encoding, dimension: number, random: RandomBytes): UpdateEncoder {
  const { privacy } = document.training;
  if (privacy?.unit !== "client")
    return (update, scale) => quantiseUpdate(PRESETS[document.preset], document.quantisation, update, random, scale);
  const bounds = clientNoiseBounds(document, privacy, dimension);
  const noise = drawNoise(clientNoiseTable(privacy.noiseVariance), dimension, random);
  const finite = (update: Float32Array): Float32Array =>
    update.every(Number.isFinite) ? update : new Float32Array(update.length);
  return (update, scale) =>
    addNoise(roundConditionally(document.quantisation, bounds, finite(update), random, scale), noise, bounds);
}

const tables = new Map<number, NoiseTable>();

/** The sampler of a variance; a process uses one or few. */
export function clientNoiseTable(variance: number): NoiseTable {
  const known = tables.get(variance);
  if (known !== undefined) return known;
  const table = noiseTable(BigInt(variance));
  tables.set(variance, table);
  return table;
}
