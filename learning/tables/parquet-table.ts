/** Parquet as a table, one row group in memory at a time. The format is hyparquet's; what columns mean is said here. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { asyncBufferFromFile, parquetMetadataAsync, parquetScan, parquetSchema } from "hyparquet";
import type { Compressors, DecodedArray, FileMetaData, ParquetParsers, ParquetScan, SchemaTree } from "hyparquet";
import { VerisumError } from "../../protocol/errors.ts";
import { assertDistinct, batchesOf, refusal } from "./table.ts";
import type { Cell, Table } from "./table.ts";

/** Bytes of one row group, uncompressed: writers make them of 128 MiB at most where nobody asks for more. */
const MAX_GROUP_BYTES = 1 << 29;
/** What pandas calls the rows' index, where it is written as a column. */
const INDEX_NAME = /^__index_level_\d+__$/;
/** Annotations of columns whose values are numbers, words or days, as files name them in the older and newer way. */
const READABLE_CONVERTED =
  /^(UTF8|ENUM|DECIMAL|DATE|TIMESTAMP_MILLIS|TIMESTAMP_MICROS|INT_8|INT_16|INT_32|INT_64|UINT_8|UINT_16|UINT_32|UINT_64)$/;
const READABLE_LOGICAL = /^(STRING|ENUM|TIMESTAMP|INTEGER|UUID|FLOAT16|NULL)$/;
/** Of columns without an annotation. INT96 is how older programs write a time. */
const READABLE_PLAIN = /^(BOOLEAN|INT32|INT64|INT96|FLOAT|DOUBLE)$/;

const COMPRESSORS: Compressors = {
  GZIP: (bytes, length) => gunzipSync(bytes, limitedTo(length)),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, limitedTo(length)),
  ZSTD: (bytes, length) => zstdDecompressSync(bytes, limitedTo(length)),
};
const CODECS = ["UNCOMPRESSED", "SNAPPY", ...Object.keys(COMPRESSORS)];

const strictText = new TextDecoder("utf-8", { fatal: true });

/** Days and times become the text that other tables have for them, in UTC and to the millisecond. */
const PARSERS: Partial<ParquetParsers> = {
  dateFromDays: (days) => present(days, () => timeText(days * 86_400_000).slice(0, -"T00:00:00.000Z".length)),
  timestampFromMilliseconds: (time) => present(time, () => timeText(Number(time))),
  timestampFromMicroseconds: (time) => present(time, () => timeText(Number(time / 1000n))),
  timestampFromNanoseconds: (time) => present(time, () => timeText(Number(time / 1_000_000n))),
  stringFromBytes: (bytes) => present(bytes, () => strictText.decode(bytes)),
};

/**
 * Rows are counted from 1. Integers that no number holds exactly are text, truth values the words true and false.
 * @throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE, DATASET_COLUMN_REPEATED
 */
export async function openParquet(path: string): Promise<Table> {
  const scan = await scanOf(path);
  const { metadata } = scan;
  if (metadata.num_rows === 0n) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  assertGroups(metadata, path);
  const fields = parquetSchema(metadata).children;
  const columns = fields.map(({ element }) => element.name);
  assertDistinct(columns, { path });
  const reasons = fields.map(unreadableBecause);
  const unreadable = new Map(columns.flatMap((name, i) => (reasons[i] === undefined ? [] : [[name, reasons[i]]])));
  return {
    path,
    columns,
    hasHeader: true,
    unnamed: columns.filter((name) => INDEX_NAME.test(name)),
    unreadable,
    decimal: ".",
    notes: [...unreadable].map(([column, reason]) => ({
      level: "note",
      event: "column-unreadable",
      column,
      text: `column ${column} is not read: ${reason}`,
    })),
    async *batches() {
      for (const { rowStart, rowEnd } of scan.ranges) {
        const values: (DecodedArray | undefined)[] = [];
        for (const column of columns)
          values.push(unreadable.has(column) ? undefined : await valuesOf(scan, { column, rowStart, rowEnd }, path));
        yield* batchesOf({ first: rowStart + 1, count: rowEnd - rowStart }, (i) =>
          values.map((column) => (column === undefined ? null : cellFrom(column[i]))),
        );
      }
    },
  };
}

async function scanOf(path: string): Promise<ParquetScan> {
  const file = await asyncBufferFromFile(path).catch((cause: unknown) => {
    throw new VerisumError("DATASET_NOT_FOUND", `${path} cannot be read`, { path }, { cause });
  });
  if (file.byteLength === 0) throw new VerisumError("DATASET_EMPTY", `${path} is empty`, { path });
  try {
    const metadata = await parquetMetadataAsync(file, { parsers: PARSERS, geoparquet: false });
    return await parquetScan({ file, metadata, parsers: PARSERS, compressors: COMPRESSORS, geoparquet: false });
  } catch (cause) {
    throw malformed(path, cause);
  }
}

/** @throws DATASET_MALFORMED for a compression that is not read, DATASET_TOO_LARGE */
function assertGroups({ row_groups: groups }: FileMetaData, path: string): void {
  let row = 1;
  for (const { columns, num_rows: rows } of groups) {
    let bytes = 0;
    for (const { meta_data: about } of columns) {
      if (about !== undefined && !CODECS.includes(about.codec))
        throw refusal(
          "DATASET_MALFORMED",
          { path, row, column: about.path_in_schema.join(".") },
          `it is compressed by ${about.codec}`,
          "write the file with Snappy, gzip, Brotli or Zstandard",
        );
      bytes += Number(about?.total_uncompressed_size ?? 0);
    }
    if (bytes > MAX_GROUP_BYTES)
      throw refusal(
        "DATASET_TOO_LARGE",
        { path, row },
        `the row group that begins here takes ${bytes} bytes, and ${MAX_GROUP_BYTES} are read at a time`,
        "write the file with smaller row groups",
      );
    row += Number(rows);
  }
}

/** @throws DATASET_MALFORMED */
async function valuesOf(
  scan: ParquetScan,
  range: { readonly column: string; readonly rowStart: number; readonly rowEnd: number },
  path: string,
): Promise<DecodedArray> {
  const place = { path, row: range.rowStart + 1, column: range.column };
  const values = await scan.readColumn(range).catch((cause: unknown) => {
    throw malformed(path, cause, place);
  });
  if (values.length === range.rowEnd - range.rowStart) return values;
  throw malformed(path, new Error("its columns differ in length"), place);
}

/** Why a column's values are no cells, or undefined if they are. */
function unreadableBecause({ children, element }: SchemaTree): string | undefined {
  const { type = "", repetition_type: repetition, converted_type: converted, logical_type: logical } = element;
  if (children.length > 0 || repetition === "REPEATED") return "it is nested: lists, maps or structs";
  if (converted !== undefined) return READABLE_CONVERTED.test(converted) ? undefined : `it holds ${converted} values`;
  if (logical !== undefined) return READABLE_LOGICAL.test(logical.type) ? undefined : `it holds ${logical.type} values`;
  return READABLE_PLAIN.test(type) ? undefined : "it holds bytes that are not said to be text";
}

function cellFrom(value: unknown): Cell {
  switch (typeof value) {
    case "number":
    case "string":
      return value;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "boolean":
      return String(value);
    default:
      return null;
  }
}

/** Parsers are given what is missing as well. */
function present<T>(value: unknown, parse: () => T): T | null {
  return value === undefined || value === null ? null : parse();
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** A page has the size that it claims, or the file is no good. */
function limitedTo(length: number): { readonly maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, length) };
}

function malformed(
  path: string,
  cause: unknown,
  place: { readonly row?: number; readonly column?: string } = {},
): VerisumError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return refusal(
    "DATASET_MALFORMED",
    { path, ...place },
    `it is no complete Parquet file: ${problem}`,
    "write it again",
  );
}
