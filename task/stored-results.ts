/**
 * Results that a node stored before they were final: it signed or proposed them. Their checkpoints, which the node made
 * itself, say of which task and round they are, and where the aggregate is.
 */
import { parseDirectoryCid } from "../content/cid.ts";
import { DEFAULT_DAG_LIMITS } from "../content/dag.ts";
import { readDirectoryFile } from "../content/directory.ts";
import type { ContentStore } from "../content/store.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { CHECKPOINT_FILES, mostConfigBytes, parseCheckpointConfig } from "./checkpoint.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import { withMore } from "./pruned-record.ts";
import type { ByRound } from "./pruned-record.ts";

/** What tells a task's results from another's. */
export interface ResultOrigin {
  /** What the task's checkpoints say of it. */
  readonly ofTask: CheckpointConfig["task"];
  /** The task's cells; 1 without a group. */
  readonly cellCount: number;
}

export interface StoredResult {
  readonly round: bigint;
  readonly aggregateCid: string;
}

/** Tells by the names of a directory's files whether it may be a checkpoint. */
export function isCheckpoint(names: readonly string[]): boolean {
  return names.length === CHECKPOINT_FILES.length && CHECKPOINT_FILES.every((name) => names.includes(name));
}

/**
 * The result whose checkpoint a directory is; undefined of another task's, of a first model, and of a checkpoint whose
 * `config.json` is not whole here. Asks no peer. @throws IPFS_STORE_FAILED, IPFS_API_FAILED
 */
export async function storedResult(
  store: Pick<ContentStore, "getLocalBlock">,
  cid: string,
  { ofTask, cellCount }: ResultOrigin,
): Promise<StoredResult | undefined> {
  const limits = { ...DEFAULT_DAG_LIMITS, maxBytes: mostConfigBytes(cellCount) };
  try {
    const read = async (block: { toString(): string }): Promise<Uint8Array> => {
      const bytes = await store.getLocalBlock(block.toString());
      if (bytes === undefined) throw new VerisumError("IPFS_NOT_FOUND", `block ${block.toString()} is not held here`);
      return bytes;
    };
    const bytes = await readDirectoryFile(parseDirectoryCid(cid), "config.json", read, limits);
    const { task, round, aggregateCid } = parseCheckpointConfig(bytes, cid);
    const isOfTask = task.chainId === ofTask.chainId && task.contract === ofTask.contract;
    if (!isOfTask || task.taskCid !== ofTask.taskCid || aggregateCid === null) return undefined;
    return { round: BigInt(round), aggregateCid: parseDirectoryCid(aggregateCid).toString() };
  } catch (error) {
    if (!isVerisumError(error) || error.entry.about !== "input") throw error;
    return undefined;
  }
}

/** The checkpoints and aggregates of results. */
export function partsOf(results: ReadonlyMap<string, StoredResult>): ReadonlySet<string> {
  return new Set([...results].flatMap(([cid, { aggregateCid }]) => [cid, aggregateCid]));
}

/** With what of these results nothing keeps, by their rounds. */
export function withOpen(
  lists: ByRound,
  results: ReadonlyMap<string, StoredResult>,
  kept: ReadonlySet<string>,
): ByRound {
  let open = lists;
  for (const [cid, { round, aggregateCid }] of results) {
    const parts = [cid, aggregateCid].filter((part) => !kept.has(part));
    open = withMore(open, round, parts);
  }
  return open;
}

/**
 * Those of dead results' parts that nothing keeps. A later round that starts from the same model with the same clients
 * gives the same aggregate: it stays for another result that lies here and may become final.
 * @param results all that lie here
 * @param kept what an audit reads
 */
export function goingWith(
  dead: ReadonlySet<string>,
  results: ReadonlyMap<string, StoredResult>,
  kept: ReadonlySet<string>,
): readonly string[] {
  const needed = new Set([...results].flatMap(([cid, { aggregateCid }]) => (dead.has(cid) ? [] : [aggregateCid])));
  return [...dead].filter((cid) => !kept.has(cid) && !needed.has(cid));
}
