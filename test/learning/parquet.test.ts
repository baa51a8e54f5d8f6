import assert from "node:assert/strict";
import { dirname } from "node:path";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { inspectData } from "../../learning/inspect.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

type Written = Omit<Parameters<typeof parquetWriteBuffer>[0], "writer">;
type Elements = NonNullable<Written["schema"]>;

const LABEL = { name: "label", data: [0, 1, 0] };
const DAY = 86_400_000;

describe("Parquet", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  const file = (name: string, written: Written): Promise<string> =>
    folder.file(name, new Uint8Array(parquetWriteBuffer(written)));
  /** A column `x` of another type than the writer's own names give, beside three labels. */
  const annotated = (data: readonly unknown[], element: Partial<Elements[number]>): Written => ({
    columnData: [{ name: "x", data: [...data] }, LABEL],
    schema: [
      { name: "root", num_children: 2 },
      { name: "x", repetition_type: "OPTIONAL", ...element },
      { name: "label", type: "INT32", repetition_type: "OPTIONAL" },
    ],
  });

  it("reads numbers of every width, by the names of their columns", async () => {
    const path = await file("numbers.parquet", {
      columnData: [
        LABEL,
        { name: "float", data: Float32Array.of(0.5, -1, 2), type: "FLOAT" },
        { name: "double", data: [1e-3, 0, 4], type: "DOUBLE" },
        { name: "long", data: [1n, -2n, 3n], type: "INT64" },
        { name: "half", data: [0.25, 1, 2], type: "FLOAT16" },
      ],
    });
    const { names, rows, labels } = await readWhole(`${path}?keep=long,double,float,half`);
    assert.deepEqual(names, ["long", "double", "float", "half"]);
    assert.deepEqual(
      [rows, labels],
      [
        [
          [1, Math.fround(1e-3), 0.5, 0.25],
          [-2, 0, -1, 1],
          [3, 4, 2, 2],
        ],
        [0, 1, 0],
      ],
    );
  });

  it("takes words, dates, times and truth values where the task lists them, dictionaries or not", async () => {
    const path = await file("words.parquet", {
      columnData: [
        { name: "sex", data: ["F", "M", "F"], encoding: "RLE_DICTIONARY" },
        { name: "smokes", data: [true, false, true] },
        { name: "day", data: [new Date(0), new Date(DAY), new Date(10 * DAY)] },
        { name: "taken", data: [new Date(0), new Date(DAY / 2), new Date(DAY)] },
        { name: "kind", data: ["no", "yes", "no"], encoding: "PLAIN" },
      ],
      schema: [
        { name: "root", num_children: 5 },
        { name: "sex", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
        { name: "smokes", type: "BOOLEAN", repetition_type: "REQUIRED" },
        { name: "day", type: "INT32", converted_type: "DATE", repetition_type: "REQUIRED" },
        { name: "taken", type: "INT64", converted_type: "TIMESTAMP_MILLIS", repetition_type: "REQUIRED" },
        { name: "kind", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
      ],
    });
    const schema = tableSchema.parse({
      label: "kind",
      classes: ["no", "yes"],
      columns: [
        { name: "day", type: "date" },
        { name: "taken", type: "date" },
        { name: "sex", type: "category", values: ["M", "F"] },
        { name: "smokes", type: "category", values: ["false", "true"] },
      ],
    });
    const { rows, labels } = await readWhole(path, schema);
    assert.deepEqual(
      [rows, labels],
      [
        [
          [0, 0, 0, 1, 0, 1],
          [1, 0.5, 1, 0, 1, 0],
          [10, 1, 0, 1, 0, 1],
        ],
        [0, 1, 0],
      ],
    );
  });

  it("divides decimals by their scale", async () => {
    const element = { type: "INT32", converted_type: "DECIMAL", scale: 2, precision: 5 } as const;
    const path = await file("decimal.parquet", annotated([1.25, -0.5, 3], element));
    assert.deepEqual((await readWhole(path)).rows, [[1.25], [-0.5], [3]]);
  });

  it("calls null and NaN missing, and follows the policy", async () => {
    const path = await file("null.parquet", {
      columnData: [{ name: "x", data: [1, null, NaN], type: "DOUBLE" }, LABEL],
    });
    await rejectsCode(readWhole(path), "DATASET_VALUE_MISSING", { row: 2, column: "x" });
    const { rows, events } = await readWhole(`${path}?missing=drop-row`);
    assert.deepEqual(rows, [[1]]);
    assert.ok(events.includes("rows-dropped"));
  });

  it("reads row groups in their order, each row with its number", async () => {
    const count = 5000;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const columnData = [
      { name: "x", data: numbers, type: "INT32" as const },
      { name: "label", data: numbers.map((i) => (i === 4321 ? -1 : i % 3)), type: "INT32" as const },
    ];
    const path = await file("groups.parquet", { columnData, rowGroupSize: 1500 });
    await rejectsCode(readWhole(path), "DATASET_LABEL_INVALID", { row: 4322 });
    columnData[1]!.data[4321] = 1;
    const { rows } = await readWhole(await file("groups.parquet", { columnData, rowGroupSize: 1500 }));
    assert.deepEqual(
      rows.map(([x]) => x),
      numbers,
    );
  });

  it("keeps integers that no number holds exactly apart, as groups", async () => {
    const data = [2n ** 60n, 2n ** 60n + 1n, 2n ** 60n + 1n];
    const path = await file("long.parquet", {
      columnData: [{ name: "patient", data, type: "INT64" }, { name: "x", data: [1, 2, 3], type: "INT32" }, LABEL],
    });
    const { groups } = await readWhole(`${path}?group=patient`);
    assert.deepEqual(groups, data.map(String));
  });

  for (const [codec, compress] of [
    ["SNAPPY", undefined],
    ["UNCOMPRESSED", undefined],
    ["GZIP", gzipSync],
    ["BROTLI", brotliCompressSync],
    ["ZSTD", zstdCompressSync],
  ] as const) {
    it(`reads ${codec} pages`, async () => {
      const path = await file(`${codec}.parquet`, {
        columnData: [{ name: "x", data: [1, 2, 3], type: "DOUBLE" }, LABEL],
        codec,
        ...(compress === undefined ? {} : { compressors: { [codec]: (bytes: Uint8Array) => compress(bytes) } }),
      });
      assert.deepEqual((await readWhole(path)).rows, [[1], [2], [3]]);
    });
  }

  it("loads a file, a folder with a test file, and a file of another name", async () => {
    const columnData = [
      { name: "x", data: Array.from({ length: 50 }, (_, i) => i), type: "INT32" as const },
      { name: "label", data: Array.from({ length: 50 }, (_, i) => i % 2), type: "INT32" as const },
    ];
    const path = await file("fifty.parquet", { columnData });
    const { train, test } = await loadDataset(path);
    assert.deepEqual([train.exampleCount, test.exampleCount], [40, 10]);
    const other = await file("fifty.dat", { columnData });
    assert.equal((await loadDataset(`parquet:${other}`)).train.exampleCount, 40);
    const inFolder = await file("both/train.parquet", { columnData });
    await file("both/test.parquet", { columnData: [...columnData].reverse() });
    const both = await loadDataset(dirname(inFolder));
    assert.deepEqual([both.train.exampleCount, both.test.exampleCount], [50, 50]);
  });

  it("refuses a nested column by its name unless it is dropped", async () => {
    const nested = (name: string): Written => ({
      columnData: [{ name, data: [[1], [2, 3], []] }, { name: "x", data: [1, 2, 3] }, LABEL],
      schema: [
        { name: "root", num_children: 3 },
        { name, num_children: 1, converted_type: "LIST", repetition_type: "OPTIONAL" },
        { name: "list", num_children: 1, repetition_type: "REPEATED" },
        { name: "element", type: "INT32", repetition_type: "OPTIONAL" },
        { name: "x", type: "INT32", repetition_type: "OPTIONAL" },
        { name: "label", type: "INT32", repetition_type: "OPTIONAL" },
      ],
    });
    const path = await file("nested.parquet", nested("visits"));
    await rejectsCode(readWhole(path), "DATASET_VALUE_INVALID", { column: "visits" });
    assert.deepEqual((await readWhole(`${path}?drop=visits`)).rows, [[1], [2], [3]]);
    const { report } = await inspectData(`${path}?drop=visits`);
    assert.deepEqual(
      report.table?.columns.map(({ name, role }) => [name, role]),
      [
        ["visits", "unused"],
        ["x", "feature"],
        ["label", "label"],
      ],
    );
    assert.ok(report.notes.some(({ event, column }) => event === "column-unreadable" && column === "visits"));
  });

  for (const [what, data, element] of [
    ["bytes", [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)], { type: "BYTE_ARRAY" }],
    ["times of day", [1, 2, 3], { type: "INT32", converted_type: "TIME_MILLIS" }],
    ["JSON", [{}, {}, {}], { type: "BYTE_ARRAY", converted_type: "JSON" }],
  ] satisfies [string, readonly unknown[], Partial<Elements[number]>][]) {
    it(`refuses a column of ${what} by its name`, async () => {
      const path = await file("unreadable.parquet", annotated(data, element));
      await rejectsCode(readWhole(path), "DATASET_VALUE_INVALID", { column: "x" });
    });
  }

  it("asks about the index that pandas writes as a column", async () => {
    const path = await file("pandas.parquet", {
      columnData: [
        { name: "x", data: [1, 2, 3] },
        LABEL,
        { name: "__index_level_0__", data: [7, 8, 9], type: "INT32" },
      ],
    });
    await rejectsCode(readWhole(path), "DATASET_COLUMN_UNNAMED", { column: "__index_level_0__" });
    assert.deepEqual((await readWhole(`${path}?drop=__index_level_0__`)).names, ["x"]);
  });

  it("refuses files that are cut off, empty, of no such format, or differ in a byte of their pages", async () => {
    const columnData = [{ name: "x", data: [1, 2, 3], type: "DOUBLE" as const }, LABEL];
    const good = new Uint8Array(parquetWriteBuffer({ columnData }));
    const bad: [string, Uint8Array, ErrorCode][] = [
      ["cut.parquet", good.subarray(0, good.length - 9), "DATASET_MALFORMED"],
      ["tiny.parquet", good.subarray(0, 3), "DATASET_MALFORMED"],
      ["empty.parquet", new Uint8Array(), "DATASET_EMPTY"],
      ["text.parquet", new TextEncoder().encode("x,label\n1,0\n"), "DATASET_MALFORMED"],
      ["page.parquet", Uint8Array.from(good, (byte, i) => (i >= 4 && i < 24 ? 0xff : byte)), "DATASET_MALFORMED"],
    ];
    for (const [name, bytes, code] of bad) await rejectsCode(readWhole(await folder.file(name, bytes)), code);
    const none = [
      { name: "x", data: [], type: "DOUBLE" as const },
      { name: "label", data: [], type: "INT32" as const },
    ];
    await rejectsCode(readWhole(await file("none.parquet", { columnData: none })), "DATASET_EMPTY");
  });

  it("refuses a compression that it does not read, and two columns of one name", async () => {
    const columnData = [{ name: "x", data: [1, 2, 3], type: "DOUBLE" as const }, LABEL];
    const compressors = { LZ4_RAW: (bytes: Uint8Array) => bytes };
    const path = await file("lz4.parquet", { columnData, codec: "LZ4_RAW", compressors });
    await rejectsCode(readWhole(path), "DATASET_MALFORMED", { column: "x" });
    const twice = [{ name: "X", data: [1, 2, 3], type: "DOUBLE" as const }, ...columnData];
    await rejectsCode(readWhole(await file("twice.parquet", { columnData: twice })), "DATASET_COLUMN_REPEATED");
  });
});
