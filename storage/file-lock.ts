/** A lock between processes: a folder that only one of them can create. */
import { mkdir, rm, stat, writeFile, readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const POLL_MILLISECONDS = 100;
const OWNER_FILE = "owner";
/** A lock whose owner has not written its name after this long was abandoned while being taken. */
const UNNAMED_MILLISECONDS = 5000;

/**
 * Runs `work` while holding the lock, waiting for other holders first. A lock whose process is gone is taken over.
 * @param lockPath folder to create; its parent must exist
 */
export async function withFileLock<T>(lockPath: string, work: () => Promise<T>): Promise<T> {
  while (!(await tryLock(lockPath))) {
    if (await isAbandoned(lockPath)) await rm(lockPath, { recursive: true, force: true });
    else await delay(POLL_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    await rm(lockPath, { recursive: true, force: true });
  }
}

async function tryLock(lockPath: string): Promise<boolean> {
  try {
    await mkdir(lockPath);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw cause;
  }
  await writeFile(path.join(lockPath, OWNER_FILE), String(process.pid));
  return true;
}

async function isAbandoned(lockPath: string): Promise<boolean> {
  const owner = await readFile(path.join(lockPath, OWNER_FILE), "utf8").catch(() => undefined);
  if (owner === undefined || owner === "") {
    const taken = await stat(lockPath).catch(() => undefined);
    return taken !== undefined && Date.now() - taken.mtimeMs > UNNAMED_MILLISECONDS;
  }
  try {
    process.kill(Number(owner), 0);
    return false;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ESRCH";
  }
}
