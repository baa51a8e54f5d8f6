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
  try {
    const bytes = await store.getLocalBlock(cid);
    if (bytes === undefined) return undefined;
    const node = decodeNode(parseDirectoryCid(cid), bytes);
    return node.kind === "directory" && isShares(node.entries.map(({ name }) => name));
  } catch (error) {
    // A Kubo node's owner may have pinned roots larger than any that is read.
    if (!isVerisumError(error) || error.entry.about !== "input") throw error;
    return false;
  }
}

/** Roots read in one call: a node that starts has all of them before it. */
const ROOTS_PER_CALL = 256;

/**
 * Finds what may go among all that a store has: bundles and sums, and what was read and no pin keeps: whoever serves it
 * names its files. A root is read once: what it names never changes.
 * @returns what finds it: undefined until it has read every root, some at each call
 */
export function createShareFinder(
  store: Pick<ContentStore, "getLocalBlock" | "pins" | "roots">,
  isShares: (names: readonly string[]) => boolean,
  lookAt: LookAtRoot,
): () => Promise<readonly string[] | undefined> {
  /** Whether a root is shares; undefined of one that was not here, or could not be read, when it was looked for. */
  const known = new Map<string, boolean | undefined>();
  let roots: readonly string[] | undefined;
  return async () => {
    const all = (roots ??= await store.roots());
    const unread = all.filter((cid) => !known.has(cid));
    for (const cid of unread.slice(0, ROOTS_PER_CALL)) {
      // One at which the store fails keeps no others from being read.
      known.set(cid, undefined);
      known.set(cid, (await lookAt(cid, () => holdsShares(store, cid, isShares)))?.found);
    }
    if (unread.length > ROOTS_PER_CALL) return undefined;
    const pinned = new Set(await store.pins());
    roots = undefined;
    const present = new Set(all);
    const unneeded: string[] = [];
    for (const [cid, shares] of known) {
      if (shares === undefined || !present.has(cid)) known.delete(cid);
      else if (shares || !pinned.has(cid)) unneeded.push(cid);
    }
    return unneeded;
  };
}
