/**
 * A lock between processes of one machine: a file that names its holder. It appears whole or not at all, a living
 * holder's is refused, and that of a process that ended is replaced. Containers that share a folder cannot see one
 * another's processes; between them a lock holds as long as its holder touches the file.
 */
import { randomUUID } from "node:crypto";
import { rm, stat, utimes } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { VerisumError } from "../protocol/errors.ts";
import { createDurably, readIfPresent, writeDurably } from "./durable-file.ts";
import { livenessOf, thisProcess } from "./process-identity.ts";
import type { ProcessIdentity } from "./process-identity.ts";

const POLL_MS = 100;
const TOUCH_MS = 5000;
/** A holder in another container that has not touched its lock for so long has ended. */
const SILENCE_MS = 60_000;

export interface Lock {
  /** False once the lock's file is gone, with its folder or without, or somebody else's. */
  isHeld(): Promise<boolean>;
  /** Lets go. Calling it again does nothing. */
  release(): Promise<void>;
}

/**
 * Takes the lock for as long as this process runs, or until its release.
 * @param path the lock's file
 * @param what names what the lock guards, in the error
 * @throws STORAGE_LOCKED if a process that runs holds it, this one included; STORAGE_FULL, STORAGE_FAILED
 */
export async function acquireLock(path: string, what = path): Promise<Lock> {
  const own = JSON.stringify(await thisProcess());
  const holder = await take(path, own);
  if (holder !== undefined) {
    const { pid } = holder;
    throw new VerisumError("STORAGE_LOCKED", `${what} is in use by process ${pid}`, { path: what, lock: path, pid });
  }
  return heldLock(path, own);
}

/**
 * Runs `work` while holding the lock, waiting for other holders first, those in this process included.
 * @throws what `work` throws; STORAGE_FULL, STORAGE_FAILED
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const own = JSON.stringify(await thisProcess());
  while ((await take(path, own)) !== undefined) await delay(POLL_MS);
  const lock = heldLock(path, own);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Who holds a lock, without taking it. */
export async function lockHolder(path: string): Promise<ProcessIdentity | undefined> {
  const found = await readIfPresent(path);
  const holder = found === undefined ? undefined : identityIn(found);
  return holder !== undefined && (await isHeld(path, holder)) ? holder : undefined;
}

function heldLock(path: string, own: string): Lock {
  const touch = setInterval(() => {
    utimes(path, new Date(), new Date()).catch(() => undefined); // gone with its folder: nothing to keep alive
  }, TOUCH_MS).unref();
  let held = true;
  const isHeld = async (): Promise<boolean> => {
    // A disk that cannot be read now says nothing of the lock.
    const found = await readIfPresent(path).catch(() => own);
    return held && found !== undefined && Buffer.from(found).toString() === own;
  };
  return {
    isHeld,
    release: async () => {
      if (!held) return;
      const isOwn = await isHeld();
      held = false;
      clearInterval(touch);
      if (isOwn) await rm(path, { force: true });
    },
  };
}

/**
 * One attempt. Returns the holder if there is one, or whoever is just taking over from one that ended.
 *
 * Two processes never both replace an abandoned lock, because whoever replaces it holds a second lock meanwhile, taken
 * in the same way. Its holder alone may change an abandoned lock, and compares it again before it does; a lock that is
 * there keeps all others from creating it.
 */
async function take(path: string, own: string): Promise<ProcessIdentity | undefined> {
  for (;;) {
    const found = await readIfPresent(path);
    if (found === undefined) {
      if (await createDurably(path, own, { temporary: `${path}.${randomUUID()}` })) return undefined;
      continue;
    }
    const holder = identityIn(found);
    if (holder !== undefined && (await isHeld(path, holder))) return holder;
    const replacing = `${path}.replacing`;
    const replacer = await take(replacing, own);
    if (replacer !== undefined) return replacer;
    try {
      const still = await readIfPresent(path);
      if (still !== undefined && Buffer.compare(still, found) === 0) {
        await writeDurably(path, own, { temporary: `${path}.${randomUUID()}` });
        return undefined;
      }
    } finally {
      await rm(replacing, { force: true });
    }
  }
}

async function isHeld(path: string, holder: ProcessIdentity): Promise<boolean> {
  const liveness = await livenessOf(holder);
  if (liveness !== "unseen") return liveness === "running";
  const touched = await stat(path).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs < SILENCE_MS;
}

/** The holder, or undefined for bytes that no holder wrote: what a loss of power leaves. */
function identityIn(bytes: Uint8Array): ProcessIdentity | undefined {
  try {
    const identity = JSON.parse(new TextDecoder().decode(bytes)) as ProcessIdentity | null;
    const pid = identity?.pid;
    return pid !== undefined && Number.isSafeInteger(pid) && pid > 0 ? identity! : undefined;
  } catch {
    return undefined;
  }
}
