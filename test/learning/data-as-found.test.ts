/** Files of every format as people have them: read right, or refused by name. */
import assert from "node:assert/strict";
import { encode as encodePng } from "fast-png";
import { zipSync } from "fflate";
import { parquetWriteBuffer } from "hyparquet-writer";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { tableSchema } from "../../learning/tables/schema.ts";
import type { TableSchema } from "../../learning/tables/schema.ts";
import { rejectsCode } from "../support/errors.ts";
import { FOUND_CELLS } from "../support/found-cells.ts";
import { FOUND_DIALECTS } from "../support/found-dialects.ts";
import { FOUND_LAYOUTS } from "../support/found-layouts.ts";
import { read, refused } from "../support/found.ts";
import type { FoundFile } from "../support/found.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

const COUNT = 30;
const values = Array.from({ length: COUNT }, (_, i) => ((i * 7919) % 1000) / 1000);
const labels = values.map((_, i) => i % 2);

type Column = Parameters<typeof parquetWriteBuffer>[0]["columnData"][number];
const parquet = (...columns: Column[]): Uint8Array => new Uint8Array(parquetWriteBuffer({ columnData: columns }));
const A: Column = { name: "a", data: values, type: "DOUBLE" };
const LABEL: Column = { name: "label", data: labels, type: "INT32" };
const rowsOf = (columns: Record<string, readonly unknown[]>): Column[] =>
  Object.entries(columns).map(([name, data]): Column => ({ name, data: [...data] as never[] }));

/** As numpy.save writes a one-dimensional array, or rows of `width`. */
function npy(descr: string, data: ArrayBufferView, count: number, width = 0): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${count},${width === 0 ? "" : ` ${width}`}), }`;
  const padded = `${header.padEnd(117)}\n`;
  const bytes = new Uint8Array(10 + padded.length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, padded.length & 0xff, padded.length >> 8]);
  bytes.set(new TextEncoder().encode(padded), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + padded.length);
  return bytes;
}
const X = npy("<f8", Float64Array.from(values.flatMap((value) => [value, 1 - value])), COUNT, 2);
const Y = npy("|u1", Uint8Array.from(labels), COUNT);
const npz = (arrays: Record<string, Uint8Array>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])));

const FOUND_BINARY: readonly FoundFile[] = [
  ["column.npz", npz({ x: X, y: npy("|u1", Uint8Array.from(labels), COUNT, 1) }), "label=y", read(30, 2, 2, "")],
  [
    "one-hot.npz",
    npz({ x: X, y: npy("|u1", Uint8Array.from(labels.flatMap((label) => [1 - label, label])), COUNT, 2) }),
    "label=y",
    refused("DATASET_COLUMN_ABSENT", { column: "y" }),
  ],
  [
    "half.npz",
    npz({
      x: npy(
        "<f2",
        Uint16Array.from(labels, (label) => (label === 0 ? 0x3c00 : 0xc100)),
        COUNT,
      ),
      y: Y,
    }),
    "label=y",
    read(30, 1, 2, "column-leaks-label"),
  ],
  [
    "all-null.parquet",
    parquet(
      ...rowsOf({ a: values, z: values.map(() => null), label: labels }).map((c) =>
        c.name === "z" ? { ...c, type: "DOUBLE" as const } : c,
      ),
    ),
    "",
    refused("DATASET_VALUE_MISSING", { row: 1, column: "z" }),
  ],
  [
    "half-label.parquet",
    parquet(A, { name: "label", data: labels.map((label) => label / 2), type: "DOUBLE" }),
    "",
    refused("DATASET_LABEL_INVALID", { row: 2, value: "0.5" }),
  ],
  ["only-label.parquet", parquet(LABEL), "", refused("DATASET_MALFORMED")],
  ["proto.parquet", parquet({ ...A, name: "__proto__" }, LABEL), "", read(30, 1, 2, "")],
  ["text.parquet", new TextEncoder().encode("a,label\n1,0\n"), "", refused("DATASET_MALFORMED")],
  ["plain.parquet", parquet(A, LABEL), "", read(30, 1, 2, "")],
  [
    "index.parquet",
    parquet(A, LABEL, { name: "__index_level_0__", data: labels.map((_, i) => i) }),
    "",
    refused("DATASET_COLUMN_UNNAMED", { column: "__index_level_0__" }),
  ],
  [
    "words.parquet",
    parquet(...rowsOf({ a: values.map(() => "x"), label: labels })),
    "",
    refused("DATASET_VALUE_INVALID", { row: 1, column: "a", value: "x" }),
  ],
  [
    "null.parquet",
    parquet(...rowsOf({ a: values.map((v, i) => (i === 4 ? null : v)), label: labels })),
    "",
    refused("DATASET_VALUE_MISSING", { row: 5, column: "a" }),
  ],
  [
    "null-dropped.parquet",
    parquet(...rowsOf({ a: values.map((v, i) => (i === 4 ? null : v)), label: labels })),
    "missing=drop-row",
    read(29, 1, 2, "rows-dropped"),
  ],
  [
    "truth.parquet",
    parquet(A, { name: "label", data: labels.map((label) => label === 1), type: "BOOLEAN" }),
    "",
    refused("DATASET_CLASSES_UNSTATED", { column: "label" }),
  ],
  [
    "truth-stated.parquet",
    parquet(A, { name: "label", data: labels.map((label) => label === 1), type: "BOOLEAN" }),
    "classes=false,true",
    read(30, 1, 2, ""),
  ],
  [
    "times.parquet",
    parquet(A, LABEL, {
      name: "t",
      data: values.map((_, i) => new Date(Date.UTC(2024, 1, 29, i % 24))),
      type: "TIMESTAMP",
    }),
    "time=t",
    read(30, 1, 2, ""),
  ],
  [
    "twice.parquet",
    parquet(A, LABEL, { name: "A", data: values, type: "DOUBLE" }),
    "",
    refused("DATASET_COLUMN_REPEATED", { column: "A" }),
  ],
  ["cut.parquet", parquet(A, LABEL).subarray(0, 200), "", refused("DATASET_MALFORMED")],
  [
    "pointer.parquet",
    new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n"),
    "",
    refused("DATASET_MALFORMED"),
  ],
  [
    "empty.parquet",
    parquet({ name: "a", data: [], type: "DOUBLE" }, { name: "label", data: [], type: "INT32" }),
    "",
    refused("DATASET_EMPTY"),
  ],
  ["target.parquet", parquet(A, { name: "target", data: labels, type: "INT32" }), "", refused("DATASET_LABEL_UNNAMED")],
  ["x-y.npz", npz({ x: X, y: Y }), "label=y", read(30, 2, 2, "")],
  ["label-unnamed.npz", npz({ x: X, y: Y }), "", refused("DATASET_LABEL_UNNAMED")],
  [
    "rows.npz",
    npz({ x: X, y: npy("|u1", Uint8Array.of(0, 1), 2) }),
    "label=y",
    refused("DATASET_MALFORMED", { column: "y" }),
  ],
  ["half-split.npz", npz({ x_train: X, y: Y }), "label=y", refused("DATASET_MALFORMED", { column: "y" })],
  [
    "objects.npz",
    npz({ x: npy("|O", new Uint8Array(8), 1), y: Y }),
    "label=y",
    refused("DATASET_MALFORMED", { column: "x" }),
  ],
  [
    "complex.npz",
    npz({ x: npy("<c16", new Uint8Array(16), 1), y: Y }),
    "label=y",
    refused("DATASET_MALFORMED", { column: "x" }),
  ],
  [
    "nan.npz",
    npz({
      x: npy(
        "<f8",
        Float64Array.from(values, (v, i) => (i === 3 ? NaN : v)),
        COUNT,
      ),
      y: Y,
    }),
    "label=y",
    refused("DATASET_VALUE_MISSING", { row: 4, column: "x" }),
  ],
  [
    "infinite.npz",
    npz({
      x: npy(
        "<f8",
        Float64Array.from(values, (v, i) => (i === 3 ? Infinity : v)),
        COUNT,
      ),
      y: Y,
    }),
    "label=y",
    refused("DATASET_VALUE_INVALID", { row: 4, column: "x" }),
  ],
  [
    "identifiers.npz",
    npz({
      x: X,
      id: npy(
        "<i8",
        BigInt64Array.from(values, (_, i) => BigInt(i)),
        COUNT,
      ),
      y: Y,
    }),
    "label=y",
    read(30, 3, 2, "column-index,column-unscaled"),
  ],
  ["one-array.npy", X, "label=last", refused("DATASET_LABEL_INVALID", { row: 2 })],
  [
    "labels-first.npy",
    npy("<f4", Float32Array.from(labels.flatMap((label, i) => [label, values[i]!])), COUNT, 2),
    "label=first",
    read(30, 1, 2, ""),
  ],
  ["cut.npy", X.subarray(0, 150), "label=last", refused("DATASET_MALFORMED")],
  ["renamed.npz", parquet(A, LABEL), "label=y", refused("DATASET_MALFORMED")],
  [
    "a-images-idx3-ubyte",
    Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3),
    "",
    refused("DATASET_NOT_FOUND"),
  ],
  ["words.ts", "export const x = 1;\n", "", refused("DATASET_MALFORMED", { row: 1 })],
  ["times.ts", "@timeStamps true\n@classLabel true a b\n@data\n(0,1):a\n", "", refused("DATASET_MALFORMED")],
  ["one.ts", `@classLabel true a b\n@data\n${"1,2:3,4:a\n".repeat(10)}`, "", read(10, 4, 2, "one-class")],
  ["unclassed.ts", "@data\n1,2:a\n", "", refused("DATASET_CLASSES_UNSTATED")],
];

describe("data as found", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  for (const [name, content, options, outcome] of [
    ...FOUND_CELLS,
    ...FOUND_LAYOUTS,
    ...FOUND_DIALECTS,
    ...FOUND_BINARY,
  ])
    it(`${"code" in outcome ? "is refused" : "is read"}: ${name} ${options}`, async () => {
      const path = await folder.file(name, content);
      const loading = loadDataset(options === "" ? path : `${path}?${options}`);
      if ("code" in outcome) return rejectsCode(loading, outcome.code, outcome.details);
      const { train, test, notes = [] } = await loading;
      assert.deepEqual(
        {
          examples: train.exampleCount + test.exampleCount,
          values: train.featureShape.reduce((product, side) => product * side, 1),
          classes: train.classCount,
          events: [...new Set(notes.map(({ event }) => event))].filter((event) => event !== "dialect").join(),
        },
        outcome,
      );
    });

  it("of many pixels has a warning of each kind, not of each column", async () => {
    const pixels = 64;
    const lines = values.map((_, i) =>
      [
        ...Array.from({ length: pixels }, (_, pixel) => (pixel < 20 ? 0 : (i * 7919 + pixel * 104729) % 29)),
        i % 2,
      ].join(),
    );
    const header = [...Array.from({ length: pixels }, (_, pixel) => `pixel${pixel}`), "label"].join();
    const { notes } = await loadDataset(await folder.file("pixels.csv", `${header}\n${lines.join("\n")}\n`));
    const warnings = notes!.filter(({ level }) => level === "warning");
    assert.deepEqual(
      warnings.map(({ event }) => event),
      ["column-constant", "column-unscaled"],
    );
    assert.match(warnings[0]!.text, /The same of 20 columns: pixel0, .* and 12 more/);
  });

  it("names a value that stands for none as its file has it, scaled or not", async () => {
    const lines = values.map((value, i) => [
      i % 9 === 2 ? -99999 : value,
      i % 9 === 4 ? "9999-12-31" : `2024-02-${10 + (i % 15)}`,
      i % 2,
    ]);
    const path = await folder.file("sentinels.csv", `a,t,label\n${lines.map((line) => line.join()).join("\n")}\n`);
    const texts = async (spec: string, schema?: TableSchema): Promise<string[]> =>
      (await loadDataset(spec, schema)).notes!.flatMap(({ event, text }) =>
        event === "column-sentinel" ? [text] : [],
      );
    const plain = await texts(`${path}?drop=t`);
    assert.match(plain.join(), /^column a: -99999 recurs .* say na=-99999$/);
    assert.deepEqual(await texts(`${path}?drop=t&mean=0.37&deviation=0.013`), plain);
    const columns = [
      { name: "a", type: "number" },
      { name: "t", type: "date" },
    ];
    const schema = tableSchema.parse({
      label: "label",
      classes: ["0", "1"],
      columns,
      scaling: { t: { mean: 19_000, stdDev: 7 } },
    });
    const dated = await texts(path, schema);
    // A task's client cannot say na=.
    assert.match(dated[0]!, /^column a: -99999 recurs .* the task's document has to say so/);
    assert.match(dated[1]!, /^column t: 9999-12-31 recurs .* the task's document has to say so/);
  });

  it("in folders of images is refused by its path", async () => {
    const image = encodePng({ width: 1, height: 1, data: Uint8Array.of(7), channels: 1 });
    await folder.file("photos/train/0/a.png", image);
    const path = await folder.file("photos/test/1/b.png", new TextEncoder().encode("<html>"));
    await rejectsCode(loadDataset(path.slice(0, path.indexOf("/test/"))), "DATASET_MALFORMED", { path });
  });
});
