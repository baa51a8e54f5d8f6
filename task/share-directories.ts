/**
 * The directories that serve a round until it is final, and nothing afterwards: clients' share bundles and members'
 * share sums. Their files' names tell them from all that an audit reads.
 */
import { parseDirectoryCid } from "../content/cid.ts";
import { decodeNode } from "../content/node.ts";
import type { ContentStore } from "../content/store.ts";
import { shareFileName } from "../protocol/bundle.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { SHARE_SUM_FILE } from "./outcome.ts";
import { isCheckpoint, storedResult } from "./stored-results.ts";
import type { ResultOrigin, StoredResult } from "./stored-results.ts";
import type { LookAtRoot } from "./unreadable-roots.ts";

/** Tells by the names of a directory's files whether it is a share bundle for such a committee, or a share sum. */
export function sharesByNames(committeeSize: number): (names: readonly string[]) => boolean {
  const seats = new Set(Array.from({ length: committeeSize }, (_, i) => shareFileName(i + 1)));
  return (names) =>
    (names.length > 0 && names.every((name) => seats.has(name))) || (names.length === 1 && names[0] === SHARE_SUM_FILE);
}

/** The same of a directory in a store; undefined if its root is not here. Asks no peer. @throws IPFS_STORE_FAILED */
export async function holdsShares(
  store: Pick<ContentStore, "getLocalBlock">,
  cid: string,
  isShares: (names: readonly string[]) => boolean,
): Promise<boolean | undefined> {
  const names = await namesAt(store, cid);
  return names === undefined ? undefined : isShares(names);
}

/** Names of a directory's files; none of what is no directory; undefined if its root is not here. */
async function namesAt(
  store: Pick<ContentStore, "getLocalBlock">,
  cid: string,
): Promise<readonly string[] | undefined> {
  try {
    const bytes = await store.getLocalBlock(cid);
    if (bytes === undefined) return undefined;
    const node = decodeNode(parseDirectoryCid(cid), bytes);
    return node.kind === "directory" ? node.entries.map(({ name }) => name) : [];
  } catch (error) {
    // A Kubo node's owner may have pinned roots larger than any that is read.
    if (!isVerisumError(error) || error.entry.about !== "input") throw error;
    return [];
  }
}

/** Roots read in one call: a node that starts has all of them before it. */
const ROOTS_PER_CALL = 256;

export interface Found {
  /** Bundles and sums, and what was read and no pin keeps: whoever serves it names its files. */
  readonly unneeded: readonly string[];
  /** The task's results that are pinned, final or not, by their checkpoints. */
  readonly results: ReadonlyMap<string, StoredResult>;
  /** Whether all that is pinned could be read: the results are all that are here. */
  readonly isWhole: boolean;
}

/** What a root is; null if it was not here, or could not be read. */
type Kind = StoredResult | "shares" | "other" | null;

/**
 * Finds what may go among all that a store has. A root is read once: what it names never changes, and what is pinned is
 * here as a whole.
 * @returns what finds it: undefined until it has read every root, some at each call
 */
export function createShareFinder(
  store: Pick<ContentStore, "getLocalBlock" | "pins" | "roots">,
  isShares: (names: readonly string[]) => boolean,
  origin: ResultOrigin,
  lookAt: LookAtRoot,
): () => Promise<Found | undefined> {
  const known = new Map<string, { readonly kind: Kind; readonly wasPinned: boolean }>();
  const unreadable = new Set<string>();
  const kindOf = async (cid: string): Promise<Kind> => {
    const names = await namesAt(store, cid);
    if (names === undefined) return null;
    if (isShares(names)) return "shares";
    return (isCheckpoint(names) ? await storedResult(store, cid, origin) : undefined) ?? "other";
  };
  const read = async (cid: string, wasPinned: boolean): Promise<void> => {
    // One at which the store fails keeps no others from being read.
    known.set(cid, { kind: null, wasPinned });
    unreadable.add(cid);
    const look = await lookAt(cid, () => kindOf(cid));
    if (look === undefined) return;
    known.set(cid, { kind: look.found, wasPinned });
    unreadable.delete(cid);
  };
  return async () => {
    const pinned = new Set(await store.pins());
    const all = new Set([...(await store.roots()), ...pinned]);
    const isRead = (cid: string): boolean => known.has(cid) && (known.get(cid)!.wasPinned || !pinned.has(cid));
    const unread = [...all].filter((cid) => !isRead(cid));
    for (const cid of unread.slice(0, ROOTS_PER_CALL)) await read(cid, pinned.has(cid));
    if (unread.length > ROOTS_PER_CALL) return undefined;
    const [unneeded, results] = [[] as string[], new Map<string, StoredResult>()];
    const isWhole = ![...pinned].some((cid) => unreadable.has(cid));
    for (const [cid, { kind }] of known) {
      if (kind === null || !all.has(cid)) known.delete(cid);
      else if (kind === "shares" || !pinned.has(cid)) unneeded.push(cid);
      else if (kind !== "other") results.set(cid, kind);
    }
    unreadable.clear();
    return { unneeded, results, isWhole };
  };
}
