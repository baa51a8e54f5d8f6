/** Removing directories from a store on disk, without taking a block from another directory that is kept. */
import type { CID } from "multiformats/cid";
import { decodeNode } from "./node.ts";
import type { DagNode } from "./node.ts";
import { parseDirectoryCid, RAW_CODEC } from "./cid.ts";
import type { DagLimits } from "./dag.ts";
import type { DiskBlocks } from "./disk.ts";
import { blockKey } from "./profile.ts";

type BlockReader = Pick<DiskBlocks, "read">;

/** A block somewhere below a root. */
interface Reached {
  readonly cid: CID;
  readonly depth: number;
}

/**
 * Removes what is below the roots first and the roots last, which are unpinned in between: on a disk that is full the
 * shorter list of pins has room only then. Whoever is interrupted finds a root by its pin for as long as more of it is
 * here than its own block.
 * @param spared roots whose blocks stay although no pin may name them: somebody else may have put the same blocks under
 *   a root that goes
 */
export async function removeFromDisk(
  disk: Pick<DiskBlocks, "pins" | "read" | "remove" | "unpin">,
  roots: readonly CID[],
  spared: readonly CID[],
  limits: DagLimits,
): Promise<void> {
  const doomed = new Map<string, CID>();
  for (const root of roots) for (const cid of await blocksBelow(disk, root, limits)) doomed.set(blockKey(cid), cid);
  const going = new Set(roots.map(String));
  const pinned = disk.pins().filter((pin) => !going.has(pin));
  for (const needed of new Set([...pinned, ...spared.map(String)])) {
    if (doomed.size === 0) break;
    for (const cid of await blocksBelow(disk, parseDirectoryCid(needed), limits)) doomed.delete(blockKey(cid));
  }
  // Children before their parents, by which they are found again.
  const inTurn = [...doomed.values()].reverse();
  const isRoot = (cid: CID): boolean => going.has(cid.toString());
  for (const cid of inTurn) if (!isRoot(cid)) await disk.remove(cid);
  await disk.unpin(roots);
  for (const cid of inTurn) if (isRoot(cid)) await disk.remove(cid);
}

/** What is held of a DAG, its root first; leaves are named by their parents and not read. */
async function blocksBelow(disk: BlockReader, root: CID, limits: DagLimits): Promise<readonly CID[]> {
  const found = new Map<string, CID>();
  const open: Reached[] = [{ cid: root, depth: 0 }];
  while (open.length > 0 && found.size <= limits.maxBlocks) {
    const { cid, depth } = open.pop()!;
    if (found.has(cid.toString())) continue;
    found.set(cid.toString(), cid);
    const node = depth > limits.maxDepth ? undefined : await nodeOf(disk, cid);
    for (const child of childrenOf(node)) open.push({ cid: child, depth: depth + 1 });
  }
  return [...found.values()];
}

/** The node of a block that has links; undefined for a leaf, and for what is missing, damaged or no node. */
async function nodeOf(disk: BlockReader, cid: CID): Promise<DagNode | undefined> {
  if (cid.code === RAW_CODEC) return undefined;
  const { bytes } = await disk.read(cid);
  try {
    return bytes === undefined ? undefined : decodeNode(cid, bytes);
  } catch {
    return undefined;
  }
}

function childrenOf(node: DagNode | undefined): readonly CID[] {
  if (node === undefined || node.kind === "raw") return [];
  return (node.kind === "directory" ? node.entries : node.links).map(({ cid }) => cid);
}
