import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { FsBlockstore } from "blockstore-fs";
import { NextToLast } from "blockstore-fs/sharding";
import { CID } from "multiformats/cid";
import * as Digest from "multiformats/hashes/digest";
import { base32upper } from "multiformats/bases/base32";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { acquireLock, lockHolder } from "../storage/lock.ts";
import type { Lock } from "../storage/lock.ts";
import { blockMatches, DAG_PB_CODEC } from "./cid.ts";
import { MAX_BLOCK_BYTES } from "./dag.ts";
import { decodeNode } from "./node.ts";
import { encodePins, readPins } from "./pins.ts";
import type { FoundPins } from "./pins.ts";
import { MAX_DIRECTORY_BLOCK_BYTES } from "./profile.ts";
import { makeFolder, PUBLIC_FOLDER } from "../storage/folder.ts";

const BLOCKS_FOLDER = "blocks";
const TEMPORARY_FOLDER = "tmp";
const PINS_FILE = "pins.json";
const LOCK_FILE = "store.lock";

function failed(action: string, cause: unknown): VerisumError {
  const origin = isVerisumError(cause) ? (cause.cause ?? cause) : cause;
  const reason = (origin as NodeJS.ErrnoException).code ?? String(origin);
  return new VerisumError("IPFS_STORE_FAILED", `the block store cannot ${action}: ${reason}`, { reason }, { cause });
}

const sharding = new NextToLast();

/** Where a block lies. The name is the multihash in base32; no name from a DAG ever reaches the disk. */
function pathIn(blocksFolder: string, cid: CID): string {
  const { dir, file } = sharding.encode(cid);
  return join(blocksFolder, dir, file);
}

/** A block's bytes, and whether the disk holds a damaged copy instead. */
export interface FoundBlock {
  readonly bytes: Uint8Array | undefined;
  readonly damaged: boolean;
}

/**
 * A block in a store's directory, hashed and compared on every read; another process may have the store open.
 *
 * @throws VerisumError IPFS_STORE_FAILED when the disk fails otherwise than by not having the file
 */
export function readBlock(directory: string, cid: CID): Promise<FoundBlock> {
  return readFrom(pathIn(join(directory, BLOCKS_FOLDER), cid), cid);
}

async function readFrom(path: string, cid: CID): Promise<FoundBlock> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { bytes: undefined, damaged: false };
    if (code === "EIO") return { bytes: undefined, damaged: true };
    throw failed("read", cause);
  }
  if (bytes.length > MAX_BLOCK_BYTES || !(await blockMatches(cid, bytes))) return { bytes: undefined, damaged: true };
  return { bytes, damaged: false };
}

/** Who has a store's directory open. */
export const storeHolder = (directory: string): ReturnType<typeof lockHolder> => lockHolder(join(directory, LOCK_FILE));

/** Writes whole files by way of a folder that is emptied on opening: the lock says that nobody else writes there. */
class AtomicWriter {
  readonly #temporary: string;

  constructor(temporaryFolder: string) {
    this.#temporary = temporaryFolder;
  }

  /** Removes what interrupted writes left. */
  async open(): Promise<void> {
    await rm(this.#temporary, { recursive: true, force: true });
    await makeFolder(this.#temporary, PUBLIC_FOLDER);
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

  constructor(root: string, writer: AtomicWriter) {
    super(root);
    this.#root = root;
    this.#writer = writer;
  }

  pathOf(cid: CID): string {
    return pathIn(this.#root, cid);
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
  #pins: Set<string>;
  #lastPinWrite: Promise<void> = Promise.resolve();
  /** True if the list of pins was damaged and is now what the blocks say. */
  readonly pinsRebuilt: boolean;

  private constructor(
    directory: string,
    lock: Lock,
    writer: AtomicWriter,
    { pins, rebuilt }: { readonly pins: Set<string>; readonly rebuilt: boolean },
  ) {
    this.#lock = lock;
    this.#blockstore = new DurableBlockstore(join(directory, BLOCKS_FOLDER), writer);
    this.#writer = writer;
    this.#pinsPath = join(directory, PINS_FILE);
    this.#pins = pins;
    this.pinsRebuilt = rebuilt;
  }

  /** @throws VerisumError STORAGE_LOCKED, IPFS_STORE_FAILED; STORAGE_NEWER, and then nothing was changed */
  static async open(directory: string): Promise<DiskBlocks> {
    await pinsOf(directory); // before anything is touched
    const lock = await lockOf(directory);
    try {
      const found = await pinsOf(directory);
      const writer = new AtomicWriter(join(directory, TEMPORARY_FOLDER));
      await writer.open();
      const rebuilt = found.kind === "damaged";
      const pins = "pins" in found ? found.pins : rebuilt ? await directoriesIn(join(directory, BLOCKS_FOLDER)) : [];
      const blocks = new DiskBlocks(directory, lock, writer, { pins: new Set(pins), rebuilt });
      await blocks.#blockstore.open();
      if (rebuilt || found.kind === "older") await blocks.#writePins(blocks.#pins);
      return blocks;
    } catch (cause) {
      await lock.release();
      throw isVerisumError(cause) ? cause : failed("open", cause);
    }
  }

  /** As {@link readBlock}. */
  read(cid: CID): Promise<FoundBlock> {
    return readFrom(this.#blockstore.pathOf(cid), cid);
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
    await this.#changePins((pins) => pins.add(root.toString()));
  }

  /** Takes roots off the list of pins, durably. @throws VerisumError IPFS_STORE_FAILED */
  async unpin(roots: readonly CID[]): Promise<void> {
    await this.#changePins((pins) => {
      for (const root of roots) pins.delete(root.toString());
    });
  }

  /** Removes a block, if it is here. @throws VerisumError IPFS_STORE_FAILED */
  async remove(cid: CID): Promise<void> {
    await rm(this.#blockstore.pathOf(cid), { force: true }).catch((cause: unknown) => {
      throw failed("remove", cause);
    });
  }

  async #changePins(change: (pins: Set<string>) => void): Promise<void> {
    const write = async (): Promise<void> => {
      const pins = new Set(this.#pins);
      change(pins);
      if (pins.size === this.#pins.size && [...pins].every((pin) => this.#pins.has(pin))) return;
      await this.#writePins(pins);
      this.#pins = pins;
    };
    const writing = this.#lastPinWrite.then(write);
    this.#lastPinWrite = writing.catch(() => undefined);
    await writing;
  }

  async #writePins(pins: ReadonlySet<string>): Promise<void> {
    await this.#writer.write(this.#pinsPath, encodePins([...pins]));
  }

  /** Waits for writes in progress and lets others open the directory. */
  async close(): Promise<void> {
    await this.#lastPinWrite;
    await this.#blockstore.close();
    await this.#lock.release();
  }
}

async function pinsOf(directory: string): Promise<FoundPins> {
  try {
    return await readPins(join(directory, PINS_FILE));
  } catch (cause) {
    throw isVerisumError(cause, "STORAGE_NEWER") ? cause : failed("open", cause);
  }
}

async function lockOf(directory: string): Promise<Lock> {
  try {
    await makeFolder(directory);
    return await acquireLock(join(directory, LOCK_FILE), directory);
  } catch (cause) {
    throw isVerisumError(cause, "STORAGE_LOCKED") ? cause : failed("open", cause);
  }
}

/**
 * The directories among a store's blocks: a list of pins that is lost is made of them. What is missing below one of
 * them is fetched when it is read. A block's name does not say its codec, so each is tried.
 */
async function directoriesIn(blocksFolder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await readdir(blocksFolder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const cid = cidOfFile(entry.name);
    if (cid === undefined || (await stat(path)).size > MAX_DIRECTORY_BLOCK_BYTES) continue;
    const bytes = await readFile(path);
    if (isDirectory(cid, bytes) && (await blockMatches(cid, bytes))) found.push(cid.toString());
  }
  return found;
}

/** The CID that the file's block has if it is a node. */
function cidOfFile(name: string): CID | undefined {
  try {
    const multihash = Digest.decode(base32upper.decoder.decode(name.replace(/\.data$/, "")));
    return CID.createV1(DAG_PB_CODEC, multihash);
  } catch {
    return undefined;
  }
}

function isDirectory(cid: CID, bytes: Uint8Array): boolean {
  try {
    return decodeNode(cid, bytes).kind === "directory";
  } catch {
    return false;
  }
}
