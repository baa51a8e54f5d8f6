import { concatenate } from "../protocol/bytes.ts";
import { unixfs } from "@helia/unixfs";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import { balanced } from "ipfs-unixfs-importer/layout";
import type { ImporterOptions } from "ipfs-unixfs-importer";
import { MemoryBlockstore } from "blockstore-core";
import type { CID } from "multiformats/cid";
import { base32 } from "multiformats/bases/base32";
import { VerisumError } from "../protocol/errors.ts";
import { decodeNode } from "./node.ts";
import type { DagNode } from "./node.ts";

/** The CID profile of everything that is published: IPIP-0499, https://specs.ipfs.tech/ipips/ipip-0499/ */
export const PROFILE_NAME = "unixfs-v1-2025";
export const CHUNK_BYTES = 1_048_576;
export const MAX_CHILDREN_PER_FILE_NODE = 1024;
/** A larger directory block would become a HAMT; such directories are not published and not read. */
export const MAX_DIRECTORY_BLOCK_BYTES = 262_144;
export const MAX_DIRECTORY_ENTRIES = 1024;
const MAX_NAME_BYTES = 255;

/** A reader takes pieces an eighth as long as the profile's, for what other programs published. */
const BLOCKS_PER_CHUNK = 8;

/**
 * Blocks that a file of so many bytes may come in: whoever cuts it finer has its reader fetch and keep as many files.
 */
export function mostBlocks(bytes: number): number {
  return 1 + BLOCKS_PER_CHUNK * Math.ceil(bytes / CHUNK_BYTES);
}

/** The profile spelled out, so that no default of the importer decides a CID. */
const IMPORTER_OPTIONS = {
  profile: PROFILE_NAME,
  cidVersion: 1,
  rawLeaves: true,
  reduceSingleLeafToSelf: true,
  fieldOrder: "links-first",
  shardSplitStrategy: "block-bytes",
  shardSplitThresholdBytes: MAX_DIRECTORY_BLOCK_BYTES,
  wrapWithDirectory: true,
} as const satisfies ImporterOptions;

/** A block and the CID it hashes to. */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** A directory as blocks: each block once, the root last. */
export interface BuiltDirectory {
  readonly root: CID;
  readonly blocks: readonly Block[];
}

/** True for a name that may stand in a directory: not empty, no separator, no control character, not "." or "..". */
export function isEntryName(name: string): boolean {
  if (name === "" || name === "." || name === "..") return false;
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f/\\]/.test(name)) return false;
  const encoded = new TextEncoder().encode(name);
  const isWellFormed = new TextDecoder().decode(encoded) === name;
  return isWellFormed && encoded.length <= MAX_NAME_BYTES;
}

/**
 * Builds the blocks of a flat directory under the project's profile.
 *
 * @param files contents by entry name; names obey {@link isEntryName}
 * @throws VerisumError IPFS_DIRECTORY_INVALID
 */
export async function buildDirectory(files: Readonly<Record<string, Uint8Array>>): Promise<BuiltDirectory> {
  const entries = Object.entries(files);
  if (entries.length === 0 || entries.length > MAX_DIRECTORY_ENTRIES) {
    throw new VerisumError("IPFS_DIRECTORY_INVALID", `a directory has 1 to ${MAX_DIRECTORY_ENTRIES} entries`, {
      entries: entries.length,
    });
  }
  for (const [name] of entries) {
    if (!isEntryName(name)) {
      throw new VerisumError("IPFS_DIRECTORY_INVALID", `entry name ${JSON.stringify(name)} is not allowed`, { name });
    }
  }
  const staging = new MemoryBlockstore();
  const candidates = entries.map(([path, content]) => ({ path, content }));
  let root: CID | undefined;
  for await (const imported of unixfs({ blockstore: staging }).addAll(candidates, importerOptions())) {
    root = imported.cid;
  }
  if (root === undefined) throw new VerisumError("IPFS_DIRECTORY_INVALID", "nothing was imported");
  return { root, blocks: await blocksReachableFrom(root, staging) };
}

/** Fresh objects on each call: the importer writes into the options it is given. */
function importerOptions() {
  return {
    ...IMPORTER_OPTIONS,
    chunker: fixedSize({ chunkSize: CHUNK_BYTES }),
    layout: balanced({ maxChildrenPerNode: MAX_CHILDREN_PER_FILE_NODE }),
  } as const satisfies ImporterOptions;
}

async function blocksReachableFrom(root: CID, staging: MemoryBlockstore): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  const seen = new Set<string>();
  const visit = async (cid: CID): Promise<void> => {
    if (seen.has(cid.toString())) return;
    seen.add(cid.toString());
    const parts: Uint8Array[] = [];
    for await (const part of staging.get(cid)) parts.push(part);
    const bytes = concatenate(parts);
    for (const child of childrenOf(cid, bytes, root)) await visit(child.cid);
    blocks.push({ cid, bytes });
  };
  await visit(root);
  return blocks;
}

function childrenOf(cid: CID, bytes: Uint8Array, root: CID): readonly { readonly cid: CID }[] {
  let node: DagNode;
  try {
    node = decodeNode(cid, bytes);
  } catch (cause) {
    if (!cid.equals(root)) throw cause;
    const message = "the entry names are too long for one directory block";
    throw new VerisumError("IPFS_DIRECTORY_INVALID", message, {}, { cause });
  }
  if (node.kind === "raw") return [];
  return node.kind === "directory" ? node.entries : node.links;
}

/** The key under which a block is known, whatever codec its CID names: the multihash. */
export function blockKey(cid: CID): string {
  return base32.encode(cid.multihash.bytes);
}
