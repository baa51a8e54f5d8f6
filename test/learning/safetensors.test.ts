import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { decodeSafetensors, encodeSafetensors } from "../../learning/safetensors.ts";
import type { NamedTensor } from "../../learning/safetensors.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";

const TENSORS: NamedTensor[] = [
  { name: "b", shape: [2, 2], data: Float32Array.of(1, -0, 1e-42, 3.5) },
  { name: "a", shape: [], data: Float32Array.of(7) },
  { name: "empty", shape: [0, 3], data: new Float32Array(0) },
];

/** A file with this header (as text) and this many bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype = "F32"): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe("safetensors", () => {
  it("reads back what it writes, in order, with metadata", () => {
    assert.deepEqual(decodeSafetensors(encodeSafetensors(TENSORS, { format: "verisum", a: "1" })), {
      tensors: TENSORS,
      others: [],
      metadata: { a: "1", format: "verisum" },
    });
  });

  it("round-trips any finite tensors", () => {
    const tensor = fc.tuple(
      fc.string({ minLength: 1 }),
      fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 20 }),
    );
    check(fc.uniqueArray(tensor, { selector: ([name]) => name, maxLength: 5 }), (items) => {
      const tensors = items
        .filter(([name]) => !name.startsWith("__"))
        .map(([name, data]) => ({ name, shape: [data.length], data }));
      const decoded = decodeSafetensors(encodeSafetensors(tensors)).tensors;
      const byName = (list: readonly NamedTensor[]): NamedTensor[] =>
        [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.deepEqual(byName(decoded), byName(tensors));
    });
  });

  it("writes the documented bytes", () => {
    const bytes = encodeSafetensors([{ name: "w", shape: [1], data: Float32Array.of(1) }]);
    const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    assert.deepEqual(
      bytes,
      Uint8Array.of(56, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header.padEnd(56)), 0, 0, 0x80, 0x3f),
    );
  });

  it("does not depend on the order of the metadata, nor on where the bytes lie in memory", () => {
    const bytes = encodeSafetensors(TENSORS, { b: "2", a: "1" });
    assert.deepEqual(bytes, encodeSafetensors(TENSORS, { a: "1", b: "2" }));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    assert.deepEqual(decodeSafetensors(shifted.subarray(3)).tensors, TENSORS);
  });

  for (const [name, bytes] of Object.entries({
    "no bytes": new Uint8Array(0),
    "a length and nothing else": Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0),
    "a header length of 2^64 − 1": new Uint8Array(100).fill(255),
    "a header that is not JSON": file("{oops}", 0),
    "a header that is a list": file("[]", 0),
    "leading spaces": file(" {}", 0),
    "trailing bytes": file(`{"w":${entry(0, 4)}}`, 5),
    "missing bytes": file(`{"w":${entry(0, 8)}}`, 4),
    "a gap": file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12),
    "a gap before the first tensor": file(`{"a":${entry(4, 8)}}`, 8),
    "an overlap": file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12),
    "offsets the wrong way round": file(`{"a":${entry(4, 0, [1])}}`, 4),
    "another type": file(`{"w":${entry(0, 4, [1], "I32")}}`, 4),
    "a shape that does not fit": file(`{"w":${entry(0, 8, [3])}}`, 8),
    "a negative side": file(`{"w":${entry(0, 4, [-1, -1])}}`, 4),
    "a fractional side": file(`{"w":${entry(0, 4, [0.5, 2])}}`, 4),
    "a shape of 2^80 values": file(`{"w":${entry(0, 4, [2 ** 40, 2 ** 40])}}`, 4),
    "an entry with more fields": file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', 4),
    "an entry that is null": file('{"w":null}', 0),
    "metadata that is not a map of strings": file('{"__metadata__":{"a":1}}', 0),
    "one name twice": file(`{"w":${entry(0, 4)},"w":${entry(0, 4)}}`, 4),
    "one name twice, once escaped": file(`{"w":${entry(0, 4)},"\\u0077":${entry(0, 4)}}`, 4),
  })) {
    it(`refuses ${name}`, () => throwsCode(() => decodeSafetensors(bytes), "SAFETENSORS_INVALID"));
  }

  it("refuses every truncation", () => {
    const bytes = encodeSafetensors(TENSORS, { format: "verisum" });
    for (let length = 0; length < bytes.length; length++)
      throwsCode(() => decodeSafetensors(bytes.subarray(0, length)), "SAFETENSORS_INVALID");
  });

  it("refuses values that are not finite, both ways", () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      throwsCode(
        () => encodeSafetensors([{ name: "w", shape: [1], data: Float32Array.of(value) }]),
        "MODEL_NOT_FINITE",
      );
      const bytes = file(`{"w":${entry(0, 4)}}`, 4);
      new DataView(bytes.buffer).setFloat32(bytes.length - 4, value, true);
      throwsCode(() => decodeSafetensors(bytes), "MODEL_NOT_FINITE");
    }
  });

  it("refuses to write repeated or reserved names and sizes that do not match", () => {
    const tensor = { name: "w", shape: [1], data: Float32Array.of(1) };
    for (const tensors of [
      [tensor, tensor],
      [{ ...tensor, name: "__metadata__" }],
      [{ ...tensor, name: "__proto__" }],
      [{ ...tensor, shape: [2] }],
      [{ ...tensor, shape: [-1] }],
    ]) {
      throwsCode(() => encodeSafetensors(tensors), "SAFETENSORS_INVALID");
    }
  });
});
