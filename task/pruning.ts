/**
 * Removing what rounds that are over leave at a node: share bundles and share sums, those that the chain names and
 * those that no transaction ever named, results that did not become final, and what was only read. Final checkpoints
 * and aggregates stay: an audit needs no more (docs/state.md).
 */
import type { TaskLook } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import type { ContentStore } from "../content/store.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import type { CheckpointConfig } from "./checkpoint.ts";
import type { Audited } from "./needed-directories.ts";
import { auditedIn, namedIn, namedSince } from "./needed-directories.ts";
import type { ReadingNode } from "./node.ts";
import { taskOrigin } from "./outcome.ts";
import { firstUpTo, readPruned, withMore, withoutOld, writePruned } from "./pruned-record.ts";
import type { ByRound, Pruned } from "./pruned-record.ts";
import { createShareFinder, holdsShares, sharesByNames } from "./share-directories.ts";
import type { StatementBoard } from "./statement-board.ts";
import { notFinal } from "./stored-results.ts";
import { createLookAtRoot } from "./unreadable-roots.ts";
import type { LookAtRoot } from "./unreadable-roots.ts";

/** Rounds before the present one whose bundles and share sums a node keeps, unless it is told another number. */
export const DEFAULT_KEEP_ROUNDS = 8;
/** Rounds looked at in one step: a node that starts late has many behind it. */
const ROUNDS_PER_STEP = 8n;
/** Directories that no transaction named and that one step removes; of results so many again. */
const UNNAMED_PER_STEP = 256;

export interface PruningDependencies extends Audited {
  readonly chain: { look(): Promise<Pick<TaskLook, "round" | "records" | "results" | "closedRound">> };
  readonly board: Pick<StatementBoard, "of">;
  readonly store: Pick<ContentStore, "getLocalBlock" | "pins" | "remove" | "roots">;
  readonly state: StateDirectory;
  readonly scope: string;
  readonly committeeSize: number;
  /** What the task's checkpoints say of it. */
  readonly ofTask: CheckpointConfig["task"];
  readonly keepRounds: number;
  /** How many rounds before its own a bundle may be made that lies here: it is as old as the round that it is for. */
  readonly aheadRounds: number;
  readonly reporter: Reporter;
}

type Look = Awaited<ReturnType<PruningDependencies["chain"]["look"]>>;
/** Whether a directory holds shares; undefined if its root is not here, or cannot be read. */
type SharesAt = (cid: string) => Promise<boolean | undefined>;

/** One step: removes what is old and notes what is new, a bounded number of rounds and directories at a time. */
export function createPruner(deps: PruningDependencies): () => Promise<void> {
  const { chain, store, state, scope, keepRounds, reporter } = deps;
  const path = state.file(scope, "pruned.json");
  const isShares = sharesByNames(deps.committeeSize);
  const lookAt = createLookAtRoot(store, reporter);
  const findShares = createShareFinder(store, isShares, deps.ofTask, lookAt);
  const sharesAt: SharesAt = async (cid) => (await lookAt(cid, () => holdsShares(store, cid, isShares)))?.found;
  let pruned: Pruned | undefined;
  /** The last round in which the whole store was looked through, or could not be. */
  let lookedIn = -1n;

  const keep = async (next: Pruned): Promise<Pruned> => {
    const isSame = next.round === pruned?.round && next.seen === pruned.seen && next.results === pruned.results;
    if (!isSame) await writePruned(path, next);
    return (pruned = next);
  };

  /** Removes what the rounds up to `due` left: what the chain names of the next of them, and what is listed of them. */
  const removeOld = async ({ round, seen, results }: Pruned, look: Look, due: bigint): Promise<Pruned> => {
    const until = largest(round, due < round + ROUNDS_PER_STEP ? due : round + ROUNDS_PER_STEP);
    const shares = new Set<string>();
    for (let of = round + 1n; of <= until; of += 1n) for (const cid of namedIn(look, of)) shares.add(cid);
    const unnamed = firstUpTo(seen, due, UNNAMED_PER_STEP);
    for (const cid of unnamed) shares.add(cid);
    // No reorganisation makes one of those rounds final any more.
    const over = look.closedRound < due ? look.closedRound : due;
    const dead = firstUpTo(results, over, UNNAMED_PER_STEP);
    const removed = await removeUnneeded({ ...deps, lookAt, sharesAt }, look, due, { shares, results: dead });
    if (removed > 0)
      reporter.say(
        "info",
        "pruned",
        `removed ${removed} directories of rounds up to ${until}: bundles, share sums, results that did not become final, and what was only read`,
        { round: until, directories: removed },
      );
    return { round: until, seen: withoutOld(seen, due, unnamed), results: withoutOld(results, over, dead) };
  };

  /** Notes what lies here and is of no round that is kept, once in each round. */
  const noteUnnamed = async ({ round, seen, results }: Pruned, look: Look, due: bigint): Promise<Pruned> => {
    const { number } = look.round;
    // What the rounds before are known by is removed without a note.
    if (number === lookedIn || round < due) return { round, seen, results };
    lookedIn = number;
    const found = await findShares();
    if (found === undefined) {
      lookedIn = -1n;
      return { round, seen, results };
    }
    const audited = new Set(await auditedIn(deps, look));
    const listed = [...seen.values()].flatMap((cids) => [...cids]);
    const known = new Set([...namedSince(look, due), ...listed, ...audited]);
    const unnamed = found.unneeded.filter((cid) => !known.has(cid));
    // A look that lags behind what was removed already makes nothing older than it is.
    const first = round > 0n ? largest(number, round + BigInt(keepRounds) + 1n) : number;
    let open = results;
    for (const [cid, { round: of, aggregateCid }] of found.results)
      open = withMore(
        open,
        of,
        [cid, aggregateCid].filter((part) => !audited.has(part)),
      );
    return { round, seen: withMore(seen, first + BigInt(deps.aheadRounds), unnamed), results: open };
  };

  return async () => {
    const before = (pruned ??= await readPruned(path));
    const look = await chain.look();
    const present = look.round.number;
    const due = present - BigInt(keepRounds) - 1n;
    let { seen } = before;
    // A result may have come sooner than this step.
    for (const round of [present - 1n, present])
      seen = withMore(seen, round, await releasedHere(deps, sharesAt, seen, round));
    const after = await keep(await removeOld({ ...before, seen }, look, due));
    await keep(await noteUnnamed(after, look, due));
  };
}

/** What may go, unless something needs it. */
interface Candidates {
  /** Bundles and sums, and what was only read. */
  readonly shares: ReadonlySet<string>;
  /** Checkpoints and aggregates of rounds that are over for good. */
  readonly results: ReadonlySet<string>;
}

/**
 * Removes what of these is here, is shares or was only read, and is named by no round that is kept: a client may record
 * any CID, also of a directory that another round needs; and the results that are not final. No block goes that an
 * audit may read.
 */
async function removeUnneeded(
  deps: PruningDependencies & { readonly lookAt: LookAtRoot; readonly sharesAt: SharesAt },
  look: Look,
  due: bigint,
  candidates: Candidates,
): Promise<number> {
  if (candidates.shares.size + candidates.results.size === 0) return 0;
  const needed = new Set(namedSince(look, due));
  const audited = await auditedIn(deps, look);
  const kept = new Set([...(await deps.store.pins()), ...audited]);
  const old = new Set(await notFinal(deps, new Set(audited), candidates.results));
  for (const cid of candidates.shares) {
    if (needed.has(cid)) continue;
    const shares = await deps.sharesAt(cid);
    if (shares === true || (shares === false && !kept.has(cid))) old.add(cid);
  }
  if (old.size > 0) await deps.store.remove([...old], audited);
  return old.size;
}

/**
 * What members say that they released in a round, and is here. A seat may sign as many releases as it likes: those
 * count whose sums are here.
 */
async function releasedHere(
  { board }: PruningDependencies,
  sharesAt: SharesAt,
  seen: ByRound,
  round: bigint,
): Promise<readonly string[]> {
  const known = seen.get(round);
  const here: string[] = [];
  for (const statement of board.of(round)) {
    if (statement.kind !== "release") continue;
    const cid = cidFromDigest(statement.releaseCid);
    if (known?.has(cid) !== true && (await sharesAt(cid)) === true) here.push(cid);
  }
  return here;
}

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** What roles differ in. */
interface PruningOptions {
  /** As `NodeOptions` has it. */
  readonly keepRounds?: number | undefined;
  /** Of a role that keeps others' share sums. */
  readonly board?: PruningDependencies["board"];
  /** Of a role that makes submissions before their rounds open. */
  readonly aheadRounds?: number;
}

/** The pruner of a role's node. */
export function prunerOf(
  { chain, store, state, scope, task }: ReadingNode,
  reporter: Reporter,
  { keepRounds = DEFAULT_KEEP_ROUNDS, board = { of: () => [] }, aheadRounds = 0 }: PruningOptions,
): () => Promise<void> {
  const { committeeSize, taskCid, genesisCid } = task.parameters;
  const siblings = task.cells?.siblings ?? [];
  const audited = [taskCid, genesisCid, task.document.keysCid].map((digest) => cidFromDigest(digest));
  const rounds = { keepRounds, aheadRounds, committeeSize };
  const ofTask = taskOrigin(task);
  return createPruner({ chain, siblings, audited, ofTask, board, store, state, scope, reporter, ...rounds });
}
