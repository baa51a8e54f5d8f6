/** One role's private directory, used by one process at a time. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { VerisumError } from "../protocol/errors.ts";
import { createDurably, readIfPresent } from "./durable-file.ts";

export interface StateDirectory {
  readonly path: string;
  /** A file inside the directory. Names are chosen by this program, never by peers. */
  file(...parts: readonly string[]): string;
  release(): Promise<void>;
}

/**
 * Opens a directory (mode 0700) and takes its lock.
 * @throws STORAGE_LOCKED if a living process holds it
 */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = join(path, "lock");
  while (!(await createDurably(lock, String(process.pid)))) {
    const holder = Number(new TextDecoder().decode((await readIfPresent(lock)) ?? new Uint8Array()));
    if (Number.isInteger(holder) && holder > 0 && holder !== process.pid && isAlive(holder)) {
      throw new VerisumError("STORAGE_LOCKED", `${path} is in use by process ${holder}`, { path, holder });
    }
    await rm(lock, { force: true });
  }
  return {
    path,
    file: (...parts) => join(path, ...parts),
    release: () => rm(lock, { force: true }),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
