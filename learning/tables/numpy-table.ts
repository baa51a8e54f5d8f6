/**
 * NumPy's arrays as a table: rows along their first axis. An array with one value a row is one column, called as the
 * array; of others each place of a row is one, called `x.0`, `x.1` and so on, the last axis fastest. Arrays lie in the
 * alphabetical order of their names.
 */
import { crc32 } from "node:zlib";
import { Inflate, inflateSync } from "fflate";
import { VerisumError } from "../../protocol/errors.ts";
import { MAX_DATA_BYTES, readDataFile } from "../data-file.ts";
import { sizeOf } from "../shape.ts";
import { parseNpy, parseNpyHeader } from "./npy.ts";
import type { NumpyArray } from "./npy.ts";
import { assertDistinct, batchesOf, refusal } from "./table.ts";
import type { Cell, Table } from "./table.ts";
import { zipEntries } from "./zip-checksums.ts";
import type { ZipEntry } from "./zip-checksums.ts";

const MAX_COLUMNS = 1 << 20;
/** Of a packed array, from which its header is read: deflated, they hold 4 MB at most. */
const HEAD_BYTES = 4096;
/** How an archive says which arrays are training and test data: x_train, y_test, test_images. */
const PARTS = { train: /^train_|_train$/, test: /^test_|_test$/ };

/** One array is a table without a header. @throws DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE */
export async function openNpy(path: string): Promise<Table> {
  const table = tableOf(new Map([["", parseNpy(await readDataFile(path), path)]]), path);
  return { ...table, columns: table.columns.map((_, i) => String(i + 1)), hasHeader: false };
}

/**
 * Arrays in a ZIP archive. If names end in `_train` and `_test`, or begin so, these are training and test data.
 * @throws DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE, DATASET_COLUMN_REPEATED
 */
export async function openNpz(path: string): Promise<{ readonly train: Table; readonly test?: Table }> {
  const arrays = arraysOf(await readDataFile(path), path);
  const train = partOf(arrays, PARTS.train);
  const test = partOf(arrays, PARTS.test);
  if (train.size === 0 && test.size === 0) return { train: tableOf(arrays, path) };
  const odd = [...arrays.keys()].find((name) => !PARTS.train.test(name) && !PARTS.test.test(name));
  if (odd !== undefined || train.size === 0 || test.size === 0)
    throw refusal(
      "DATASET_MALFORMED",
      { path, ...(odd === undefined ? {} : { column: odd }) },
      "some arrays are called training or test data, and some are not",
      "write both parts, as x_train, y_train, x_test and y_test, or neither",
    );
  return { train: tableOf(train, path), test: tableOf(test, path) };
}

/**
 * The arrays by what the archive's directory and their headers say. Values are unpacked when the first one is read, so
 * that an archive is refused for its names or its shapes before anything of it takes memory.
 */
function arraysOf(bytes: Uint8Array, path: string): ReadonlyMap<string, NumpyArray> {
  const entries = complete(path, () => distinct(zipEntries(bytes)));
  if (entries.length === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no array`, { path });
  if (entries.reduce((sum, { size }) => sum + size, 0) > MAX_DATA_BYTES)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} holds more than ${MAX_DATA_BYTES} bytes`, { path });
  const arrays = entries.map((entry): [string, NumpyArray] => {
    const name = entry.name.replace(/\.npy$/, "");
    const head = complete(path, () => headOf(entry));
    const { shape, isFortran, array } = parseNpyHeader(head, entry.size, path, name);
    let read: NumpyArray["valueAt"] | undefined;
    const values = (): NumpyArray["valueAt"] => array(complete(path, () => unpacked(entry))).valueAt;
    return [name, { shape, isFortran, valueAt: (index) => (read ??= values())(index) }];
  });
  return new Map(arrays.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws DATASET_MALFORMED for what is wrong with the archive */
function complete<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const problem = `it is no complete archive: ${(cause as Error).message}`;
    throw refusal("DATASET_MALFORMED", { path }, problem, "write it with numpy.savez");
  }
}

function distinct(entries: readonly ZipEntry[]): readonly ZipEntry[] {
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name)) throw new Error(`${name} is in it twice`);
    names.add(name);
  }
  return entries;
}

/** The beginning of a file: the header of an array has some hundred bytes. */
function headOf({ packed, isDeflated }: ZipEntry): Uint8Array {
  const head = packed.subarray(0, HEAD_BYTES);
  if (!isDeflated) return head;
  const parts: Uint8Array[] = [];
  new Inflate((part) => parts.push(part)).push(head, head.length === packed.length);
  return Buffer.concat(parts);
}

/** @throws Error for a file that is not as it was written */
function unpacked({ name, size, checksum, packed, isDeflated }: ZipEntry): Uint8Array {
  const content = isDeflated ? inflateSync(packed, { out: new Uint8Array(size) }) : packed;
  if (content.length !== size || crc32(content) !== checksum) throw new Error(`${name} does not have its checksum`);
  return content;
}

function partOf(arrays: ReadonlyMap<string, NumpyArray>, part: RegExp): ReadonlyMap<string, NumpyArray> {
  return new Map([...arrays].flatMap(([name, array]) => (part.test(name) ? [[name.replace(part, ""), array]] : [])));
}

function tableOf(arrays: ReadonlyMap<string, NumpyArray>, path: string): Table {
  const single = [...arrays].find(([, { shape }]) => shape.length === 0);
  if (single !== undefined)
    throw refusal(
      "DATASET_MALFORMED",
      { path, column: single[0] },
      "it is a single value, and has no rows",
      "leave out the arrays that are no columns",
    );
  const [first] = arrays;
  const [firstName, { shape }] = first!;
  const count = shape[0]!;
  if (count === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  const columns: string[] = [];
  const readers: ((row: number) => Cell)[] = [];
  for (const [name, array] of arrays) {
    if (array.shape[0] !== count)
      throw refusal(
        "DATASET_MALFORMED",
        { path, column: name },
        `it has ${array.shape[0] ?? "no"} rows, and ${firstName} has ${count}`,
        "all arrays need the same first axis; leave out those that are no columns",
      );
    const width = sizeOf(array.shape.slice(1));
    if (columns.length + width > MAX_COLUMNS)
      throw new VerisumError("DATASET_TOO_LARGE", `${path} has more than ${MAX_COLUMNS} columns`, { path });
    for (let place = 0; place < width; place++) {
      // A column of shape (n, 1), as many programs write labels, is one as much as one of shape (n).
      columns.push(width === 1 ? name : `${name}.${place}`);
      readers.push(columnReader(array, place));
    }
  }
  assertDistinct(columns, { path });
  return {
    path,
    columns,
    hasHeader: true,
    unnamed: [],
    decimal: ".",
    notes: [],
    async *batches() {
      yield* batchesOf({ first: 1, count }, (row) => readers.map((read) => read(row)));
    },
  };
}

/** @param place of the column among the values of a row, the last axis fastest */
function columnReader({ shape, isFortran, valueAt }: NumpyArray, place: number): (row: number) => Cell {
  const [count = 0, ...sides] = shape;
  const width = sizeOf(sides);
  if (!isFortran) return (row) => valueAt(row * width + place);
  let [rest, offset, stride] = [place, 0, sizeOf(shape)];
  for (const side of sides.toReversed()) {
    stride /= side;
    offset += (rest % side) * stride;
    rest = Math.floor(rest / side);
  }
  return count === 0 ? () => null : (row) => valueAt(row + offset);
}
