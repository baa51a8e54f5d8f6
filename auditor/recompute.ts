/** A finalised round's model and checkpoint, computed again from its aggregate. */
import { cidFromDigest } from "../content/cid.ts";
import { ensure } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import { claimsText, loadCheckpointConfig } from "../task/checkpoint.ts";
import type { Metrics } from "../task/checkpoint.ts";
import { publicationOf } from "../task/outcome.ts";
import type { RoundPublication, SiblingSum } from "../task/outcome.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { isLost } from "./find-aggregate.ts";
import type { FinalisedRound } from "./find-aggregate.ts";

export interface RecomputedModel {
  readonly publication: RoundPublication;
  /** What the aggregator said of the model, null if nothing; undefined if nobody has its checkpoint any more. */
  readonly claimed: Metrics | null | undefined;
  /** The files have the recorded CID. False only where the checkpoint is lost, and what was claimed in it. */
  readonly isWhole: boolean;
}

/**
 * Recomputes everything that follows from an aggregate; the checkpoint's CID covers every byte of its files.
 * @throws MODEL_DIGEST_MISMATCH, AUDIT_FAILED if it is not what the round recorded; what `publicationOf` throws
 */
export async function recomputeModel(
  task: OpenTask,
  records: FinalisedRound,
  base: ModelState,
  elements: readonly bigint[],
  siblings: readonly SiblingSum[],
): Promise<RecomputedModel> {
  const { result } = records.finalised;
  const claimed = await claimedOf(task, records.finalised);
  const publication = await publicationOf(task, records, base, elements, async () => claimed ?? null, siblings);
  const { signed } = publication;
  ensure(
    signed.modelDigest === result.modelDigest,
    "MODEL_DIGEST_MISMATCH",
    "the recorded model is not what the aggregate gives",
  );
  ensure(signed.aggregateCid === result.aggregateCid, "AUDIT_FAILED", "the aggregate's CID is not that of its bytes");
  const isWhole = signed.modelCid === result.modelCid;
  ensure(isWhole || claimed === undefined, "AUDIT_FAILED", "the checkpoint's files are not what the aggregate gives");
  // A checkpoint without metrics has nothing in it that could be lost.
  return { publication, claimed: isWhole ? publication.metrics : claimed, isWhole };
}

async function claimedOf(task: OpenTask, { result }: FinalisedRound["finalised"]): Promise<Metrics | null | undefined> {
  try {
    return (await loadCheckpointConfig(task.store, result.modelCid, task.cells?.cells.length)).metrics;
  } catch (error) {
    if (!isLost(error)) throw error;
    return undefined;
  }
}

/** In words. */
export function recomputedText({ publication, claimed, isWhole }: RecomputedModel): string {
  const { model, signed } = publication;
  const whole = `${model.weights.length} weights recomputed bit for bit: ${cidFromDigest(signed.modelCid)}`;
  if (isWhole) return `${whole}${claimed === undefined || claimed === null ? "" : `; ${claimsText(claimed)}`}`;
  return `${model.weights.length} weights recomputed bit for bit; nobody has their checkpoint, nor what was claimed in it`;
}
