/** Files that survive `kill -9` and say so when they did not. */
import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { makeFolder } from "./folder.ts";

const PRIVATE_MODE = 0o600;
/** Ends the names of temporary files. */
const LEFTOVER = ".tmp";

export interface WriteOptions {
  /** Where the bytes lie until they are complete, on the same disk; beside the file unless told. */
  readonly temporary?: string;
  /** The file's mode; its owner's alone unless told. */
  readonly mode?: number;
}

/**
 * Replaces a file as one step: temporary file, fsync, rename, fsync of the directory. A crash leaves the old content or
 * the new, never a part.
 * @throws STORAGE_FULL, STORAGE_FAILED
 */
export async function writeDurably(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  await throughTemporary(path, bytes, options, (temporary) => rename(temporary, path));
}

/**
 * Creates a file that must not exist yet; true if this call created it. A crash leaves the whole file or none.
 * @throws STORAGE_FULL, STORAGE_FAILED
 */
export async function createDurably(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions = {},
): Promise<boolean> {
  return throughTemporary(path, bytes, options, async (temporary) => {
    try {
      await link(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/**
 * Moves a finished folder to its place as one step, after all of its files have reached the disk.
 * @throws STORAGE_FULL, STORAGE_FAILED, also if there is something in the place already
 */
export async function publishFolder(temporary: string, folder: string): Promise<void> {
  await storage(folder, async () => {
    for (const entry of await readdir(temporary, { recursive: true, withFileTypes: true }))
      await sync(join(entry.parentPath, entry.name));
    await sync(temporary);
    await rename(temporary, folder);
    await sync(dirname(folder));
  });
}

/** Writes the bytes where nobody looks for them, and has `publish` move them to their place. */
async function throughTemporary<T>(
  path: string,
  bytes: Uint8Array | string,
  { temporary = `${path}.${randomUUID()}${LEFTOVER}`, mode = PRIVATE_MODE }: WriteOptions,
  publish: (temporary: string) => Promise<T>,
): Promise<T> {
  return storage(path, async () => {
    const created = await makeFolder(dirname(path));
    try {
      await writeAndSync(temporary, bytes, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY, mode);
      const result = await publish(temporary);
      await sync(dirname(path));
      if (created !== undefined) await sync(dirname(created));
      return result;
    } catch (cause) {
      await rm(temporary, { force: true });
      throw cause;
    }
  });
}

/** The file's bytes, or undefined if there is none. @throws STORAGE_FAILED */
export async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  return storage(path, async () => {
    try {
      return await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  });
}

/** The names in a directory; none if there is no such directory. @throws STORAGE_FAILED */
export async function listDirectory(path: string): Promise<readonly string[]> {
  return storage(path, async () => {
    try {
      return await readdir(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}

/** A JSON record with its checksum, so that truncation and bit rot are noticed. */
export function encodeRecord(value: unknown): string {
  const body = JSON.stringify(value);
  return JSON.stringify({ sha256: createHash("sha256").update(body).digest("hex"), body });
}

/** @returns the record, or undefined if the file does not exist. @throws STORAGE_CORRUPT */
export async function readRecord(path: string): Promise<unknown> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  try {
    const { sha256, body } = JSON.parse(new TextDecoder().decode(bytes)) as { sha256: string; body: string };
    if (createHash("sha256").update(body).digest("hex") !== sha256) throw new Error("checksum mismatch");
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new VerisumError(
      "STORAGE_CORRUPT",
      `${path} is damaged; docs/state.md says whether it may be removed`,
      { path },
      { cause },
    );
  }
}

/**
 * As {@link readRecord}, but null, which no record is, for a damaged one: neither null nor the undefined of an absent
 * file passes a record's schema. For what is made again or judged without it. @throws STORAGE_FAILED
 */
export async function readRecordOrNull(path: string): Promise<unknown> {
  try {
    return await readRecord(path);
  } catch (error) {
    if (!isVerisumError(error, "STORAGE_CORRUPT")) throw error;
    return null;
  }
}

/** Overwrites a file with zeros before removing it: for one-time keys. A journalling disk may keep older blocks. */
export async function eraseFile(path: string): Promise<void> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return;
  await storage(path, async () => {
    await writeAndSync(path, new Uint8Array(bytes.length), constants.O_WRONLY);
    await rm(path, { force: true });
    await sync(dirname(path));
  });
}

/**
 * Erases what writes that a crash interrupted left below a directory: it may be secret. Nobody may be writing there.
 * @throws STORAGE_FAILED
 */
export async function eraseLeftovers(directory: string): Promise<void> {
  const files = await storage(directory, () => readdir(directory, { recursive: true, withFileTypes: true }));
  for (const file of files)
    if (file.isFile() && file.name.endsWith(LEFTOVER)) await eraseFile(join(file.parentPath, file.name));
}

async function writeAndSync(
  path: string,
  bytes: Uint8Array | string,
  flags: number,
  mode = PRIVATE_MODE,
): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Brings a file's bytes, or a directory's names, to the disk. */
async function sync(path: string): Promise<void> {
  const opened = await open(path, constants.O_RDONLY);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

async function storage<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new VerisumError("STORAGE_FULL", `no space left for ${path}`, { path }, { cause });
    throw new VerisumError("STORAGE_FAILED", `cannot use ${path}: ${String(code ?? cause)}`, { path }, { cause });
  }
}
