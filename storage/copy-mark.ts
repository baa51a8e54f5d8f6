/**
 * A small record that knows which file it is: its inode and, where the system tells it, when that was made. A copy of
 * it, or one that came back from a backup, is another file or has older content, and is noticed. An image of a whole
 * disk that is put back is not.
 */
import { randomUUID } from "node:crypto";
import { rm, stat, writeFile } from "node:fs/promises";
import { z } from "zod";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "./durable-file.ts";

const markSchema = z.strictObject({
  version: z.int().min(1),
  inode: z.string(),
  /** Nanoseconds since 1970; absent where the system does not keep it apart from the last change. */
  made: z.string().optional(),
});

/** What a mark's file says: none is there, it is this very file, or it is a copy or damaged. */
export type MarkState = "absent" | "own" | "foreign";

interface FileIdentity {
  readonly inode: string;
  readonly made: string;
}

/** Writes the mark anew: whatever was copied before is a copy from now on. @throws STORAGE_FULL, STORAGE_FAILED */
export async function writeMark(path: string, version: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, "", { mode: 0o600 });
    const { inode, made } = await identityOf(temporary);
    await writeDurably(path, encodeRecord({ version, inode, made }), { temporary });
    // Some systems give the time of the last change for that of the making, and renaming is a change.
    if ((await identityOf(path)).made !== made) await writeWithoutTime(path, version);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (isVerisumError(cause)) throw cause;
    throw new VerisumError("STORAGE_FAILED", `cannot use ${path}`, { path }, { cause });
  }
}

async function writeWithoutTime(path: string, version: number): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  await writeFile(temporary, "", { mode: 0o600 });
  const { inode } = await identityOf(temporary);
  await writeDurably(path, encodeRecord({ version, inode }), { temporary });
}

/**
 * Whether the mark is there and is its own.
 * @param newest the newest version that this program knows
 * @throws STORAGE_NEWER, and nothing has been touched then; STORAGE_FAILED
 */
export async function readMark(path: string, newest: number): Promise<MarkState> {
  const mark = await marked(path);
  if (mark === undefined || mark === "damaged") return mark === undefined ? "absent" : "foreign";
  if (mark.version > newest)
    throw new VerisumError("STORAGE_NEWER", `${path} has version ${mark.version}, and this program knows ${newest}`, {
      path,
      version: mark.version,
      newest,
    });
  const { inode, made } = await identityOf(path);
  return mark.inode === inode && (mark.made === undefined || mark.made === made) ? "own" : "foreign";
}

async function marked(path: string): Promise<z.infer<typeof markSchema> | "damaged" | undefined> {
  const value = await readRecordOrNull(path);
  if (value === undefined) return undefined;
  const parsed = markSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { version } = (value ?? {}) as { readonly version?: unknown };
  // A later version may have other fields.
  return typeof version === "number" ? { version, inode: "" } : "damaged";
}

async function identityOf(path: string): Promise<FileIdentity> {
  const { ino, birthtimeNs } = await stat(path, { bigint: true });
  return { inode: ino.toString(), made: birthtimeNs.toString() };
}
