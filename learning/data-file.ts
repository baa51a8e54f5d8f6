/** Bounded reading of data files, gunzipped where their name or their first bytes say so. */
import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ensure, VerisumError } from "../protocol/errors.ts";
import { assertGzippedOnce, isGzip } from "./tables/foreign-files.ts";

/** Largest data file, uncompressed: 60,000 images of 28×28 take 47 MB. */
export const MAX_DATA_BYTES = 1 << 30;
/** Largest number of values of one data set; they are kept as float32. */
export const MAX_DATA_VALUES = 1 << 28;

const unzip = promisify(gunzip);

/**
 * @param maxBytes limit on the bytes returned; a gzip bomb stops there
 * @throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_TOO_LARGE, DATASET_MALFORMED for a broken gzip stream
 */
export async function readDataFile(path: string, maxBytes = MAX_DATA_BYTES): Promise<Uint8Array> {
  const raw = await readRaw(path, maxBytes);
  if (raw.length === 0) throw new VerisumError("DATASET_EMPTY", `${path} is empty`, { path });
  if (!path.endsWith(".gz") && !isGzip(raw)) return raw;
  try {
    const unpacked = await unzip(raw, { maxOutputLength: maxBytes });
    assertGzippedOnce(unpacked, path);
    return unpacked;
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(path, maxBytes);
    throw new VerisumError("DATASET_MALFORMED", `${path} is not a complete gzip file`, { path }, { cause });
  }
}

async function readRaw(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    requireOrdinary(found, path);
    if (found.size > maxBytes) throw tooLarge(path, maxBytes);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    throw new VerisumError("DATASET_NOT_FOUND", `${path} cannot be read`, { path }, { cause });
  }
}

/** Pipes and devices may have no end. @throws DATASET_MALFORMED */
export function requireOrdinary(found: Stats, path: string): void {
  ensure(found.isFile(), "DATASET_MALFORMED", `${path} is no ordinary file`, { path });
}

/** @throws DATASET_TOO_LARGE for more values than one data set may have */
export function assertValueCount(count: number, path: string): void {
  ensure(count <= MAX_DATA_VALUES, "DATASET_TOO_LARGE", `${path} holds more than ${MAX_DATA_VALUES} values`, { path });
}

function tooLarge(path: string, maxBytes: number): VerisumError {
  return new VerisumError("DATASET_TOO_LARGE", `${path} is larger than ${maxBytes} bytes`, { path, maxBytes });
}
