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
import { openRecords, readOwnRecord } from "../../storage/own-record.ts";
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
  if (shared === undefined || !(await openRecords(shared.directory)))
    return checksIn(() => `${directory}${RECORD_SUFFIX}`, CHECK_VERSION);
  return checksIn(
    (digest) => join(shared.directory, `${digestOf(new TextEncoder().encode(digest)).sha256}${RECORD_SUFFIX}`),
    `${CHECK_VERSION} of ${shared.release}`,
  );
}

function checksIn(recordOf: (digest: string) => string, version: string): CheckOnce {
  return async (name, contents, check) => {
    const digest = contents.map((bytes) => digestOf(bytes).sha256).join(" ");
    const record = recordOf(digest);
    const passed = async (): Promise<Readonly<Record<string, string>>> => readPassed(record, version);
    if ((await passed())[name] === digest) return;
    await withLock(`${record}.lock`, async () => {
      const before = await passed();
      if (before[name] === digest) return;
      await check();
      await writeDurably(record, encodeRecord({ check: version, files: { ...before, [name]: digest } }));
    });
  };
}

/** A damaged or older record, or one that others can have written, only costs another check. */
async function readPassed(record: string, version: string): Promise<Readonly<Record<string, string>>> {
  const { data } = recordSchema.safeParse(await readOwnRecord(record));
  return data?.check === version ? data.files : {};
}
