/**
 * What passed its check on this machine, so that it is checked once: by the digests of all that the check read. Of
 * several processes that want the same check, one makes it, and the others wait for it. Whoever can write the record
 * can make this user's processes skip checks: it is trusted as the user's own programs are.
 */
import { join } from "node:path";
import { z } from "zod";
import type { CheckOnce } from "../../protocol/ports.ts";
import { encodeRecord, writeDurably } from "../../storage/durable-file.ts";
import { withLock } from "../../storage/lock.ts";
import { isOwnFolder, openRecords, readOwnRecord } from "../../storage/own-record.ts";
import type { SharedRecords } from "../../storage/own-record.ts";
import { digestOf } from "./key-folder.ts";

/** Changes with what is checked: what passed an earlier check is checked again. */
const CHECK_VERSION = "verisum-key-check/1";
/** Beside the folder, not in it: whoever wrote the folder must not write this. */
const RECORD_SUFFIX = ".checked.json";
const recordSchema = z.strictObject({ check: z.string(), files: z.record(z.string(), z.string()) });

/**
 * Checks of a key folder's contents.
 * @param shared where all of the user's processes remember them; beside the folder if absent, or if others could have
 * written there
 */
export async function checksOf(directory: string, shared?: SharedRecords): Promise<CheckOnce> {
  const places = placesOf(
    directory,
    shared !== undefined && (await openRecords(shared.directory)) ? shared : undefined,
  );
  return async (name, contents, check) => {
    const digest = digestOfAll(contents);
    const record = places.recordOf(digest);
    const passed = async (): Promise<Readonly<Record<string, string>>> => readPassed(record, places.version);
    if ((await passed())[name] === digest) return;
    await withLock(`${record}.lock`, async () => {
      const before = await passed();
      if (before[name] === digest) return;
      await check();
      await writeDurably(record, encodeRecord({ check: places.version, files: { ...before, [name]: digest } }));
    });
  };
}

/** Tells of such contents whether they have passed, and makes, checks and writes nothing. */
export async function passedBefore(
  directory: string,
  shared?: SharedRecords,
): Promise<(name: string, contents: readonly Uint8Array[]) => Promise<boolean>> {
  const places = placesOf(
    directory,
    shared !== undefined && (await isOwnFolder(shared.directory)) ? shared : undefined,
  );
  return async (name, contents) => {
    const digest = digestOfAll(contents);
    return (await readPassed(places.recordOf(digest), places.version))[name] === digest;
  };
}

interface Places {
  readonly recordOf: (digest: string) => string;
  readonly version: string;
}

function placesOf(directory: string, shared: SharedRecords | undefined): Places {
  if (shared === undefined) return { recordOf: () => `${directory}${RECORD_SUFFIX}`, version: CHECK_VERSION };
  return {
    recordOf: (digest) =>
      join(shared.directory, `${digestOf(new TextEncoder().encode(digest)).sha256}${RECORD_SUFFIX}`),
    version: `${CHECK_VERSION} of ${shared.release}`,
  };
}

function digestOfAll(contents: readonly Uint8Array[]): string {
  return contents.map((bytes) => digestOf(bytes).sha256).join(" ");
}

/** A damaged or older record, or one that others can have written, only costs another check. */
async function readPassed(record: string, version: string): Promise<Readonly<Record<string, string>>> {
  const { data } = recordSchema.safeParse(await readOwnRecord(record));
  return data?.check === version ? data.files : {};
}
