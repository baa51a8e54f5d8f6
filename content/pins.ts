/** The list of directories that a store on disk keeps on purpose. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { encodeRecord, readRecord } from "../storage/durable-file.ts";
import { parseDirectoryCid } from "./cid.ts";

/** Version 0 was the bare list, without a checksum. */
const PINS_VERSION = 1;
const pinsSchema = z.strictObject({ version: z.literal(PINS_VERSION), pins: z.array(z.string()) });

/** What the file says; "damaged" if that cannot be told, and the blocks themselves have to say it. */
export type FoundPins =
  { readonly kind: "current" | "older"; readonly pins: ReadonlySet<string> } | { readonly kind: "absent" | "damaged" };

/** @throws STORAGE_NEWER if a later version wrote it; STORAGE_FAILED */
export async function readPins(path: string): Promise<FoundPins> {
  try {
    const value = await readRecord(path);
    if (value === undefined) return { kind: "absent" };
    const { version } = value as { readonly version?: unknown };
    if (typeof version === "number" && version > PINS_VERSION)
      throw new VerisumError(
        "STORAGE_NEWER",
        `${path} has version ${version}, and this program knows ${PINS_VERSION}`,
        {
          path,
          version,
        },
      );
    const parsed = pinsSchema.safeParse(value);
    return parsed.success ? listed("current", parsed.data.pins) : { kind: "damaged" };
  } catch (error) {
    if (!isVerisumError(error, "STORAGE_CORRUPT")) throw error;
    return readOlder(path);
  }
}

export function encodePins(pins: readonly string[]): Uint8Array {
  return new TextEncoder().encode(encodeRecord({ version: PINS_VERSION, pins: [...pins].sort() }));
}

async function readOlder(path: string): Promise<FoundPins> {
  try {
    const list: unknown = JSON.parse(await readFile(path, "utf8"));
    return Array.isArray(list) ? listed("older", list) : { kind: "damaged" };
  } catch {
    return { kind: "damaged" };
  }
}

function listed(kind: "current" | "older", pins: readonly unknown[]): FoundPins {
  try {
    return { kind, pins: new Set(pins.map((pin) => parseDirectoryCid(String(pin)).toString())) };
  } catch {
    return { kind: "damaged" };
  }
}
