/**
 * Results that a node stored before they were final: it signed or proposed them. Their checkpoints, which the node made
 * itself, say of which task and round they are, and where the aggregate is.
 */
import { parseDirectoryCid } from "../content/cid.ts";
import { DEFAULT_DAG_LIMITS } from "../content/dag.ts";
import { readDirectoryFile } from "../content/directory.ts";
import type { ContentStore } from "../content/store.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { CHECKPOINT_FILES, parseCheckpointConfig } from "./checkpoint.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import type { LookAtRoot } from "./unreadable-roots.ts";

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
  ofTask: CheckpointConfig["task"],
): Promise<StoredResult | undefined> {
  try {
    const read = async (block: { toString(): string }): Promise<Uint8Array> => {
      const bytes = await store.getLocalBlock(block.toString());
      if (bytes === undefined) throw new VerisumError("IPFS_NOT_FOUND", `block ${block.toString()} is not held here`);
      return bytes;
    };
    const bytes = await readDirectoryFile(parseDirectoryCid(cid), "config.json", read, DEFAULT_DAG_LIMITS);
    const { task, round, aggregateCid } = parseCheckpointConfig(bytes, cid);
    const isOfTask = task.chainId === ofTask.chainId && task.contract === ofTask.contract;
    if (!isOfTask || task.taskCid !== ofTask.taskCid || aggregateCid === null) return undefined;
    return { round: BigInt(round), aggregateCid: parseDirectoryCid(aggregateCid).toString() };
  } catch (error) {
    if (!isVerisumError(error) || error.entry.about !== "input") throw error;
    return undefined;
  }
}

interface ResultPlace {
  readonly store: Pick<ContentStore, "getLocalBlock" | "pins">;
  readonly ofTask: CheckpointConfig["task"];
  readonly lookAt: LookAtRoot;
}

/**
 * Those of these results that no audit reads. A later round that starts from the same model with the same clients gives
 * the same aggregate: it stays for a result that lies here and may become final, as all do while a pin cannot be read.
 */
export async function notFinal(
  { store, ofTask, lookAt }: ResultPlace,
  audited: ReadonlySet<string>,
  results: ReadonlySet<string>,
): Promise<readonly string[]> {
  const dead = [...results].filter((cid) => !audited.has(cid));
  if (dead.length === 0) return [];
  const needed = new Set<string>();
  for (const cid of await store.pins()) {
    if (results.has(cid) || audited.has(cid)) continue;
    const look = await lookAt(cid, () => storedResult(store, cid, ofTask));
    if (look === undefined) return [];
    if (look.found !== undefined) needed.add(look.found.aggregateCid);
  }
  return dead.filter((cid) => !needed.has(cid));
}
