/** Files that survive `kill -9` and say so when they did not. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { VerisumError } from "../protocol/errors.ts";

const PRIVATE_MODE = 0o600;

/**
 * Replaces a file as one step: temporary file, fsync, rename, fsync of the directory.
 * @throws STORAGE_FULL, STORAGE_FAILED
 */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await storage(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeAndSync(temporary, bytes, constants.O_CREAT | constants.O_TRUNC | constants.O_WRONLY);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  });
}

/**
 * Creates a file that must not exist yet; true if this call created it.
 * A crash between creation and fsync leaves a file without a valid record, which `readRecord` reports as corrupt.
 * @throws STORAGE_FULL, STORAGE_FAILED
 */
export async function createDurably(path: string, bytes: Uint8Array | string): Promise<boolean> {
  return storage(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await writeAndSync(path, bytes, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
    await syncDirectory(dirname(path));
    return true;
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
      `${path} is damaged; restore it from a backup or remove it`,
      { path },
      { cause },
    );
  }
}

/** Overwrites a file with zeros before removing it: for one-time keys. A journalling disk may keep older blocks. */
export async function eraseFile(path: string): Promise<void> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return;
  await storage(path, async () => {
    await writeAndSync(path, new Uint8Array(bytes.length), constants.O_WRONLY);
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  });
}

async function writeAndSync(path: string, bytes: Uint8Array | string, flags: number): Promise<void> {
  const file = await open(path, flags, PRIVATE_MODE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
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
