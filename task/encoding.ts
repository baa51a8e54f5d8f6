/** What a client commits to, as the task's document says (docs/protocol.md, sections 3 and 8). */
import type { RandomBytes } from "../protocol/random.ts";
import type { TaskDocument } from "./document.ts";
import type { UpdateEncoder } from "./mechanisms/mechanism.ts";
import { mechanismOf } from "./mechanisms/registry.ts";

type Encoding = Pick<TaskDocument, "preset" | "quantisation" | "training">;

/**
 * B², the public bound on the squared norm of what a client commits to, in steps².
 * @param dimension of the vector, the vote included
 * @throws PARAMETERS_INVALID, PRIVACY_PARAMETERS_INVALID
 */
export function normBoundOf({ preset, quantisation, training }: Encoding, dimension: number): bigint {
  return mechanismOf(training.privacy).normBoundSquared({ preset, quantisation, dimension });
}

/**
 * An encoder for one round.
 * @param dimension of the vector, the vote included
 * @param random a CSPRNG
 * @throws as `normBoundOf`
 */
export function updateEncoder(
  { preset, quantisation, training }: Encoding,
  dimension: number,
  random: RandomBytes,
): UpdateEncoder {
  return mechanismOf(training.privacy).updateEncoder({ preset, quantisation, dimension }, random);
}
