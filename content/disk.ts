import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { FsBlockstore } from "blockstore-fs";
import { NextToLast } from "blockstore-fs/sharding";
import type { CID } from "multiformats/cid";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { acquireLock } from "../storage/lock.ts";
import type { Lock } from "../storage/lock.ts";
import { blockMatches, parseDirectoryCid } from "./cid.ts";
import { MAX_BLOCK_BYTES } from "./dag.ts";

const BLOCKS_FOLDER = "blocks";
const TEMPORARY_FOLDER = "tmp";
const PINS_FILE = "pins.json";
const LOCK_FILE = "store.lock";

function failed(action: string, cause: unknown): VerisumError {
  const origin = isVerisumError(cause) ? (cause.cause ?? cause) : cause;
  const reason = (origin as NodeJS.ErrnoException).code ?? String(origin);
  return new VerisumError("IPFS_STORE_FAILED", `the block store cannot ${action}: ${reason}`, { reason }, { cause });
}

/** Writes whole files by way of a folder that is emptied on opening: the lock says that nobody else writes there. */
class AtomicWriter {
  readonly #temporary: string;

  constructor(temporaryFolder: string) {
    this.#temporary = temporaryFolder;
  }

  /** Removes what interrupted writes left. */
  async open(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    await mkdir(this.#temporary, { recursive: true });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    try {
      await writeDurably(path, bytes, { temporary: join(this.#temporary, randomUUID()) });
    } catch (cause) {
      throw failed("write", cause);
    }
  }
}

/**
 * blockstore-fs with writes that survive a crash: its own writer neither syncs nor keeps two writers of a block apart.
 */
class DurableBlockstore extends FsBlockstore {
  readonly #root: string;
  readonly #writer: AtomicWriter;
  readonly #sharding = new NextToLast();

  constructor(root: string, writer: AtomicWriter) {
    super(root);
    this.#root = root;
    this.#writer = writer;
  }

  /** Where a block lies. The name is the multihash in base32; no name from a DAG ever reaches the disk. */
  pathOf(cid: CID): string {
    const { dir, file } = this.#sharding.encode(cid);
    return join(this.#root, dir, file);
  }

  override async put(cid: CID, bytes: Uint8Array): Promise<CID> {
    await this.#writer.write(this.pathOf(cid), bytes);
    return cid;
  }
}

/** Blocks and pins of one directory on disk, which one process has open at a time. */
export class DiskBlocks {
  readonly #lock: Lock;
  readonly #blockstore: DurableBlockstore;
  readonly #writer: AtomicWriter;
  readonly #pinsPath: string;
  readonly #pins: Set<string>;
  #lastPinWrite: Promise<void> = Promise.resolve();

  private constructor(directory: string, lock: Lock, writer: AtomicWriter, pins: Set<string>) {
    this.#lock = lock;
    this.#blockstore = new DurableBlockstore(join(directory, BLOCKS_FOLDER), writer);
    this.#writer = writer;
    this.#pinsPath = join(directory, PINS_FILE);
    this.#pins = pins;
  }

  /** @throws VerisumError STORAGE_LOCKED, IPFS_STORE_FAILED, IPFS_STORE_CORRUPT */
  static async open(directory: string): Promise<DiskBlocks> {
    const lock = await lockOf(directory);
    try {
      const writer = new AtomicWriter(join(directory, TEMPORARY_FOLDER));
      await writer.open();
      const blocks = new DiskBlocks(directory, lock, writer, await readPins(join(directory, PINS_FILE)));
      await blocks.#blockstore.open();
      return blocks;
    } catch (cause) {
      await lock.release();
      throw isVerisumError(cause) ? cause : failed("open", cause);
    }
  }

  /**
   * The bytes of a block, hashed and compared on every read, and whether the disk holds a damaged copy instead.
   *
   * @throws VerisumError IPFS_STORE_FAILED when the disk fails otherwise than by not having the file
   */
  async read(cid: CID): Promise<{ bytes: Uint8Array | undefined; damaged: boolean }> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#blockstore.pathOf(cid));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return { bytes: undefined, damaged: false };
      if (code === "EIO") return { bytes: undefined, damaged: true };
      throw failed("read", cause);
    }
    if (bytes.length > MAX_BLOCK_BYTES || !(await blockMatches(cid, bytes))) return { bytes: undefined, damaged: true };
    return { bytes, damaged: false };
  }

  /** Stores a verified block, replacing a damaged copy. @throws VerisumError IPFS_STORE_FAILED */
  async write(cid: CID, bytes: Uint8Array): Promise<void> {
    await this.#blockstore.put(cid, bytes);
  }

  /** The roots kept on purpose, in order of their text. */
  pins(): readonly string[] {
    return [...this.#pins].sort();
  }

  /** Adds a root to the list of pins, durably. @throws VerisumError IPFS_STORE_FAILED */
  async pin(root: CID): Promise<void> {
    const write = async (): Promise<void> => {
      if (this.#pins.has(root.toString())) return;
      const pins = [...this.#pins, root.toString()].sort();
      await this.#writer.write(this.#pinsPath, new TextEncoder().encode(`${JSON.stringify(pins, null, 1)}\n`));
      this.#pins.add(root.toString());
    };
    const writing = this.#lastPinWrite.then(write);
    this.#lastPinWrite = writing.catch(() => undefined);
    await writing;
  }

  /** Waits for writes in progress and lets others open the directory. */
  async close(): Promise<void> {
    await this.#lastPinWrite;
    await this.#blockstore.close();
    await this.#lock.release();
  }
}

async function lockOf(directory: string): Promise<Lock> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await acquireLock(join(directory, LOCK_FILE), directory);
  } catch (cause) {
    throw isVerisumError(cause, "STORAGE_LOCKED") ? cause : failed("open", cause);
  }
}

async function readPins(path: string): Promise<Set<string>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Set();
    throw failed("read the pins", cause);
  }
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) throw new Error("not a list");
    return new Set(list.map((pin) => parseDirectoryCid(String(pin)).toString()));
  } catch (cause) {
    const reason = isVerisumError(cause) ? cause.message : String(cause);
    throw new VerisumError("IPFS_STORE_CORRUPT", `the list of pins is damaged: ${reason}`, { file: path }, { cause });
  }
}
