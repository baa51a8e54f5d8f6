/** What checkpoints say of themselves, read from IPFS once. A CID names the same file for ever, on every branch. */
import { digestHexOfCid } from "../content/cid.ts";
import type { ListedFile } from "../content/directory.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { PublishedFiles } from "../protocol/ports.ts";
import type { Hex } from "../protocol/transcript.ts";
import { accuracyOf, loadCheckpointConfig } from "../task/checkpoint.ts";
import { insertRows } from "./database/database.ts";
import type { Database, Row } from "./database/database.ts";

/** Published files that can be listed. */
export interface ListedFiles extends PublishedFiles {
  list(cid: string): Promise<readonly ListedFile[]>;
}

/** Checkpoints read in one pass: what is slow to come must not keep the index from the chain. */
const MOST_AT_ONCE = 8;

/**
 * Reads checkpoints that are not in the tables, the latest first.
 * @param skipped CIDs that were not there a moment ago
 * @returns CIDs that were not there now
 */
export async function indexModels(
  database: Database,
  task: string,
  store: ListedFiles,
  cellCount: number,
  skipped: ReadonlySet<string> = new Set(),
): Promise<ReadonlySet<string>> {
  const wanted = await database.all<{ readonly cid: string }>(
    `SELECT r.model_cid AS cid FROM rounds r LEFT JOIN models m ON m.cid = r.model_cid
     WHERE r.task = ? AND r.model_cid IS NOT NULL AND (m.cid IS NULL OR m.found = 0) ORDER BY r.number DESC`,
    [task],
  );
  const now = wanted.filter(({ cid }) => !skipped.has(cid)).slice(0, MOST_AT_ONCE);
  const rows = await Promise.all(now.map(({ cid }) => modelRow(store, cid, cellCount)));
  if (rows.length === 0) return new Set();
  await database.transaction(async (queries) => {
    for (const row of rows) await queries.run("DELETE FROM models WHERE cid = ?", [row["cid"]!]);
    await insertRows(queries, "models", rows);
    await queries.run("UPDATE tasks SET revision = revision + 1 WHERE task = ?", [task]);
  });
  return new Set(rows.filter(({ found }) => found === 0).map(({ cid }) => String(cid)));
}

async function modelRow(store: ListedFiles, cid: string, cellCount: number): Promise<Row> {
  const nothing = { accuracy: null, loss: null, samples: null, epsilon: null, parent_cid: null, bytes: null };
  try {
    const { metrics, privacy, parentCid } = await loadCheckpointConfig(store, digestHexOfCid(cid) as Hex, cellCount);
    const files = await store.list(cid);
    return {
      ...{ cid, found: 1, reason: null },
      ...{ accuracy: accuracyOf(metrics), loss: metrics?.loss ?? null, samples: metrics?.samples ?? null },
      ...{ epsilon: privacy?.epsilon ?? null, parent_cid: parentCid },
      bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    };
  } catch (error) {
    if (!isVerisumError(error) || error.entry.about === "host") throw error;
    // What is malformed stays so; what is away may come.
    const found = error.entry.about === "others" ? 0 : 1;
    return { cid, found, reason: `${error.code}: ${error.message}`, ...nothing };
  }
}
