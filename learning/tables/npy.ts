/** The `.npy` format of NumPy: a header in Python's notation, then the values of one array (NEP 1). */
import { sizeOf } from "../shape.ts";
import { refusal } from "./table.ts";
import type { Cell } from "./table.ts";

export interface NumpyArray {
  readonly shape: readonly number[];
  /** The value at a place in the file's own order. */
  valueAt(index: number): Cell;
  /** Whether the first index runs fastest in the file, and not the last. */
  readonly isFortran: boolean;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_RANK = 8;
const HEADER = /^\{'descr': ?(.+), ?'fortran_order': ?(True|False), ?'shape': ?\(([\d, ]*)\),? ?\} *\n?$/;
const KIND = /^'([<>|=])([biufU])(\d{1,4})'$/;
const REMEDY = "write it with numpy.save from an array of numbers, truth values or words (U)";

/** An array whose header was read, and whose values may be elsewhere. */
export interface NumpyHeader extends Pick<NumpyArray, "shape" | "isFortran"> {
  /** @param bytes the whole file, header included */
  array(bytes: Uint8Array): NumpyArray;
}

/** @param name of the array within the file, for messages. @throws DATASET_MALFORMED */
export function parseNpy(bytes: Uint8Array, path: string, name?: string): NumpyArray {
  return parseNpyHeader(bytes, bytes.length, path, name).array(bytes);
}

/**
 * @param head the file's first bytes, its header at least
 * @param size of the file in bytes
 * @throws DATASET_MALFORMED
 */
export function parseNpyHeader(head: Uint8Array, size: number, path: string, name?: string): NumpyHeader {
  const malformed = (problem: string): Error =>
    refusal("DATASET_MALFORMED", { path, ...(name === undefined ? {} : { column: name }) }, problem, REMEDY);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = head[6] ?? 0;
  const start = version === 1 ? 10 : 12;
  if (MAGIC.some((byte, i) => head[i] !== byte) || version < 1 || version > 3 || head.length < start)
    throw malformed("it does not begin as NumPy's arrays do");
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (head.length < end) throw malformed("it ends within its header");
  const text = new TextDecoder().decode(head.subarray(start, end));
  const [, description = "", order, sides = ""] = HEADER.exec(text) ?? [];
  if (order === undefined) throw malformed("its header is not as NumPy writes it");
  const shape = sides
    .split(",")
    .filter((side) => side.trim() !== "")
    .map(Number);
  const kind = KIND.exec(description);
  if (kind === null)
    throw malformed(
      description.includes("O")
        ? "it is an array of objects, pickled, which is a program and not data"
        : `its values are of the type ${description}, which is not read`,
    );
  const width = readerOf(view, kind)?.[0];
  if (width === undefined) throw malformed(`its values are of the type ${description}, which is not read`);
  if (shape.length > MAX_RANK || !Number.isSafeInteger(sizeOf(shape) * width))
    throw malformed("its shape is too large");
  if (size !== end + sizeOf(shape) * width)
    throw malformed(`its header promises ${sizeOf(shape) * width} bytes of values, it has ${size - end}`);
  const isFortran = order === "True";
  const array = (bytes: Uint8Array): NumpyArray => {
    const read = readerOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), kind)![1];
    return { shape, isFortran, valueAt: (index) => read(end + index * width) };
  };
  return { shape, isFortran, array };
}

/** Bytes of a value, and how it is read at a place; undefined for a type that is not read. */
function readerOf(
  view: DataView,
  [, mark, kind, width]: RegExpExecArray,
): readonly [size: number, read: (at: number) => Cell] | undefined {
  const isLittle = mark !== ">";
  const whole = (value: bigint): Cell => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value));
  switch (`${kind}${width}`) {
    case "b1":
      return [1, (at) => String(view.getUint8(at) !== 0)];
    case "i1":
      return [1, (at) => view.getInt8(at)];
    case "u1":
      return [1, (at) => view.getUint8(at)];
    case "i2":
      return [2, (at) => view.getInt16(at, isLittle)];
    case "u2":
      return [2, (at) => view.getUint16(at, isLittle)];
    case "i4":
      return [4, (at) => view.getInt32(at, isLittle)];
    case "u4":
      return [4, (at) => view.getUint32(at, isLittle)];
    case "i8":
      return [8, (at) => whole(view.getBigInt64(at, isLittle))];
    case "u8":
      return [8, (at) => whole(view.getBigUint64(at, isLittle))];
    case "f2":
      return [2, (at) => halfFrom(view.getUint16(at, isLittle))];
    case "f4":
      return [4, (at) => view.getFloat32(at, isLittle)];
    case "f8":
      return [8, (at) => view.getFloat64(at, isLittle)];
  }
  if (kind !== "U") return undefined;
  // Four bytes for each character, and zeros after the last one.
  const characters = Number(width);
  const textAt = (at: number): string => {
    let text = "";
    for (let i = 0; i < characters; i++) {
      const point = view.getUint32(at + 4 * i, isLittle);
      if (point === 0) break;
      text += String.fromCodePoint(Math.min(point, 0x10ffff));
    }
    return text;
  };
  return [4 * characters, textAt];
}

/** A float of 16 bits (IEEE 754 binary16), which Node has no view for. */
function halfFrom(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
