/** Published directories, read with any reader of blocks. */
import type { CID } from "multiformats/cid";
import { VerisumError } from "../protocol/errors.ts";
import { readWholeFile } from "./dag.ts";
import type { DagLimits, ReadBlock } from "./dag.ts";
import { decodeNode } from "./node.ts";
import type { DagNode } from "./node.ts";

/** An entry of a published directory. */
export interface ListedFile {
  readonly name: string;
  /** The file's length as its first block states it; {@link ContentStore.getFile} checks it against the leaves. */
  readonly sizeBytes: number;
  readonly cid: string;
}

export function notADirectory(cid: CID): VerisumError {
  return new VerisumError("IPFS_DAG_INVALID", `${cid.toString()} is not a directory`, { cid: cid.toString() });
}

async function openDirectory(
  root: CID,
  read: ReadBlock,
  limits: DagLimits,
): Promise<Extract<DagNode, { kind: "directory" }>> {
  const node = decodeNode(root, await read(root));
  if (node.kind !== "directory") throw notADirectory(root);
  if (node.entries.length > limits.maxLinks) {
    const details = { cid: root.toString(), entries: node.entries.length, limit: limits.maxLinks };
    throw new VerisumError("IPFS_LIMIT_EXCEEDED", `${root.toString()} has too many entries`, details);
  }
  return node;
}

/**
 * Lists a directory with any reader: the store's own, or one that asks no peer. Throws like `ContentStore.list`.
 */
export async function listDirectory(root: CID, read: ReadBlock, limits: DagLimits): Promise<readonly ListedFile[]> {
  const directory = await openDirectory(root, read, limits);
  const files: ListedFile[] = [];
  for (const { name, cid } of directory.entries) {
    const node = decodeNode(cid, await read(cid));
    if (node.kind === "directory") throw new VerisumError("IPFS_DAG_INVALID", "a directory lies inside another");
    files.push({ name, sizeBytes: node.sizeBytes, cid: cid.toString() });
  }
  return files;
}

/** One file of a directory. @throws IPFS_NOT_FOUND if there is none of this name; what reading a DAG throws */
export async function readDirectoryFile(
  root: CID,
  name: string,
  read: ReadBlock,
  limits: DagLimits,
): Promise<Uint8Array> {
  const { entries } = await openDirectory(root, read, limits);
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry !== undefined) return readWholeFile(entry.cid, read, limits);
  const cid = root.toString();
  throw new VerisumError("IPFS_NOT_FOUND", `${cid} has no entry ${JSON.stringify(name)}`, { cid, name });
}
