/** A model's checkpoint: as it was published, or computed anew from the rounds where nobody has it any more. */
import { cidFromDigest } from "../content/cid.ts";
import type { ModelRecord } from "../chain/task-chain.ts";
import { requireFinalised, siblingRounds, sumOf } from "../task/cells.ts";
import { pointOf } from "../task/challenge.ts";
import { CHECKPOINT_FILES, loadCheckpointConfig, loadModelState } from "../task/checkpoint.ts";
import type { Metrics } from "../task/checkpoint.ts";
import type { SiblingSum } from "../task/outcome.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { requireOpened, requireSettled } from "../task/round-records.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import { findAggregate, isLost } from "./find-aggregate.ts";
import type { FinalisedRound } from "./find-aggregate.ts";
import { lastModelUpTo } from "./last-model.ts";
import { recomputeModel } from "./recompute.ts";
import type { RecomputedModel } from "./recompute.ts";
import { signedResult } from "./round-checks.ts";

/** Of one file of a checkpoint; `model.safetensors` is the largest. */
const MAX_FILE_BYTES = 1 << 30;

export interface FoundCheckpoint {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly source: "published" | "rebuilt";
  /** What the aggregator said of the model, null if nothing; undefined if that is lost. */
  readonly claimed: Metrics | null | undefined;
  /** The files have the recorded CID: false where what was claimed is lost. The weights have the digest either way. */
  readonly isWhole: boolean;
}

/**
 * The files of a checkpoint under their fixed names.
 * @throws IPFS_* if neither the files nor what they follow from can be had; what {@link recomputeModel} throws
 */
export async function findCheckpoint(task: OpenTask, record: ModelRecord): Promise<FoundCheckpoint> {
  try {
    return await publishedCheckpoint(task, record);
  } catch (error) {
    if (!isLost(error) || record.round === 0n) throw error;
    const { publication, claimed, isWhole } = await rebuiltModel(task, record.round);
    return { files: publication.checkpointFiles, source: "rebuilt", claimed, isWhole };
  }
}

async function publishedCheckpoint(task: OpenTask, { cid }: ModelRecord): Promise<FoundCheckpoint> {
  const files: Record<string, Uint8Array> = {};
  // What a directory calls its other files never becomes a path here.
  for (const name of CHECKPOINT_FILES)
    files[name] = await task.store.getFile(cidFromDigest(cid), name, { maxBytes: MAX_FILE_BYTES });
  const { metrics } = await loadCheckpointConfig(task.store, cid, task.cells?.cells.length);
  return { files, source: "published", claimed: metrics, isWhole: true };
}

/** From the model before it and from the round's aggregate, either of which may be lost as well. */
async function rebuiltModel(task: OpenTask, round: bigint): Promise<RecomputedModel> {
  const records = await finalisedRecords(task, round);
  const base = await stateBefore(task, records);
  const elements = await aggregateOf(task, records);
  return recomputeModel(task, records, base, elements, await siblingSums(task, records));
}

async function stateBefore(task: OpenTask, records: FinalisedRound): Promise<ModelState> {
  const { baseModelCid, baseModelDigest } = requireOpened(records);
  try {
    return await loadModelState(task, baseModelCid, baseModelDigest);
  } catch (error) {
    const before = await lastModelUpTo(task, records.finalised.round - 1n);
    if (!isLost(error) || before === undefined) throw error;
    return (await rebuiltModel(task, before.round)).publication.model;
  }
}

async function finalisedRecords(task: OpenTask, round: bigint): Promise<FinalisedRound> {
  const { finalised, ...records } = await task.chain.records(round);
  if (finalised !== undefined) return { ...records, finalised };
  throw new VerisumError("CHAIN_EVENTS_MISSING", `round ${round} is not finalised by its events`, { round });
}

async function aggregateOf(task: OpenTask, records: FinalisedRound): Promise<readonly bigint[]> {
  const signed = signedResult(records.finalised, requireSettled(records));
  return (await findAggregate(task, records, pointOf(task, signed))).elements;
}

async function siblingSums(task: OpenTask, records: FinalisedRound): Promise<SiblingSum[]> {
  if (task.cells === undefined) return [];
  const siblings = requireFinalised(await siblingRounds(task, records));
  return Promise.all(siblings.map(async (sibling) => sumOf(sibling, await aggregateOf(sibling.task, sibling.records))));
}
