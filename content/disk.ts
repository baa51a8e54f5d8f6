import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import { FsBlockstore } from "blockstore-fs";
import { NextToLast } from "blockstore-fs/sharding";
import type { CID } from "multiformats/cid";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { blockMatches, parseDirectoryCid } from "./cid.ts";
import { MAX_BLOCK_BYTES } from "./dag.ts";

const BLOCKS_FOLDER = "blocks";
const TEMPORARY_FOLDER = "tmp";
const PINS_FILE = "pins.json";

function failed(action: string, cause: unknown): VerisumError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new VerisumError("IPFS_STORE_FAILED", `the block store cannot ${action}: ${reason}`, { reason }, { cause });
}

/**
 * Writes whole files so that a crash leaves the old content or the new, never a part: temporary file, fsync, rename,
 * fsync.
 */
class AtomicWriter {
  readonly #temporary: string;

  constructor(temporaryFolder: string) {
    this.#temporary = temporaryFolder;
  }

  /** Creates the folder and removes what processes that no longer run left in it. */
  async open(): Promise<void> {
    await mkdir(this.#temporary, { recursive: true });
    for (const name of await readdir(this.#temporary)) {
      const processId = Number(name.split("-")[0]);
      if (!isRunning(processId)) await rm(join(this.#temporary, name), { force: true });
    }
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.#temporary, `${process.pid}-${randomBytes(8).toString("hex")}`);
    try {
      const file = await open(temporary, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      const created = await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
      await syncFolder(dirname(path));
      if (created !== undefined) await syncFolder(dirname(created));
    } catch (cause) {
      await rm(temporary, { force: true });
      throw failed("write", cause);
    }
  }
}

function isRunning(processId: number): boolean {
  if (!Number.isSafeInteger(processId) || processId <= 0) return false;
  if (processId === process.pid) return true;
  try {
    process.kill(processId, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
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

/** Blocks and pins of one directory on disk. */
export class DiskBlocks {
  readonly #blockstore: DurableBlockstore;
  readonly #writer: AtomicWriter;
  readonly #pinsPath: string;
  readonly #pins: Set<string>;
  #lastPinWrite: Promise<void> = Promise.resolve();

  private constructor(blockstore: DurableBlockstore, writer: AtomicWriter, pinsPath: string, pins: Set<string>) {
    this.#blockstore = blockstore;
    this.#writer = writer;
    this.#pinsPath = pinsPath;
    this.#pins = pins;
  }

  /** @throws VerisumError IPFS_STORE_FAILED, IPFS_STORE_CORRUPT */
  static async open(directory: string): Promise<DiskBlocks> {
    const writer = new AtomicWriter(join(directory, TEMPORARY_FOLDER));
    const blockstore = new DurableBlockstore(join(directory, BLOCKS_FOLDER), writer);
    const pinsPath = join(directory, PINS_FILE);
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writer.open();
      await blockstore.open();
    } catch (cause) {
      throw failed("open", cause);
    }
    return new DiskBlocks(blockstore, writer, pinsPath, await readPins(pinsPath));
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

  /** Waits for writes in progress. */
  async close(): Promise<void> {
    await this.#lastPinWrite;
    await this.#blockstore.close();
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
