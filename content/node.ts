import * as dagPb from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import { VerisumError } from "../protocol/errors.ts";
import { faultOfBlockCid, RAW_CODEC } from "./cid.ts";

/** A part of a file and the number of file bytes it claims to hold. */
export interface FileLink {
  readonly cid: CID;
  readonly sizeBytes: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly cid: CID;
}

/** One block, understood. Sizes of files are claims until the leaves have been read. */
export type DagNode =
  | { readonly kind: "raw"; readonly sizeBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly sizeBytes: number; readonly links: readonly FileLink[] }
  | { readonly kind: "directory"; readonly entries: readonly DirectoryEntry[] };

function invalid(cid: CID, cause: string): VerisumError {
  return new VerisumError("IPFS_DAG_INVALID", `block ${cid.toString()} ${cause}`, { cid: cid.toString() });
}

/**
 * Decodes one verified block, accepting only what the profile produces: raw leaves, file nodes that hold links alone,
 * and flat directories. HAMT directories, symlinks, inline data, modes and times are refused, and links of another
 * version, codec or hash.
 *
 * @throws VerisumError IPFS_DAG_INVALID
 */
export function decodeNode(cid: CID, bytes: Uint8Array): DagNode {
  if (cid.code === RAW_CODEC) return { kind: "raw", sizeBytes: bytes.length, bytes };
  const { node, data } = decodeProtobuf(cid, bytes);
  for (const link of node.Links) {
    const fault = faultOfBlockCid(link.Hash);
    if (fault !== undefined) throw invalid(cid, `has a link whose CID ${fault}`);
  }
  if (data.type === "directory") return directoryNode(cid, node, data);
  if (data.type === "file") return fileNode(cid, node, data);
  throw invalid(cid, `is a UnixFS ${data.type}, which is not used here`);
}

function decodeProtobuf(cid: CID, bytes: Uint8Array): { node: dagPb.PBNode; data: UnixFS } {
  let node: dagPb.PBNode;
  let data: UnixFS;
  let canonical: Uint8Array;
  try {
    node = dagPb.decode(bytes);
    data = UnixFS.unmarshal(node.Data ?? new Uint8Array(0));
    canonical = new UnixFS({ type: data.isDirectory() ? "directory" : "file", blockSizes: data.blockSizes }).marshal();
  } catch {
    throw invalid(cid, "does not decode as UnixFS in dag-pb");
  }
  if (data.type === "directory" || data.type === "file") {
    if (!sameBytes(canonical, node.Data ?? new Uint8Array(0))) {
      throw invalid(cid, "has UnixFS fields outside the profile, or a file size that is not the sum of its parts");
    }
  }
  return { node, data };
}

function directoryNode(cid: CID, node: dagPb.PBNode, data: UnixFS): DagNode {
  if (data.blockSizes.length > 0) throw invalid(cid, "is a directory with block sizes");
  const names = new Set<string>();
  const entries = node.Links.map((link): DirectoryEntry => {
    const name = link.Name ?? "";
    if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
      throw invalid(cid, `has an entry named ${JSON.stringify(name)}`);
    }
    if (names.has(name)) throw invalid(cid, `has two entries named ${JSON.stringify(name)}`);
    names.add(name);
    return { name, cid: link.Hash };
  });
  return { kind: "directory", entries };
}

function fileNode(cid: CID, node: dagPb.PBNode, data: UnixFS): DagNode {
  if (node.Links.length === 0 || node.Links.length !== data.blockSizes.length) {
    throw invalid(cid, `has ${node.Links.length} links and ${data.blockSizes.length} sizes`);
  }
  if (data.fileSize() > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(cid, "claims more than 2^53 - 1 bytes");
  const links = node.Links.map((link, index): FileLink => {
    const sizeBytes = Number(data.blockSizes[index] ?? 0n);
    if (sizeBytes === 0) throw invalid(cid, "has an empty part");
    return { cid: link.Hash, sizeBytes };
  });
  return { kind: "file", sizeBytes: Number(data.fileSize()), links };
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
