import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { readWhole, temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

/** An array as numpy.save writes it; NumPy pads the header to a multiple of 64 bytes. */
function npy(
  descr: string,
  shape: readonly number[],
  values: ArrayBufferView,
  order = "False",
  version = 1,
): Uint8Array {
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': (${sides}), }`;
  const start = version === 1 ? 10 : 12;
  const header = text.padEnd(64 * Math.ceil((start + text.length + 1) / 64) - start - 1) + "\n";
  const bytes = new Uint8Array(start + header.length + values.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), start);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start + header.length);
  return bytes;
}

function words(length: number, texts: readonly string[]): Uint32Array {
  return Uint32Array.from(texts.flatMap((text) => Array.from({ length }, (_, i) => text.codePointAt(i) ?? 0)));
}

/** The archive with the lowest bit of the stored array's last byte flipped. */
function withFlippedBit(archive: Uint8Array, array: Uint8Array): Uint8Array {
  const at = Buffer.from(archive).indexOf(array) + array.length - 1;
  return Uint8Array.from(archive, (byte, i) => (i === at ? byte ^ 1 : byte));
}

function renamed(archive: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(archive).toString("latin1").replaceAll(from, to), "latin1");
}

const X = npy("'<f4'", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
const Y = npy("'<i8'", [2], BigInt64Array.of(1n, 0n));
const ROWS = [
  [1, 2, 3],
  [4, 5, 6],
];

describe("NumPy arrays", () => {
  let folder: Folder;
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  const archive = (arrays: Record<string, Uint8Array>, name = "set.npz"): Promise<string> =>
    folder.file(name, zipSync(Object.fromEntries(Object.entries(arrays).map(([key, bytes]) => [`${key}.npy`, bytes]))));

  it("become columns called as the arrays, in the order of the names", async () => {
    const path = await archive({ y: Y, x: X, b: npy("'|u1'", [2], Uint8Array.of(7, 8)) });
    const { names, rows, labels } = await readWhole(`${path}?label=y`);
    assert.deepEqual(names, ["b", "x.0", "x.1", "x.2"]);
    assert.deepEqual(
      [rows, labels],
      [
        [
          [7, 1, 2, 3],
          [8, 4, 5, 6],
        ],
        [1, 0],
      ],
    );
  });

  it("are the same whether the first or the last axis runs fastest", async () => {
    const plain = npy(
      "'<f8'",
      [2, 2, 3],
      Float64Array.from({ length: 12 }, (_, i) => i),
    );
    const fortran = npy("'<f8'", [2, 2, 3], Float64Array.of(0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11), "True");
    for (const x of [plain, fortran])
      assert.deepEqual((await readWhole(`${await archive({ x, y: Y })}?label=y`)).rows, [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
      ]);
  });

  for (const [descr, values] of [
    ["'|i1'", Int8Array.of(-1, 2)],
    ["'<i2'", Int16Array.of(-1, 2)],
    ["'<i4'", Int32Array.of(-1, 2)],
    ["'<i8'", BigInt64Array.of(-1n, 2n)],
    ["'<f4'", Float32Array.of(-1, 2)],
    ["'<f8'", Float64Array.of(-1, 2)],
    ["'>i2'", Uint8Array.of(255, 255, 0, 2)],
    ["'>f4'", Uint8Array.of(0xbf, 0x80, 0, 0, 0x40, 0, 0, 0)],
  ] satisfies [string, ArrayBufferView][])
    it(`of type ${descr} are read`, async () => {
      const path = await archive({ x: npy(descr, [2], values), y: Y });
      assert.deepEqual((await readWhole(`${path}?label=y`)).rows, [[-1], [2]]);
    });

  it("of unsigned integers are read, and large ones stay apart as groups", async () => {
    const site = npy("'<u8'", [2], BigUint64Array.of(2n ** 63n, 2n ** 63n + 1n));
    const path = await archive({
      site,
      x: npy("'<u4'", [2], Uint32Array.of(4e9, 1)),
      z: npy("'<u2'", [2], Uint16Array.of(65535, 0)),
      y: Y,
    });
    const { rows, groups } = await readWhole(`${path}?label=y&group=site`);
    assert.deepEqual(rows, [
      [4e9, 65535],
      [1, 0],
    ]);
    assert.deepEqual(groups, [String(2n ** 63n), String(2n ** 63n + 1n)]);
  });

  it("of words and truth values are labels where their classes are listed", async () => {
    const kind = npy("'<U6'", [2], words(6, ["größer", "no"]));
    const path = await archive({ x: X, kind, sick: npy("'|b1'", [2], Uint8Array.of(0, 1)) });
    assert.deepEqual((await readWhole(`${path}?label=kind&drop=sick&classes=no,größer`)).labels, [1, 0]);
    assert.deepEqual((await readWhole(`${path}?label=sick&drop=kind&classes=false,true`)).labels, [0, 1]);
  });

  it("called training and test data are split by it", async () => {
    const one = npy("'<f4'", [1, 3], Float32Array.of(7, 8, 9));
    const path = await archive({
      x_train: X,
      y_train: Y,
      x_test: one,
      y_test: npy("'<i8'", [1], BigInt64Array.of(1n)),
    });
    const { train, test } = await loadDataset(`${path}?label=y`);
    assert.deepEqual([[...train.features], [...test.features], [...test.labels]], [ROWS.flat(), [7, 8, 9], [1]]);
    await rejectsCode(loadDataset(`${path}?label=y&test=0.5`), "DATASET_SPEC_INVALID");
    await rejectsCode(loadDataset(await archive({ x_train: X, y_train: Y, names: Y })), "DATASET_MALFORMED", {
      column: "names",
    });
    await rejectsCode(loadDataset(await archive({ x_train: X, y_train: Y })), "DATASET_MALFORMED");
  });

  it("in a file of their own are a table without a header, in any version of the format", async () => {
    for (const version of [1, 2, 3]) {
      const bytes = npy("'<f4'", [2, 3], Float32Array.of(1, 2, 0, 4, 5, 1), "False", version);
      const { names, labels } = await readWhole(`${await folder.file("one.npy", bytes)}?label=last`);
      assert.deepEqual(
        [names, labels],
        [
          ["1", "2"],
          [0, 1],
        ],
      );
    }
  });

  for (const [what, bytes] of [
    ["of objects, which are pickled", npy("'|O'", [2], Uint8Array.of(0x80, 4))],
    ["of records", npy("[('a', '<f4'), ('b', '<f4')]", [2], new Uint8Array(16))],
    ["of complex numbers", npy("'<c8'", [2], new Uint8Array(16))],
    ["of times", npy("'<M8[s]'", [2], new Uint8Array(16))],
    ["of bytes", npy("'|S3'", [2], new Uint8Array(6))],
    ["that are cut off", Y.subarray(0, Y.length - 1)],
    ["with bytes behind them", Uint8Array.of(...Y, 0)],
    ["cut off within their header", Y.subarray(0, 40)],
    ["with another header", Uint8Array.from(Y, (byte, i) => (i === 11 ? 0x22 : byte))],
    ["with a version that does not exist", Uint8Array.from(Y, (byte, i) => (i === 6 ? 9 : byte))],
    ["with other first bytes", Uint8Array.from(Y, (byte, i) => (i === 0 ? 0x94 : byte))],
    ["of a shape that no memory holds", npy("'<f8'", [4_294_967_296, 4_294_967_296], new Uint8Array(8))],
    ["of another number of rows", npy("'<i8'", [3], new BigInt64Array(3))],
  ] satisfies [string, Uint8Array][])
    it(`${what} are refused by their name`, async () => {
      const path = await archive({ x: X, y: Y, zz: bytes });
      await rejectsCode(readWhole(`${path}?label=y`), "DATASET_MALFORMED", { column: "zz" });
    });

  it("are refused in archives that are empty, cut off or hold no rows", async () => {
    const whole = zipSync({ "x.npy": X });
    const promise = Uint8Array.from(whole);
    // The directory promises less than the array's header does, and then more than any data may have.
    const entry = Buffer.from(whole).lastIndexOf(Uint8Array.of(0x50, 0x4b, 1, 2));
    const sized = (size: number): Uint8Array => {
      new DataView(promise.buffer).setUint32(entry + 24, size, true);
      return promise.slice();
    };
    for (const [name, bytes, code] of [
      ["empty.npz", new Uint8Array(), "DATASET_EMPTY"],
      ["nothing.npz", zipSync({}), "DATASET_EMPTY"],
      ["cut.npz", whole.subarray(0, whole.length - 30), "DATASET_MALFORMED"],
      ["less.npz", sized(X.length - 4), "DATASET_MALFORMED"],
      ["more.npz", sized(0xfffffffe), "DATASET_TOO_LARGE"],
      ["bit.npz", withFlippedBit(zipSync({ "x.npy": X, "y.npy": Y }, { level: 0 }), X), "DATASET_MALFORMED"],
      ["twice.npz", renamed(zipSync({ "x.npy": X, "y.npy": X }), "y.npy", "x.npy"), "DATASET_MALFORMED"],
      ["rows.npz", zipSync({ "x.npy": npy("'<f4'", [0, 3], new Uint8Array()) }), "DATASET_EMPTY"],
    ] satisfies [string, Uint8Array, ErrorCode][])
      await rejectsCode(readWhole(`${await folder.file(name, bytes)}?label=y`), code);
    await rejectsCode(readWhole(`${await archive({ x: X, y: Y })}?label=z`), "DATASET_COLUMN_ABSENT");
  });

  it("are refused for their names before their archive is unpacked", async () => {
    // Whoever unpacked X would find it broken.
    const broken = withFlippedBit(zipSync({ "X.npy": X, "y.npy": Y }, { level: 0 }), X);
    const path = await folder.file("broken.npz", broken);
    await rejectsCode(loadDataset(path), "DATASET_LABEL_UNNAMED");
    await assert.rejects(loadDataset(path), /such as label=y/);
    await rejectsCode(loadDataset(`${path}?label=y`), "DATASET_MALFORMED");
  });
});
