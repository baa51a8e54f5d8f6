import { CarBufferReader } from "@ipld/car/buffer-reader";
import { createWriter, headerLength } from "@ipld/car/buffer-writer";
import { varint } from "multiformats";
import type { CID } from "multiformats";
import { VerisumError } from "../protocol/errors.ts";
import { blockMatches, faultOfBlockCid } from "./cid.ts";
import { MAX_BLOCK_BYTES, walkDag } from "./dag.ts";
import type { DagLimits } from "./dag.ts";
import { concatenate } from "../protocol/bytes.ts";
import { blockKey } from "./profile.ts";
import type { Block } from "./profile.ts";

/** Media types of trustless gateways, https://specs.ipfs.tech/http-gateways/trustless-gateway/ */
export const CAR_MEDIA_TYPE = "application/vnd.ipld.car";
export const RAW_MEDIA_TYPE = "application/vnd.ipld.raw";

/** Bytes that framing adds to a block: a length of up to 4 bytes and a CID of 36. */
const FRAME_BYTES = 40;
/** Bytes a CAR with one root spends before its first block, generously. */
const HEADER_BYTES = 128;

function invalid(cause: string, details: Readonly<Record<string, string | number>> = {}): VerisumError {
  return new VerisumError("IPFS_CAR_INVALID", `CAR file ${cause}`, details);
}

/** The header of a CARv1 with one root. */
export function carHeader(root: CID): Uint8Array {
  return createWriter(new ArrayBuffer(headerLength({ roots: [root] })), { roots: [root] }).close();
}

/** One block in CARv1 framing: length, CID, bytes. */
export function carFrame(block: Block): Uint8Array {
  const payloadBytes = block.cid.bytes.length + block.bytes.length;
  const length = new Uint8Array(varint.encodingLength(payloadBytes));
  varint.encodeTo(payloadBytes, length);
  return concatenate([length, block.cid.bytes, block.bytes]);
}

/** A CARv1 with one root and the given blocks in the given order. */
export function encodeCar(root: CID, blocks: readonly Block[]): Uint8Array {
  return concatenate([carHeader(root), ...blocks.map(carFrame)]);
}

/** The one root that a CARv1 names; what is under it is checked by {@link decodeCar}. @throws IPFS_CAR_INVALID */
export function carRoot(bytes: Uint8Array): CID {
  const [root, ...others] = parse(bytes).roots;
  if (root === undefined || others.length > 0) throw invalid("does not have one root");
  return root;
}

/** The largest CAR that can hold content within the limits. */
export function maxCarBytes(limits: DagLimits): number {
  return HEADER_BYTES + limits.maxBytes + limits.maxBlocks * FRAME_BYTES + Math.ceil(limits.maxBytes / 4096);
}

/**
 * Reads a CARv1 that holds exactly the complete DAG under `expectedRoot`: right root, every block hashes to its CID,
 * none missing, none extra, all of the project's profile.
 *
 * @returns the blocks, children before parents, so that a root that is stored has all its children stored
 * @throws VerisumError IPFS_CAR_INVALID, IPFS_BLOCK_MISMATCH, IPFS_DAG_INVALID, IPFS_LIMIT_EXCEEDED
 */
export async function decodeCar(bytes: Uint8Array, expectedRoot: CID, limits: DagLimits): Promise<readonly Block[]> {
  const limit = maxCarBytes(limits);
  if (bytes.length > limit) {
    throw new VerisumError("IPFS_LIMIT_EXCEEDED", `CAR file has ${bytes.length} bytes, over ${limit}`, { limit });
  }
  const { roots, blocks } = parse(bytes);
  if (roots.length !== 1 || roots[0]?.equals(expectedRoot) !== true) {
    const found = roots.map(String).join(", ");
    throw invalid(`has roots [${found}] and not the expected one`, { expected: expectedRoot.toString(), found });
  }
  if (blocks.length > limits.maxBlocks) {
    throw new VerisumError("IPFS_LIMIT_EXCEEDED", `CAR file has ${blocks.length} blocks`, { limit: limits.maxBlocks });
  }
  const held = new Map<string, Block>();
  for (const block of blocks) {
    await assertBlock(block);
    held.set(blockKey(block.cid), block);
  }
  const reached: Block[] = [];
  const read = async (cid: CID): Promise<Uint8Array> => {
    const block = held.get(blockKey(cid));
    if (block === undefined) throw invalid(`lacks block ${cid.toString()}`, { cid: cid.toString() });
    return block.bytes;
  };
  for await (const block of walkDag(expectedRoot, read, limits)) reached.push(block);
  if (new Set(reached.map((block) => blockKey(block.cid))).size !== held.size) {
    throw invalid("has blocks outside the root's DAG", { blocks: held.size, reachable: reached.length });
  }
  return reached.reverse();
}

function parse(bytes: Uint8Array): { roots: readonly CID[]; blocks: readonly Block[] } {
  try {
    const reader = CarBufferReader.fromBytes(bytes);
    if (reader.version !== 1) throw new Error(`is version ${reader.version}, not 1`);
    return { roots: reader.getRoots(), blocks: reader.blocks() };
  } catch (cause) {
    throw invalid(`does not decode: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

async function assertBlock({ cid, bytes }: Block): Promise<void> {
  const fault = faultOfBlockCid(cid);
  if (fault !== undefined) throw invalid(`has a block whose CID ${fault}`);
  if (bytes.length > MAX_BLOCK_BYTES) {
    throw new VerisumError("IPFS_LIMIT_EXCEEDED", `block ${cid.toString()} is larger than ${MAX_BLOCK_BYTES} bytes`);
  }
  if (!(await blockMatches(cid, bytes))) {
    const details = { cid: cid.toString() };
    throw new VerisumError("IPFS_BLOCK_MISMATCH", `the CAR file's block ${cid.toString()} has other bytes`, details);
  }
}
