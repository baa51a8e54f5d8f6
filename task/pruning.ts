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
import type { Audited } from "./needed-directories.ts";
import { auditedIn, cidsOf, namedIn, namedSince } from "./needed-directories.ts";
import type { ReadingNode } from "./node.ts";
import { firstUpTo, withMore, withoutOld } from "./by-round.ts";
import type { ByRound } from "./by-round.ts";
import { readPruned, writePruned } from "./pruned-record.ts";
import type { Pruned } from "./pruned-record.ts";
import { createResultRecord } from "./result-record.ts";
import type { ResultRecord } from "./result-record.ts";
import { createShareFinder, holdsShares, sharesByNames } from "./share-directories.ts";
import type { StatementBoard } from "./statement-board.ts";
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
  /** What this node made of rounds that may not have become final. */
  readonly results: Pick<ResultRecord, "shown" | "sweep">;
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
  const findShares = createShareFinder(store, isShares, lookAt);
  const sharesAt: SharesAt = async (cid) => (await lookAt(cid, () => holdsShares(store, cid, isShares)))?.found;
  let pruned: Pruned | undefined;
  /** The last round in which the whole store was looked through, or could not be. */
  let lookedIn = -1n;
  /** The present round and the last one that is over, when results were looked at. */
  let swept = "";

  const keep = async (next: Pruned): Promise<Pruned> => {
    if (next.round !== pruned?.round || next.seen !== pruned.seen) await writePruned(path, next);
    return (pruned = next);
  };

  const remove = async (
    what: string,
    round: bigint,
    cids: readonly string[],
    spared: readonly string[],
  ): Promise<void> => {
    if (cids.length === 0) return;
    await store.remove(cids, spared);
    const text = `removed ${cids.length} directories of rounds up to ${round}: ${what}`;
    reporter.say("info", "pruned", text, { round, directories: cids.length });
  };

  /** Removes what the rounds up to `due` left: what the chain names of the next of them, and what is listed of them. */
  const removeOld = async ({ round, seen }: Pruned, look: Look, due: bigint): Promise<Pruned> => {
    const until = largest(round, due < round + ROUNDS_PER_STEP ? due : round + ROUNDS_PER_STEP);
    const candidates = new Set<string>();
    for (let of = round + 1n; of <= until; of += 1n) for (const cid of namedIn(look, of)) candidates.add(cid);
    const unnamed = new Set(firstUpTo(seen, due, UNNAMED_PER_STEP));
    for (const cid of unnamed) candidates.add(cid);
    if (candidates.size > 0) {
      const audited = [...(await auditedIn(deps, look)), ...(await deps.results.shown())];
      const old = await unneededOf({ ...deps, sharesAt }, audited, new Set(namedSince(look, due)), candidates);
      await remove("bundles, share sums, and what was only read", until, old, audited);
    }
    return { round: until, seen: withoutOld(seen, due, unnamed) };
  };

  /** Notes results that are final, and removes those of rounds that are over, once for each change of these. */
  const sweepResults = async (look: Look, due: bigint): Promise<void> => {
    const shows = [look.round.number, look.closedRound].join();
    if (shows === swept) return;
    const finalOf = (round: bigint): readonly string[] => {
      const { finalised } = look.records(round);
      return round > look.closedRound || finalised === undefined ? [] : cidsOf(finalised.result);
    };
    await deps.results.sweep(due, await auditedIn(deps, look), finalOf, (cids, spared) =>
      remove("results that did not become final", due, cids, spared),
    );
    swept = shows;
  };

  /** Notes what lies here and is of no round that is kept, once in each round. */
  const noteUnnamed = async ({ round, seen }: Pruned, look: Look, due: bigint): Promise<Pruned> => {
    const { number } = look.round;
    // What the rounds before are known by is removed without a note.
    if (number === lookedIn || round < due) return { round, seen };
    lookedIn = number;
    const found = await findShares();
    if (found === undefined) {
      lookedIn = -1n;
      return { round, seen };
    }
    const listed = [...seen.values()].flatMap((cids) => [...cids]);
    const known = new Set([...namedSince(look, due), ...listed, ...(await auditedIn(deps, look))]);
    const unnamed = found.filter((cid) => !known.has(cid));
    // A look that lags behind what was removed already makes nothing older than it is.
    const first = round > 0n ? largest(number, round + BigInt(keepRounds) + 1n) : number;
    return { round, seen: withMore(seen, first + BigInt(deps.aheadRounds), unnamed) };
  };

  return async () => {
    const before = (pruned ??= await readPruned(path));
    const look = await chain.look();
    const present = look.round.number;
    // What is removed is of rounds that no reorganisation brings back.
    const due = smallest(present - BigInt(keepRounds) - 1n, look.closedRound);
    let { seen } = before;
    // A result may have come sooner than this step.
    for (const round of [present - 1n, present])
      seen = withMore(seen, round, await releasedHere(deps, sharesAt, seen, round));
    const after = await keep(await removeOld({ ...before, seen }, look, due));
    await sweepResults(look, due);
    await keep(await noteUnnamed(after, look, due));
  };
}

/**
 * Those of these that are here, are shares or were only read, and are named by no round that is kept: a client may
 * record any CID, also of a directory that another round needs.
 */
async function unneededOf(
  deps: PruningDependencies & { readonly sharesAt: SharesAt },
  audited: readonly string[],
  named: ReadonlySet<string>,
  candidates: ReadonlySet<string>,
): Promise<readonly string[]> {
  const kept = new Set([...(await deps.store.pins()), ...audited]);
  const old: string[] = [];
  for (const cid of candidates) {
    if (named.has(cid)) continue;
    const shares = await deps.sharesAt(cid);
    if (shares === true || (shares === false && !kept.has(cid))) old.push(cid);
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

const smallest = (a: bigint, b: bigint): bigint => (a < b ? a : b);
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

/** The record of a node's results; a client's stays empty. */
export function resultsOf({ state, scope, store }: Pick<ReadingNode, "state" | "scope" | "store">): ResultRecord {
  return createResultRecord(state.file(scope, "results.json"), store);
}

/** The pruner of a role's node. */
export function prunerOf(
  { chain, store, state, scope, task }: ReadingNode,
  results: ResultRecord,
  reporter: Reporter,
  { keepRounds = DEFAULT_KEEP_ROUNDS, board = { of: () => [] }, aheadRounds = 0 }: PruningOptions,
): () => Promise<void> {
  const { committeeSize, taskCid, genesisCid } = task.parameters;
  const siblings = task.cells?.siblings ?? [];
  const audited = [taskCid, genesisCid, task.document.keysCid].map((digest) => cidFromDigest(digest));
  const rounds = { keepRounds, aheadRounds, committeeSize };
  return createPruner({ chain, siblings, audited, results, board, store, state, scope, reporter, ...rounds });
}
