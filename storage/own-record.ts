/** Records that stand in for work done before: believed only where nobody but this user can have written them. */
import { constants } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { dirname } from "node:path";
import { readRecordOrNull } from "./durable-file.ts";
import { makeFolder } from "./folder.ts";

/** Permissions that let group and others read or change a file, and change a folder. */
const OTHERS_FILE = 0o077;
const OTHERS_FOLDER = 0o022;

/** A folder of records that all of a user's processes on one machine share. */
export interface SharedRecords {
  readonly directory: string;
  /** The release that writes and believes them. */
  readonly release: string;
}

/**
 * As `readRecordOrNull`, and null also unless file and folder are this user's, the folder closed to others' writing,
 * the file closed to others altogether and no link. Systems without users' numbers have no such records.
 */
export async function readOwnRecord(path: string): Promise<unknown> {
  return (await isOwnFolder(dirname(path))) && (await isOwnFile(path)) ? readRecordOrNull(path) : null;
}

/** Makes the folder, for this user alone; true if records in it will be believed. */
export async function openRecords(directory: string): Promise<boolean> {
  try {
    await makeFolder(directory);
  } catch {
    return false; // a home that cannot be written has no records
  }
  return isOwnFolder(directory);
}

/** True if the folder is there, is this user's, and is closed to others' writing. */
export async function isOwnFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && isOwn(found.uid) && (found.mode & OTHERS_FOLDER) === 0;
}

async function isOwnFile(path: string): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { uid, mode, nlink } = await file.stat();
    return isOwn(uid) && (mode & OTHERS_FILE) === 0 && nlink === 1;
  } finally {
    await file.close();
  }
}

function isOwn(uid: number): boolean {
  return uid === process.getuid?.();
}
