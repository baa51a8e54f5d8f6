/** A text file as a stream of text with `\n` at the end of each line, in memory that does not grow with the file. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { VerisumError } from "../../protocol/errors.ts";
import { assertGzippedOnce, assertNotForeign, isGzip, SIGNATURE_BYTES } from "./foreign-files.ts";

/** Encodings as options name them; Latin-1 is read as Windows-1252, as browsers do. */
export const ENCODINGS = ["utf-8", "utf-16le", "utf-16be", "latin1"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** What begins a file, and what that says. */
const MARKS: readonly (readonly [readonly number[], Encoding])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];
const CHUNK_BYTES = 1 << 18;

/** Text that can be read again from its beginning. */
export interface TextSource {
  readonly path: string;
  open(): AsyncIterable<string>;
}

/** Text that is in memory already. */
export function textOf(path: string, text: string): TextSource {
  return {
    path,
    async *open() {
      yield* withNewlines([text.replace(/^\ufeff/, "")]);
    },
  };
}

/**
 * A file, gunzipped if its first bytes say so. A byte order mark decides the encoding; without one it is what is given,
 * or UTF-8.
 * @throws while it is read: DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_MALFORMED for a gzip stream that is cut off or a
 *   ZIP archive, DATASET_ENCODING_UNKNOWN for bytes that are no text
 */
export function textFile(path: string, encoding: Encoding | undefined): TextSource {
  return { path, open: () => withNewlines(decoded(path, encoding)) };
}

async function* decoded(path: string, given: Encoding | undefined): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let encoding: Encoding = given ?? "utf-8";
  let lines = 1;
  for await (const chunk of bytesOf(path)) {
    if (decoder === undefined) {
      encoding = MARKS.find(([mark]) => beginsWith(chunk, mark))?.[1] ?? encoding;
      decoder = new TextDecoder(encoding, { fatal: true });
    }
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch (cause) {
      // Bytes before the third may belong to a character of the chunk before.
      const lenient = new TextDecoder(encoding).decode(chunk);
      const row = lines + newlinesIn(lenient.slice(0, Math.max(0, lenient.indexOf("\ufffd", 3))));
      throw unknownEncoding(path, `row ${row} is not ${encoding} text`, row, cause);
    }
    const zero = text.indexOf("\0");
    if (zero >= 0) {
      const row = lines + newlinesIn(text.slice(0, zero));
      const as = encoding === "utf-8" ? ", as UTF-16 has without a byte order mark" : "";
      throw unknownEncoding(path, `row ${row} has a zero character${as}`, row);
    }
    lines += newlinesIn(text);
    yield text;
  }
  try {
    decoder?.decode();
  } catch (cause) {
    throw unknownEncoding(path, `it ends within a character of ${encoding}`, lines, cause);
  }
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  const head = await headOf(path);
  if (head.length === 0) throw new VerisumError("DATASET_EMPTY", `${path} is empty`, { path });
  assertNotForeign(head, path);
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const isPacked = isGzip(head);
  const stream: Readable = isPacked ? file.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : file;
  file.on("error", (error) => stream.destroy(error));
  try {
    let isFirst = true;
    for await (const chunk of stream) {
      if (isPacked && isFirst) assertGzippedOnce(chunk as Uint8Array, path);
      isFirst = false;
      yield chunk as Uint8Array;
    }
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    throw new VerisumError(
      "DATASET_MALFORMED",
      `${path} cannot be read to its end: ${(cause as Error).message}`,
      { path },
      { cause },
    );
  } finally {
    file.destroy();
  }
}

async function headOf(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(SIGNATURE_BYTES), 0, SIGNATURE_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new VerisumError("DATASET_NOT_FOUND", `${path} cannot be read`, { path }, { cause });
  }
}

/** CR LF, and CR alone, become LF, wherever a chunk ends. */
async function* withNewlines(texts: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let held = "";
  for await (const text of texts) {
    const all = held + text;
    held = all.endsWith("\r") ? "\r" : "";
    yield all.slice(0, all.length - held.length).replaceAll(/\r\n?/g, "\n");
  }
  if (held !== "") yield "\n";
}

function unknownEncoding(path: string, problem: string, row: number, cause?: unknown): VerisumError {
  const remedy = `name its encoding with encoding=latin1, encoding=utf-16le or encoding=utf-16be`;
  return new VerisumError("DATASET_ENCODING_UNKNOWN", `${path}: ${problem}; ${remedy}`, { path, row }, { cause });
}

function beginsWith(bytes: Uint8Array, mark: readonly number[]): boolean {
  return mark.every((byte, i) => bytes[i] === byte);
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
