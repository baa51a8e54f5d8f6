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
import { firstUpTo, readPruned, withAll, withMore, withoutOld, writePruned } from "./pruned-record.ts";
import type { ByRound, Pruned } from "./pruned-record.ts";
import { createShareFinder, holdsShares, sharesByNames } from "./share-directories.ts";
import type { StatementBoard } from "./statement-board.ts";
import { goingWith, partsOf, withOpen } from "./stored-results.ts";
import { createLookAtRoot } from "./unreadable-roots.ts";

/** Rounds before the present one whose bundles and share sums a node keeps, unless it is told another number. */
export const DEFAULT_KEEP_ROUNDS = 8;
/** Rounds looked at in one step: a node that starts late has many behind it. */
const ROUNDS_PER_STEP = 8n;
/** Directories that no transaction named and that one step removes. */
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
  const origin = { ofTask: deps.ofTask, cellCount: deps.siblings.length + 1 };
  const findShares = createShareFinder(store, isShares, origin, lookAt);
  const sharesAt: SharesAt = async (cid) => (await lookAt(cid, () => holdsShares(store, cid, isShares)))?.found;
  let pruned: Pruned | undefined;
  /** The last round in which the whole store was looked through, or could not be. */
  let lookedIn = -1n;

  const keep = async (next: Pruned): Promise<Pruned> => {
    const before = pruned;
    const isSame =
      before !== undefined && (Object.keys(next) as (keyof Pruned)[]).every((part) => next[part] === before[part]);
    if (!isSame) await writePruned(path, next);
    return (pruned = next);
  };

  const remove = async (what: string, cids: readonly string[], spared: Iterable<string>, round: bigint) => {
    if (cids.length === 0) return;
    await store.remove(cids, [...spared]);
    const text = `removed ${cids.length} directories of rounds up to ${round}: ${what}`;
    reporter.say("info", "pruned", text, { round, directories: cids.length });
  };

  /** Removes what the rounds up to `due` left: what the chain names of the next of them, and what is listed of them. */
  const removeOld = async (before: Pruned, look: Look, due: bigint): Promise<Pruned> => {
    const { round, seen, shown } = before;
    const until = largest(round, due < round + ROUNDS_PER_STEP ? due : round + ROUNDS_PER_STEP);
    const candidates = new Set<string>();
    for (let of = round + 1n; of <= until; of += 1n) for (const cid of namedIn(look, of)) candidates.add(cid);
    const unnamed = firstUpTo(seen, due, UNNAMED_PER_STEP);
    for (const cid of unnamed) candidates.add(cid);
    if (candidates.size > 0) {
      const audited = new Set([...(await auditedIn(deps, look)), ...shown]);
      const old = await unneededOf({ ...deps, sharesAt }, audited, new Set(namedSince(look, due)), candidates);
      await remove("bundles, share sums, and what was only read", old, audited, until);
    }
    return { ...before, round: until, seen: withoutOld(seen, due, unnamed) };
  };

  /** Once in each round, notes what lies here and is of no round that is kept, and removes results that were noted. */
  const lookThrough = async (before: Pruned, look: Look, due: bigint): Promise<Pruned> => {
    const { round, seen, results } = before;
    const { number } = look.round;
    // What the rounds before are known by is removed without a note.
    if (number === lookedIn || round < due) return before;
    lookedIn = number;
    const found = await findShares();
    if (found === undefined) {
      lookedIn = -1n;
      return before;
    }
    const audited = await auditedIn(deps, look);
    const stored = partsOf(found.results);
    const shown = withAll(
      before.shown,
      audited.filter((cid) => stored.has(cid)),
    );
    const kept = new Set([...audited, ...shown]);
    const listed = [...seen.values()].flatMap((cids) => [...cids]);
    const known = new Set([...namedSince(look, due), ...listed, ...kept]);
    const unnamed = found.unneeded.filter((cid) => !known.has(cid));
    // A look that lags behind what was removed already makes nothing older than it is.
    const first = round > 0n ? largest(number, round + BigInt(keepRounds) + 1n) : number;
    // No reorganisation makes one of those rounds final any more. What goes was listed before, on disk.
    const over = look.closedRound < due ? look.closedRound : due;
    const dead = found.isWhole ? firstUpTo(results, over) : new Set<string>();
    await remove("results that did not become final", goingWith(dead, found.results, kept), kept, over);
    return {
      ...{ round, shown },
      seen: withMore(seen, first + BigInt(deps.aheadRounds), unnamed),
      results: withoutOld(withOpen(results, found.results, kept), over, dead),
    };
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
    await keep(await lookThrough(after, look, due));
  };
}

/**
 * Those of these that are here, are shares or were only read, and are named by no round that is kept: a client may
 * record any CID, also of a directory that another round needs.
 */
async function unneededOf(
  deps: PruningDependencies & { readonly sharesAt: SharesAt },
  audited: ReadonlySet<string>,
  named: ReadonlySet<string>,
  candidates: ReadonlySet<string>,
): Promise<readonly string[]> {
  const pins = new Set(await deps.store.pins());
  const old: string[] = [];
  for (const cid of candidates) {
    if (named.has(cid)) continue;
    const shares = await deps.sharesAt(cid);
    if (shares === true || (shares === false && !pins.has(cid) && !audited.has(cid))) old.push(cid);
  }
  return old;
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
