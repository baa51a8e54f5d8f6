/**
 * A round's result, computed alike by the aggregator that proposes it, the members that sign it and the auditor that
 * checks it.
 */
import { cellOutcome } from "../protocol/cells.ts";
import type { WeightedAggregate } from "../protocol/cells.ts";
import { VerisumError } from "../protocol/errors.ts";
import { decodeElements, encodeElements } from "../protocol/field.ts";
import type { ModelState } from "../protocol/model.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { RoundRecords, RoundResult, SignedResult } from "../chain/task-chain.ts";
import { cidFromDigest, digestHexOfCid } from "../content/cid.ts";
import { buildDirectory } from "../content/profile.ts";
import { checkpointFiles } from "./checkpoint.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import { serverStepOf } from "./model-vector.ts";
import { privacyStatement } from "./privacy.ts";
import type { OpenTask } from "./opened-task.ts";
import { pointOf } from "./challenge.ts";
import { includedRecords, requireSettled } from "./round-records.ts";

export const AGGREGATE_FILE = "aggregate.bin";
export const SHARE_SUM_FILE = "share-sum.bin";

/** What can be published, signed and checked of a round. */
export interface RoundPublication {
  readonly model: ModelState;
  readonly metrics: CheckpointConfig["metrics"];
  readonly signed: SignedResult;
  /** z'. */
  readonly point: bigint;
  readonly aggregateFiles: Record<string, Uint8Array>;
  readonly checkpointFiles: Record<string, Uint8Array>;
}

/** What the aggregator measured of a model, or null if it measured nothing. */
export type Measure = (model: ModelState) => Promise<CheckpointConfig["metrics"]>;

/**
 * Everything that follows from an aggregate; deterministic except for what `measure` says.
 *
 * @param base the model that the round started from
 * @param elements the aggregate, already checked against the sum of commitments
 * @param measure called once, with the round's model
 * @param siblings the aggregates of every other cell of the step, checked; none for a task without cells
 * @throws ENCODING_SLOT_RANGE, MODEL_OVERFLOW, CELLS_SUM_OVERFLOW; CELLS_INCOMPLETE if a sibling is missing
 */
export async function publicationOf(
  task: OpenTask,
  records: RoundRecords,
  base: ModelState,
  elements: readonly bigint[],
  measure: Measure,
  siblings: readonly SiblingSum[] = [],
): Promise<RoundPublication> {
  const settled = requireSettled(records);
  const opened = records.opened!;
  requireEverySibling(task, siblings);
  const outcome = cellOutcome(
    task.layout,
    base,
    { elements, totalWeight: settled.totalWeight },
    siblings,
    serverStepOf(task.document),
  );
  const metrics = await measure(outcome.model);
  const aggregateFiles = { [AGGREGATE_FILE]: encodeElements(elements) };
  const aggregateCid = await directoryDigest(aggregateFiles);
  const clients = includedRecords(records, settled).map(({ client }) => client);
  const own = {
    contract: task.chain.context.contract,
    round: Number(settled.round),
    aggregateCid,
    totalWeight: settled.totalWeight,
    clients,
  };
  const files = checkpointFiles(
    task.document,
    task.tensors,
    outcome.model,
    {
      task: taskOrigin(task),
      round: Number(settled.round),
      parentCid: cidFromDigest(opened.baseModelCid),
      clients,
      totalWeight: settled.totalWeight,
      aggregateCid: cidFromDigest(aggregateCid),
      ...(task.cells === undefined ? {} : { cells: cellEntries(task.cells.cells, [own, ...siblings]) }),
      privacy: privacyStatement(task, records.settledRounds),
    },
    metrics,
  );
  const signed: SignedResult = {
    round: settled.round,
    settlement: settled.settlement,
    aggregateCid,
    aggregateDigest: outcome.aggregateDigest,
    modelCid: await directoryDigest(files),
    modelDigest: outcome.modelDigest,
  };
  return {
    model: outcome.model,
    metrics,
    signed,
    point: pointOf(task, signed),
    aggregateFiles,
    checkpointFiles: files,
  };
}

/** A combination is of all cells or of none: nobody signs or accepts a cell's own sum as the group's. */
function requireEverySibling({ chain, cells }: OpenTask, siblings: readonly SiblingSum[]): void {
  const expected = (cells?.cells ?? []).filter((cell) => cell !== chain.context.contract);
  const given = siblings.map(({ contract }) => contract);
  if (expected.length !== given.length || expected.some((cell, i) => cell !== given[i])) {
    throw new VerisumError(
      "CELLS_INCOMPLETE",
      `only ${given.length} of ${expected.length} sibling cells' sums are there`,
      { given, expected },
    );
  }
}

/** What config.json says of every cell, by place. */
function cellEntries(
  places: readonly Hex[],
  parts: readonly Omit<SiblingSum, "elements">[],
): NonNullable<CheckpointConfig["cells"]> {
  return places
    .flatMap((place) => parts.filter(({ contract }) => contract === place))
    .map(({ contract, round, aggregateCid, totalWeight, clients }) => ({
      contract,
      round,
      aggregateCid: cidFromDigest(aggregateCid),
      totalWeight,
      clients: [...clients],
    }));
}

/**
 * A published vector of the round's length. @throws ENCODING_LENGTH, ENCODING_NOT_CANONICAL, and whatever the store
 * throws
 */
export async function fetchElements(
  task: OpenTask,
  cid: Hex,
  file: typeof AGGREGATE_FILE | typeof SHARE_SUM_FILE,
): Promise<bigint[]> {
  const count = task.layout.elementCount;
  return decodeElements(await task.store.getFile(cidFromDigest(cid), file, { maxBytes: count * 32 }), count);
}

/** The digest of the CID that a directory would have. */
export async function directoryDigest(files: Readonly<Record<string, Uint8Array>>): Promise<Hex> {
  const { root } = await buildDirectory(files);
  return digestHexOfCid(root.toString()) as Hex;
}

/** The part of a signed result that the contract takes. */
export function resultOf({ aggregateCid, aggregateDigest, modelCid, modelDigest }: SignedResult): RoundResult {
  return { aggregateCid, aggregateDigest, modelCid, modelDigest };
}

/** True if two results are the same in every field that is recorded on chain. */
export function sameResult(a: RoundResult, b: RoundResult): boolean {
  return (
    a.aggregateCid === b.aggregateCid &&
    a.aggregateDigest === b.aggregateDigest &&
    a.modelCid === b.modelCid &&
    a.modelDigest === b.modelDigest
  );
}

/** What a task's checkpoints say of it. */
function taskOrigin(task: Pick<OpenTask, "chain" | "parameters" | "document">): CheckpointConfig["task"] {
  const { chainId, contract } = task.chain.context;
  return {
    name: task.document.name,
    chainId: chainId.toString(),
    contract,
    taskCid: cidFromDigest(task.parameters.taskCid),
  };
}

/** A sibling's aggregate, checked against what its contract recorded. */
export interface SiblingSum extends WeightedAggregate {
  readonly contract: Hex;
  readonly round: number;
  readonly clients: readonly Hex[];

  /** Where the aggregate's bytes are, or will be. */
  readonly aggregateCid: Hex;
}
