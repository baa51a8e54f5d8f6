/** Folders, with the folders above them. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

const PRIVATE_FOLDER = 0o700;
/** For what anybody on the machine may read; the process's mask takes from it. */
export const PUBLIC_FOLDER = 0o777;

/**
 * Makes a folder and those above it that are missing, for their owner alone unless told. Node's own recursive form
 * never ends where a folder cannot be made and the system says that one above it is missing: below /proc.
 * @returns the uppermost folder that this made, or undefined
 * @throws what the file system answers
 */
export async function makeFolder(path: string, mode = PRIVATE_FOLDER): Promise<string | undefined> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    const above = await makeFolder(dirname(path), mode);
    const own = await makeOne(path, mode);
    return above ?? own;
  }
}

async function makeOne(path: string, mode: number): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return undefined;
    throw error;
  }
}
