/**
 * Removing what rounds that are over leave at a node: share bundles and share sums. Checkpoints and aggregates stay: an
 * audit needs no more (docs/state.md).
 */
import { z } from "zod";
import type { RoundRecords, TaskReader } from "../chain/task-chain.ts";
import { cidFromDigest, parseDirectoryCid } from "../content/cid.ts";
import { decodeNode } from "../content/node.ts";
import type { ContentStore } from "../content/store.ts";
import { shareFileName } from "../protocol/bundle.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import type { ReadingNode } from "./node.ts";
import { SHARE_SUM_FILE } from "./outcome.ts";

/** Rounds before the present one whose bundles and share sums a node keeps, unless it is told another number. */
export const DEFAULT_KEEP_ROUNDS = 8;
/** Rounds looked at in one step: a node that starts late has many behind it. */
const ROUNDS_PER_STEP = 8;

const prunedSchema = z.strictObject({ round: z.string().regex(/^[0-9]+$/) });

export interface PruningDependencies {
  readonly chain: Pick<TaskReader, "round" | "records">;
  readonly store: Pick<ContentStore, "getLocalBlock" | "remove">;
  readonly state: StateDirectory;
  readonly scope: string;
  readonly committeeSize: number;
  readonly keepRounds: number;
  readonly reporter: Reporter;
}

/** One step: removes what is old, a few rounds at a time. */
export function createPruner(deps: PruningDependencies): () => Promise<void> {
  const { chain, store, state, scope, keepRounds, reporter } = deps;
  const path = state.file(scope, "pruned.json");
  let last: bigint | undefined;
  return async () => {
    last ??= await lastPruned(path);
    const due = (await chain.round()).number - BigInt(keepRounds) - 1n;
    if (due <= last) return;
    const until = due < last + BigInt(ROUNDS_PER_STEP) ? due : last + BigInt(ROUNDS_PER_STEP);
    let removed = 0;
    for (let round = last + 1n; round <= until; round += 1n) {
      const old = await roundContent(deps, await chain.records(round));
      if (old.length > 0) await store.remove(old);
      removed += old.length;
    }
    await writeDurably(path, encodeRecord({ round: until.toString() }));
    last = until;
    if (removed > 0)
      reporter.say("info", "pruned", `removed ${removed} bundles and share sums of rounds up to ${until}`, {
        round: until,
        directories: removed,
      });
  };
}

/** Directories of the round that are here and are what they are recorded as: a client may record any CID. */
async function roundContent(deps: PruningDependencies, { submitted, released }: RoundRecords): Promise<string[]> {
  const bundles = submitted.map(({ submission }) => cidFromDigest(submission.sharesCid));
  const sums = released.map(({ releaseCid }) => cidFromDigest(releaseCid));
  const seats = Array.from({ length: deps.committeeSize }, (_, i) => shareFileName(i + 1));
  const old: string[] = [];
  for (const cid of new Set(bundles)) if (await hasOnly(deps, cid, seats)) old.push(cid);
  for (const cid of new Set(sums)) if (await hasOnly(deps, cid, [SHARE_SUM_FILE])) old.push(cid);
  return old;
}

async function hasOnly({ store }: PruningDependencies, cid: string, names: readonly string[]): Promise<boolean> {
  const bytes = await store.getLocalBlock(cid);
  if (bytes === undefined) return false;
  try {
    const node = decodeNode(parseDirectoryCid(cid), bytes);
    return node.kind === "directory" && node.entries.every(({ name }) => names.includes(name));
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    return false;
  }
}

/** A damaged record only costs a look at rounds that were looked at before. */
async function lastPruned(path: string): Promise<bigint> {
  const parsed = prunedSchema.safeParse(await readRecordOrNull(path));
  return parsed.success ? BigInt(parsed.data.round) : 0n;
}

/** The pruner of a role's node. @param keepRounds as `NodeOptions` has it */
export function prunerOf(
  { chain, store, state, scope, task }: ReadingNode,
  keepRounds: number | undefined,
  reporter: Reporter,
): () => Promise<void> {
  const { committeeSize } = task.parameters;
  const rounds = { keepRounds: keepRounds ?? DEFAULT_KEEP_ROUNDS, committeeSize };
  return createPruner({ chain, store, state, scope, reporter, ...rounds });
}
