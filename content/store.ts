import type { CID } from "multiformats/cid";
import pLimit from "p-limit";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { decodeCar, encodeCar } from "./car.ts";
import { parseBlockCid, parseDirectoryCid } from "./cid.ts";
import { DEFAULT_DAG_LIMITS, walkDag } from "./dag.ts";
import type { DagLimits, ReadBlock } from "./dag.ts";
import { withDeadline } from "./deadline.ts";
import { listDirectory, notADirectory, readDirectoryFile } from "./directory.ts";
import type { ListedFile } from "./directory.ts";
import { DiskBlocks } from "./disk.ts";
import { createPeerReader } from "./peer-reader.ts";
import { removeFromDisk } from "./removal.ts";
import { decodeNode } from "./node.ts";
import { describe } from "./peers.ts";
import type { Fetch } from "./peers.ts";
import { buildDirectory, mostBlocks } from "./profile.ts";
import type { Block } from "./profile.ts";
import { report } from "./report.ts";

/** Content that parties publish: flat directories of files, named by the CID of the directory. */
export interface ContentStore {
  /** Stores and pins a directory. Returns its CID. @throws IPFS_DIRECTORY_INVALID, IPFS_STORE_FAILED */
  putDirectory(files: Readonly<Record<string, Uint8Array>>): Promise<string>;
  /**
   * Reads one file of a directory, verified block by block, from here or from peers.
   * @throws IPFS_NOT_FOUND no such entry; IPFS_LIMIT_EXCEEDED it is, or claims to be, longer than `maxBytes`;
   *   IPFS_DAG_INVALID; IPFS_CID_INVALID; IPFS_UNAVAILABLE (retryable)
   */
  getFile(cid: string, name: string, limits: { readonly maxBytes: number }): Promise<Uint8Array>;
  /** The directory's entries in the order of their names' bytes. Throws like {@link getFile}. */
  list(cid: string): Promise<readonly ListedFile[]>;
  /** True if every block is held here and undamaged. Asks no peer. @throws IPFS_CID_INVALID */
  has(cid: string): Promise<boolean>;
  /** The complete directory as a CARv1, parents first, each block once. Throws like {@link getFile}. */
  exportCar(cid: string): Promise<Uint8Array>;
  /**
   * Checks a CAR whole, then stores its blocks and pins the root. Nothing is stored if anything is wrong.
   * @param isTaken told of the names of the directory's files; any directory is taken if absent
   * @throws IPFS_CAR_INVALID, IPFS_BLOCK_MISMATCH, IPFS_DAG_INVALID, IPFS_CID_INVALID, IPFS_LIMIT_EXCEEDED;
   *   IPFS_UPLOAD_REFUSED if it is none of those that are taken
   */
  importCar(
    bytes: Uint8Array,
    expectedRoot: string,
    limits?: Partial<DagLimits>,
    isTaken?: (names: readonly string[]) => boolean,
  ): Promise<void>;
  /** Fetches what is missing of a directory and pins it. Throws like {@link getFile}. */
  pin(cid: string): Promise<void>;
  /** The pinned directories, sorted. */
  pins(): Promise<readonly string[]>;
  /** The pinned directories, and those that were read since the store was opened: no pin need keep what lies here. */
  roots(): Promise<readonly string[]>;
  /**
   * Unpins directories, and removes what is held of them and no other pin needs.
   * @param spared directories, pinned or not, from which no block is taken either
   * @throws IPFS_CID_INVALID
   */
  remove(cids: readonly string[], spared?: readonly string[]): Promise<void>;
  /** A verified block held here, or undefined. Asks no peer. @throws IPFS_CID_INVALID */
  getLocalBlock(cid: string): Promise<Uint8Array | undefined>;
  /** Waits for writes in progress. */
  close(): Promise<void>;
}

/** Where blocks live. All bytes it returns have been hashed and compared. */
export interface BlockBackend {
  readLocal(cid: CID): Promise<Uint8Array | undefined>;
  /** From here or from elsewhere, until `signal` aborts. @throws IPFS_UNAVAILABLE */
  readAnywhere(cid: CID, signal: AbortSignal): Promise<Uint8Array>;
  /** Stores the complete DAG, children before parents, and pins the root, durably. */
  commit(root: CID, blocks: readonly Block[]): Promise<void>;
  pins(): Promise<readonly string[]>;
  /** Whether what was read from elsewhere lies here until it is removed; a backend may drop it by itself. */
  readonly keepsWhatIsRead?: boolean;
  /** Unpins the roots, and drops what neither another pin needs nor a spared root. */
  remove(roots: readonly CID[], spared: readonly CID[]): Promise<void>;
  close(): Promise<void>;
}

export interface StoreLimits extends DagLimits {
  /** Time one call may take, all blocks and peers together. */
  readonly callTimeoutMs: number;
  /** Most time that one peer has to deliver one block; less if it sends too little. */
  readonly blockTimeoutMs: number;
  /** Time within which a peer's answer has to begin; its bytes earn it more. */
  readonly blockPatienceMs: number;
}

export const DEFAULT_STORE_LIMITS: StoreLimits = {
  ...DEFAULT_DAG_LIMITS,
  callTimeoutMs: 300_000,
  blockTimeoutMs: 20_000,
  blockPatienceMs: 5000,
};

/** Blocks written side by side; each waits for the disk. */
const WRITES_AT_ONCE = 8;

export interface StoreOptions {
  /** Where blocks and pins are kept; created if absent, and locked until the store closes. */
  readonly directory: string;
  /**
   * Base URLs of trustless gateways, asked in order for what is missing here; those that failed before are asked last.
   */
  readonly peers: () => readonly string[];
  readonly fetch?: Fetch;
  readonly limits?: Partial<StoreLimits>;
  /** Told of damaged blocks, failures of the disk, and peers that deliver nothing or wrong bytes. */
  readonly reporter: Reporter;
}

/**
 * Opens a store on disk that fetches missing blocks from peers.
 *
 * @example
 * const store = await createContentStore({ directory, peers: () => ["http://127.0.0.1:8080"], reporter });
 * const cid = await store.putDirectory({ "model.json": bytes });
 * @throws VerisumError STORAGE_LOCKED, STORAGE_NEWER, IPFS_STORE_FAILED
 */
export async function createContentStore(options: StoreOptions): Promise<ContentStore> {
  const limits = { ...DEFAULT_STORE_LIMITS, ...options.limits };
  const disk = await DiskBlocks.open(options.directory);
  if (disk.pinsRebuilt) reportRebuilt(options);
  /** Directories come and go one at a time: none is removed while another that shares blocks with it is stored. */
  const changes = pLimit(1);
  const readFromPeers = createPeerReader({ ...options, limits });
  const onDisk = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      return await work;
    } catch (cause) {
      reportDiskFailure(options, describe(cause));
      throw cause;
    }
  };
  const readLocal = async (cid: CID): Promise<Uint8Array | undefined> => {
    const { bytes, damaged } = await onDisk(disk.read(cid));
    if (damaged) reportDamage(options, cid.toString());
    return bytes;
  };
  return contentStoreOver(
    {
      readLocal,
      readAnywhere: async (cid, signal) => {
        const held = await readLocal(cid);
        if (held !== undefined) return held;
        const bytes = await readFromPeers(cid, signal);
        await onDisk(disk.write(cid, bytes));
        return bytes;
      },
      commit: (root, blocks) =>
        changes(async () => {
          const write = async ({ cid, bytes }: Block): Promise<void> => {
            if ((await readLocal(cid)) === undefined) await onDisk(disk.write(cid, bytes));
          };
          // The root is last: where it is, all is.
          const below = blocks.filter(({ cid }) => !cid.equals(root));
          const limit = pLimit(WRITES_AT_ONCE);
          await limit.map(below, write).catch((cause: unknown) => {
            limit.clearQueue();
            throw cause;
          });
          await Promise.all(blocks.filter(({ cid }) => cid.equals(root)).map(write));
          await onDisk(disk.pin(root));
        }),
      pins: async () => disk.pins(),
      keepsWhatIsRead: true,
      remove: (roots, spared) => changes(() => onDisk(removeFromDisk(disk, roots, spared, limits))),
      close: () => disk.close(),
    },
    limits,
  );
}

function reportRebuilt({ directory, reporter }: StoreOptions): void {
  const text = `the list of pins in ${directory} was damaged; it was made again from the blocks`;
  report(reporter, "warn", "pins-rebuilt", text, { subject: directory, directory });
}

function reportDamage({ directory, reporter }: StoreOptions, cid: string): void {
  const text = `block ${cid} in ${directory} is damaged: it counts as missing until it is fetched or stored again`;
  report(reporter, "warn", "block-damaged", text, { subject: cid, cid, directory });
}

function reportDiskFailure({ directory, reporter }: StoreOptions, reason: string): void {
  const text = `the store in ${directory} failed: ${reason}; whoever needed it was told so`;
  report(reporter, "error", "disk-failed", text, { subject: directory, directory, reason });
}

/** The rules that all stores share, over any place where blocks live. */
export function contentStoreOver(backend: BlockBackend, limits: StoreLimits): ContentStore {
  /** Roots that were read, and may lie here without a pin. */
  const opened = new Set<string>();
  /** Runs one call below a root with a reader that asks everywhere until the time for a call is up. */
  const reading = <Result>(root: CID, work: (read: ReadBlock) => Promise<Result>): Promise<Result> =>
    withDeadline(limits.callTimeoutMs, undefined, (signal) =>
      work(async (cid) => {
        const bytes = await backend.readAnywhere(cid, signal);
        if (backend.keepsWhatIsRead === true && cid.equals(root)) opened.add(root.toString());
        return bytes;
      }),
    );
  const collect = async (root: CID, read: ReadBlock): Promise<readonly Block[]> => {
    const blocks: Block[] = [];
    for await (const block of walkDag(root, read, limits)) blocks.push(block);
    return blocks;
  };
  const readFile = async (cid: string, name: string, maxBytes: number): Promise<Uint8Array> => {
    const root = parseDirectoryCid(cid);
    const ownLimits = {
      ...limits,
      maxBytes: Math.min(maxBytes, limits.maxBytes),
      maxBlocks: Math.min(mostBlocks(maxBytes), limits.maxBlocks),
    };
    return reading(root, (read) => readDirectoryFile(root, name, read, ownLimits));
  };
  /** Whoever stops waiting for a file and asks again later joins the reading that is under way. */
  const readings = new Map<string, Promise<Uint8Array>>();
  const holds = async (cid: string): Promise<boolean> => isComplete(parseDirectoryCid(cid), backend, limits);
  /** Every block is hashed: those who ask for the same directory at a time share one look. */
  const lookings = new Map<string, Promise<boolean>>();
  return {
    putDirectory: async (files) => {
      const { root, blocks } = await buildDirectory(files);
      await backend.commit(root, blocks);
      return root.toString();
    },
    getFile: (cid, name, { maxBytes }) => {
      const key = JSON.stringify([cid, name, maxBytes]);
      const underWay = readings.get(key) ?? readFile(cid, name, maxBytes).finally(() => readings.delete(key));
      readings.set(key, underWay);
      return underWay;
    },
    list: async (cid) => {
      const root = parseDirectoryCid(cid);
      return reading(root, (read) => listDirectory(root, read, limits));
    },
    has: (cid) => {
      const underWay = lookings.get(cid) ?? holds(cid).finally(() => lookings.delete(cid));
      lookings.set(cid, underWay);
      return underWay;
    },
    exportCar: async (cid) => {
      const root = parseDirectoryCid(cid);
      return encodeCar(root, await reading(root, (read) => collect(root, read)));
    },
    importCar: async (bytes, expectedRoot, callLimits = {}, isTaken = () => true) => {
      const root = parseDirectoryCid(expectedRoot);
      const blocks = await decodeCar(bytes, root, { ...limits, ...callLimits });
      const top = blocks.at(-1);
      const node = top === undefined ? undefined : decodeNode(root, top.bytes);
      if (node?.kind !== "directory") throw notADirectory(root);
      if (!isTaken(node.entries.map(({ name }) => name)))
        throw new VerisumError("IPFS_UPLOAD_REFUSED", `${expectedRoot} is no directory of a kind that is taken here`);
      await backend.commit(root, blocks);
    },
    pin: async (cid) => {
      const root = parseDirectoryCid(cid);
      const blocks = await reading(root, (read) => collect(root, read));
      await backend.commit(root, [...blocks].reverse());
    },
    pins: () => backend.pins(),
    roots: async () => [...new Set([...(await backend.pins()), ...opened])],
    remove: async (cids, spared = []) => {
      const roots = cids.map(parseDirectoryCid);
      await backend.remove(roots, spared.map(parseDirectoryCid));
      for (const root of roots) opened.delete(root.toString());
    },
    getLocalBlock: async (cid) => backend.readLocal(parseBlockCid(cid)),
    close: () => backend.close(),
  };
}

async function isComplete(root: CID, backend: BlockBackend, limits: DagLimits): Promise<boolean> {
  const read = async (cid: CID): Promise<Uint8Array> => {
    const bytes = await backend.readLocal(cid);
    if (bytes === undefined) throw new VerisumError("IPFS_NOT_FOUND", `block ${cid.toString()} is not held here`);
    return bytes;
  };
  try {
    for await (const block of walkDag(root, read, limits)) void block;
    return true;
  } catch (cause) {
    if (isVerisumError(cause, "IPFS_NOT_FOUND") || isVerisumError(cause, "IPFS_DAG_INVALID")) return false;
    throw cause;
  }
}
