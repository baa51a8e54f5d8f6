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
import type { StatementBoard } from "./statement-board.ts";

/** Rounds before the present one whose bundles and share sums a node keeps, unless it is told another number. */
export const DEFAULT_KEEP_ROUNDS = 8;
/** Rounds looked at in one step: a node that starts late has many behind it. */
const ROUNDS_PER_STEP = 8;

const decimal = z.string().regex(/^[0-9]+$/);
const prunedSchema = z.strictObject({
  round: decimal,
  /** Sums that seats released in later rounds and that are here, by round: a result names few of them. */
  sums: z.record(decimal, z.array(z.string())).optional(),
});

/** The last round whose content was removed, and what is known of later ones. */
interface Pruned {
  readonly round: bigint;
  readonly sums: ReadonlyMap<bigint, ReadonlySet<string>>;
}

export interface PruningDependencies {
  readonly chain: Pick<TaskReader, "round" | "records">;
  readonly board: Pick<StatementBoard, "of">;
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
  let pruned: Pruned | undefined;
  const keep = async (next: Pruned): Promise<void> => {
    const sums = Object.fromEntries([...next.sums].map(([round, cids]) => [round.toString(), [...cids]]));
    await writeDurably(path, encodeRecord({ round: next.round.toString(), sums }));
    pruned = next;
  };
  return async () => {
    const kept = (pruned ??= await prunedBefore(path));
    const present = (await chain.round()).number;
    let { sums } = kept;
    // A result may have come sooner than this step.
    for (const round of [present - 1n, present]) sums = await withReleased(deps, sums, round);
    const due = present - BigInt(keepRounds) - 1n;
    if (due <= kept.round) {
      if (sums !== kept.sums) await keep({ ...kept, sums });
      return;
    }
    const until = due < kept.round + BigInt(ROUNDS_PER_STEP) ? due : kept.round + BigInt(ROUNDS_PER_STEP);
    let removed = 0;
    for (let round = kept.round + 1n; round <= until; round += 1n) {
      const old = await roundContent(deps, await chain.records(round), sums.get(round) ?? []);
      if (old.length > 0) await store.remove(old);
      removed += old.length;
    }
    await keep({ round: until, sums: new Map([...sums].filter(([round]) => round > until)) });
    if (removed > 0)
      reporter.say("info", "pruned", `removed ${removed} bundles and share sums of rounds up to ${until}`, {
        round: until,
        directories: removed,
      });
  };
}

/**
 * With what the board knows of a round; the same if that is nothing new. A seat may sign as many releases as it likes:
 * those count whose sums are here.
 */
async function withReleased(deps: PruningDependencies, sums: Pruned["sums"], round: bigint): Promise<Pruned["sums"]> {
  const known = sums.get(round) ?? new Set();
  const added: string[] = [];
  for (const statement of deps.board.of(round)) {
    if (statement.kind !== "release") continue;
    const cid = cidFromDigest(statement.releaseCid);
    if (!known.has(cid) && (await hasOnly(deps, cid, [SHARE_SUM_FILE]))) added.push(cid);
  }
  return added.length === 0 ? sums : new Map([...sums, [round, new Set([...known, ...added])]]);
}

/** Directories of the round that are here and are what they are recorded as: a client may record any CID. */
async function roundContent(
  deps: PruningDependencies,
  { submitted, released }: RoundRecords,
  alsoReleased: Iterable<string>,
): Promise<string[]> {
  const bundles = submitted.map(({ submission }) => cidFromDigest(submission.sharesCid));
  const sums = [...released.map(({ releaseCid }) => cidFromDigest(releaseCid)), ...alsoReleased];
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

/** A damaged record costs a look at rounds that were looked at before, and leaves sums that no result names. */
async function prunedBefore(path: string): Promise<Pruned> {
  const parsed = prunedSchema.safeParse(await readRecordOrNull(path));
  if (!parsed.success) return { round: 0n, sums: new Map() };
  const sums = Object.entries(parsed.data.sums ?? {}).map(([round, cids]) => [BigInt(round), new Set(cids)] as const);
  return { round: BigInt(parsed.data.round), sums: new Map(sums) };
}

const NO_BOARD = { of: () => [] };

/**
 * The pruner of a role's node.
 * @param keepRounds as `NodeOptions` has it
 * @param board of a role that keeps others' share sums
 */
export function prunerOf(
  { chain, store, state, scope, task }: ReadingNode,
  keepRounds: number | undefined,
  reporter: Reporter,
  board: PruningDependencies["board"] = NO_BOARD,
): () => Promise<void> {
  const { committeeSize } = task.parameters;
  const rounds = { keepRounds: keepRounds ?? DEFAULT_KEEP_ROUNDS, committeeSize };
  return createPruner({ chain, board, store, state, scope, reporter, ...rounds });
}
