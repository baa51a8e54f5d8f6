/**
 * Files that a user named: whatever stands behind the name, reading ends. A pipe would wait for its writer, and a
 * device would fill the memory.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { VerisumError } from "../protocol/errors.ts";
import type { ErrorCode } from "../protocol/errors.ts";

/** Opening a pipe waits for its writer otherwise. Links are followed. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;
/** Of a text that somebody wrote. */
const MOST_TEXT_BYTES = 64 * 2 ** 20;

/** Makes the error for a file that cannot be used. @param reason the rest of a sentence that begins with its name */
export type Refuse = (reason: string, cause?: unknown) => VerisumError;

/** Refuses with a code. @param what the file, as the sentence begins @param details of the error */
export function refuseWith(code: ErrorCode, what: string, details: Readonly<Record<string, string>> = {}): Refuse {
  return (reason, cause) => new VerisumError(code, `${what} ${reason}`, details, { cause });
}

/** An ordinary file, open for reading. @throws what `refuse` makes */
export async function openUserFile(path: string, refuse: Refuse): Promise<FileHandle> {
  const file = await open(path, FLAGS).catch((cause: unknown) => {
    throw unreadable(cause, refuse);
  });
  try {
    requireOrdinary(await file.stat(), refuse);
    return file;
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

/** An ordinary file's bytes. @throws what `refuse` makes, also for a file that is too long */
export async function readUserFile(path: string, mostBytes: number, refuse: Refuse): Promise<Uint8Array> {
  const file = await openUserFile(path, refuse);
  try {
    requireSize((await file.stat()).size, mostBytes, refuse);
    return await file.readFile();
  } catch (cause) {
    throw unreadable(cause, refuse);
  } finally {
    await file.close();
  }
}

/** A text in UTF-8, without the mark that some editors begin it with. @throws what `refuse` makes */
export async function readUserText(path: string, refuse: Refuse, mostBytes = MOST_TEXT_BYTES): Promise<string> {
  return textOf(await readUserFile(path, mostBytes, refuse), refuse);
}

/** The same, for what is read while options are parsed. */
export function readUserTextNow(path: string, refuse: Refuse, mostBytes: number): string {
  try {
    const file = openSync(path, FLAGS);
    try {
      const found = fstatSync(file);
      requireOrdinary(found, refuse);
      requireSize(found.size, mostBytes, refuse);
      const bytes = new Uint8Array(found.size);
      return textOf(bytes.subarray(0, readSync(file, bytes)), refuse);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw unreadable(cause, refuse);
  }
}

function requireOrdinary(found: Stats, refuse: Refuse): void {
  if (!found.isFile()) throw refuse("is no ordinary file");
}

function requireSize(size: number, mostBytes: number, refuse: Refuse): void {
  if (size > mostBytes) throw refuse(`has ${size} bytes, and ${mostBytes} are the most that is read`);
}

function textOf(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse("is no UTF-8 text", cause);
  }
}

function unreadable(cause: unknown, refuse: Refuse): VerisumError {
  if (cause instanceof VerisumError) return cause;
  return refuse(`cannot be read: ${String((cause as NodeJS.ErrnoException).code ?? cause)}`, cause);
}
