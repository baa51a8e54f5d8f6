/** One role's private directory, used by one process at a time. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { eraseLeftovers } from "./durable-file.ts";
import { acquireLock } from "./lock.ts";

export interface StateDirectory {
  readonly path: string;
  /** A file inside the directory. Names are chosen by this program, never by peers. */
  file(...parts: readonly string[]): string;
  release(): Promise<void>;
}

/**
 * Opens a directory (mode 0700) and takes its lock. What interrupted writes left in it is erased.
 * @throws STORAGE_LOCKED if a process that runs holds it, this one included; STORAGE_FULL, STORAGE_FAILED
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(join(path, "lock"), path);
  try {
    await eraseLeftovers(path);
  } catch (cause) {
    await lock.release();
    throw cause;
  }
  return { path, file: (...parts) => join(path, ...parts), release: () => lock.release() };
}
