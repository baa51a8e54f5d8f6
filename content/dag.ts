import type { CID } from "multiformats/cid";
import { VerisumError } from "../protocol/errors.ts";
import { startAhead } from "./ahead.ts";
import { decodeNode } from "./node.ts";
import type { DagNode } from "./node.ts";
import { concatenate } from "../protocol/bytes.ts";
import { blockKey } from "./profile.ts";
import type { Block } from "./profile.ts";

/** No block may be larger: the limit of trustless gateways. */
export const MAX_BLOCK_BYTES = 2_097_152;

/** What a reader is prepared to take in. Exceeding any of them is IPFS_LIMIT_EXCEEDED. */
export interface DagLimits {
  /** Total content bytes, claimed or delivered. */
  readonly maxBytes: number;
  /** Blocks visited. */
  readonly maxBlocks: number;
  /** Levels below the starting block. */
  readonly maxDepth: number;
  /** Links in one block. */
  readonly maxLinks: number;
}

/** 4 GiB in 1 MiB leaves needs depth 3 under a directory; 1024 links is the profile's width. */
export const DEFAULT_DAG_LIMITS: DagLimits = {
  maxBytes: 1_073_741_824,
  maxBlocks: 16_384,
  maxDepth: 6,
  maxLinks: 1024,
};

/** Delivers the verified bytes of a block or throws IPFS_NOT_FOUND or IPFS_UNAVAILABLE. */
export type ReadBlock = (cid: CID) => Promise<Uint8Array>;

/** Blocks that are read at once, the one in use included. */
const READ_AHEAD_BLOCKS = 8;

function exceeded(cid: CID, what: string, limit: number): VerisumError {
  const details = { cid: cid.toString(), limit };
  return new VerisumError("IPFS_LIMIT_EXCEEDED", `${cid.toString()} ${what} more than ${limit}`, details);
}

function invalid(cid: CID, cause: string): VerisumError {
  return new VerisumError("IPFS_DAG_INVALID", `block ${cid.toString()} ${cause}`, { cid: cid.toString() });
}

/** Counts what one reading has consumed against its limits. */
class Budget {
  readonly #limits: DagLimits;
  #blocks = 0;
  #bytes = 0;

  constructor(limits: DagLimits) {
    this.#limits = limits;
  }

  /** Decodes a block that lies `depth` levels below the start and charges it. */
  open(cid: CID, bytes: Uint8Array, depth: number): DagNode {
    this.#blocks += 1;
    if (this.#blocks > this.#limits.maxBlocks) throw exceeded(cid, "has blocks numbering", this.#limits.maxBlocks);
    if (depth > this.#limits.maxDepth) throw exceeded(cid, "has levels numbering", this.#limits.maxDepth);
    if (bytes.length > MAX_BLOCK_BYTES) throw exceeded(cid, "has bytes in a block numbering", MAX_BLOCK_BYTES);
    const node = decodeNode(cid, bytes);
    if (node.kind === "raw") {
      this.#bytes += node.sizeBytes;
      if (this.#bytes > this.#limits.maxBytes) throw exceeded(cid, "holds bytes numbering", this.#limits.maxBytes);
      return node;
    }
    if (node.kind === "file" && node.sizeBytes > this.#limits.maxBytes) {
      throw exceeded(cid, "claims bytes numbering", this.#limits.maxBytes);
    }
    const links = node.kind === "file" ? node.links.length : node.entries.length;
    if (links > this.#limits.maxLinks) throw exceeded(cid, "has links numbering", this.#limits.maxLinks);
    return node;
  }
}

/** Reads blocks in order while fetching a few ahead. */
async function* readAhead<Link extends { readonly cid: CID }>(
  links: readonly Link[],
  read: ReadBlock,
): AsyncGenerator<{ link: Link; bytes: Uint8Array }> {
  for (const [link, bytes] of startAhead(links, READ_AHEAD_BLOCKS, ({ cid }) => read(cid)))
    yield { link, bytes: await bytes };
}

/**
 * Yields every block of the DAG under `root` once, parents first, and checks it whole: structure, limits, and that each
 * file's claimed sizes are those of its leaves. The root is a directory, a file or a leaf; directories do not nest.
 *
 * @param repeats yields a block as often as it is met, which counts each time
 * @throws VerisumError IPFS_DAG_INVALID, IPFS_LIMIT_EXCEEDED, or what `read` throws
 */
export async function* walkDag(root: CID, read: ReadBlock, limits: DagLimits, repeats = false): AsyncGenerator<Block> {
  const budget = new Budget(limits);
  const sizeOf = new Map<string, number>();

  async function* visit(cid: CID, bytes: Uint8Array, depth: number): AsyncGenerator<Block, number> {
    const node = budget.open(cid, bytes, depth);
    yield { cid, bytes };
    if (node.kind === "raw") return node.sizeBytes;
    if (node.kind === "directory") {
      if (depth > 0) throw invalid(cid, "is a directory inside another");
      yield* visitAll(cid, node.entries, depth);
      return 0;
    }
    yield* visitAll(cid, node.links, depth);
    return node.sizeBytes;
  }

  async function* visitAll(
    parent: CID,
    links: readonly { readonly cid: CID; readonly sizeBytes?: number }[],
    depth: number,
  ): AsyncGenerator<Block> {
    const isWanted = (link: { readonly cid: CID }): boolean => repeats || !sizeOf.has(linkKey(link.cid));
    for await (const { link, bytes } of readAhead((repeats ? links : uniqueByKey(links)).filter(isWanted), read)) {
      if (!isWanted(link)) continue;
      sizeOf.set(linkKey(link.cid), yield* visit(link.cid, bytes, depth + 1));
    }
    for (const link of links) {
      if (link.sizeBytes !== undefined && link.sizeBytes !== sizeOf.get(linkKey(link.cid))) {
        throw invalid(parent, "claims a size for a part that the part does not have");
      }
    }
  }

  yield* visit(root, await read(root), 0);
}

/** The codec counts: the same bytes read as raw and as dag-pb are two different nodes. */
function linkKey(cid: CID): string {
  return `${cid.code} ${blockKey(cid)}`;
}

function uniqueByKey<Link extends { readonly cid: CID }>(links: readonly Link[]): readonly Link[] {
  return [...new Map(links.map((link) => [linkKey(link.cid), link])).values()];
}

/** The bytes of a file from `start` up to but not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Yields the bytes of a file, or a range of them, in order. Sizes are checked against claims leaf by leaf, so that no
 * more than claimed is ever delivered; the claim is checked against `limits.maxBytes` before any leaf is read.
 *
 * @throws VerisumError IPFS_DAG_INVALID, IPFS_LIMIT_EXCEEDED, or what `read` throws
 */
export async function* readFileBytes(
  file: CID,
  read: ReadBlock,
  limits: DagLimits,
  range?: ByteRange,
): AsyncGenerator<Uint8Array> {
  const budget = new Budget(limits);

  async function* visit(
    cid: CID,
    bytes: Uint8Array,
    depth: number,
    offset: number,
    claimed: number | undefined,
  ): AsyncGenerator<Uint8Array> {
    const node = budget.open(cid, bytes, depth);
    if (node.kind === "directory") throw invalid(cid, "is a directory, not a file");
    if (claimed !== undefined && node.sizeBytes !== claimed) {
      throw invalid(cid, `holds ${node.sizeBytes} bytes where its parent claims ${claimed}`);
    }
    if (node.kind === "raw") {
      const from = Math.max(0, (range?.start ?? 0) - offset);
      const to = Math.min(node.sizeBytes, (range?.end ?? Infinity) - offset);
      if (from < to) yield node.bytes.subarray(from, to);
      return;
    }
    let position = offset;
    const placed = node.links.map((link) => {
      const at = position;
      position += link.sizeBytes;
      return { ...link, at };
    });
    const wanted = placed.filter(
      (link) => link.at < (range?.end ?? Infinity) && link.at + link.sizeBytes > (range?.start ?? 0),
    );
    for await (const { link, bytes: child } of readAhead(wanted, read)) {
      yield* visit(link.cid, child, depth + 1, link.at, link.sizeBytes);
    }
  }

  yield* visit(file, await read(file), 0, 0, undefined);
}

/** Collects {@link readFileBytes} into one byte string. */
export async function readWholeFile(file: CID, read: ReadBlock, limits: DagLimits): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of readFileBytes(file, read, limits)) parts.push(part);
  return concatenate(parts);
}
