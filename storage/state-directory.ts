/** One role's private directory, used by one process at a time. */
import { join } from "node:path";
import { VerisumError } from "../protocol/errors.ts";
import { eraseLeftovers } from "./durable-file.ts";
import { readMark, writeMark } from "./copy-mark.ts";
import type { MarkState } from "./copy-mark.ts";
import { acquireLock, lockHolder } from "./lock.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { makeFolder } from "./folder.ts";

/**
 * The version of a state directory that this program writes. Version 0 had no mark; version 1 named clients' submission
 * records by the round alone, which are still read as such.
 */
export const STATE_VERSION = 2;
const MARK_FILE = "state.json";
const LOCK_FILE = "lock";

export interface StateDirectory {
  readonly path: string;
  /**
   * True if the directory is a copy, or came back from a backup: what it says may be out of date. A role that could do
   * harm by that first makes it harmless, then calls `adopt`, from when on it is false.
   */
  readonly copied: boolean;
  /** A file inside the directory. Names are chosen by this program, never by peers. */
  file(...parts: readonly string[]): string;
  /** Makes the directory this program's own: earlier copies of it are known as such from now on. */
  adopt(): Promise<void>;
  /**
   * @throws STORAGE_MOVED once the directory is no longer this process's: it was moved, removed, or put back, and what
   * is written from now on would be missing where it is now
   */
  requireHeld(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Opens a directory (mode 0700) and takes its lock. What interrupted writes left in it is erased, and an older version
 * becomes this one.
 * @throws STORAGE_LOCKED if a process that runs holds it, this one included; STORAGE_NEWER, and then the directory is
 * as it was; STORAGE_FULL, STORAGE_FAILED
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  const markPath = join(path, MARK_FILE);
  await readMark(markPath, STATE_VERSION); // before anything is touched
  await makeFolder(path);
  const lock = await acquireLock(join(path, LOCK_FILE), path);
  try {
    const mark = await readMark(markPath, STATE_VERSION);
    await eraseLeftovers(path);
    let copied = mark === "foreign";
    const adopt = async (): Promise<void> => {
      await writeMark(markPath, STATE_VERSION);
      copied = false;
    };
    if (!copied) await adopt();
    return {
      path,
      get copied() {
        return copied;
      },
      file: (...parts) => join(path, ...parts),
      adopt,
      requireHeld: async () => {
        if (await lock.isHeld()) return;
        throw new VerisumError("STORAGE_MOVED", `${path} was moved, removed or replaced while it was in use`, { path });
      },
      release: () => lock.release(),
    };
  } catch (cause) {
    await lock.release();
    throw cause;
  }
}

/** Which process has a directory open, without opening it. */
export function directoryHolder(path: string): Promise<ProcessIdentity | undefined> {
  return lockHolder(join(path, LOCK_FILE));
}

/** Whether a directory is a copy, without opening it. @throws STORAGE_NEWER, STORAGE_FAILED */
export function directoryMark(path: string): Promise<MarkState> {
  return readMark(join(path, MARK_FILE), STATE_VERSION);
}
