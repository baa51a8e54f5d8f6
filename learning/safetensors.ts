/**
 * safetensors: u64 little-endian header length, JSON header, tensors without gaps (huggingface/safetensors, "Format").
 * Written are float32 tensors only, which is what a checkpoint holds; the bytes are a function of the tensors and the
 * metadata. Read are float32 and float64; what else a file holds is listed.
 */
import { VerisumError } from "../protocol/errors.ts";
import { repeatedKey } from "../protocol/repeated-key.ts";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor of another type, which is not read. */
export interface OtherTensor {
  readonly name: string;
  readonly dtype: string;
}

export interface SafetensorsFile {
  readonly tensors: readonly NamedTensor[];
  /** Those of types that this program does not compute with; only where the reader takes them. */
  readonly others: readonly OtherTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_RANK = 16;

/** Bits of one value, by the format's name of its type. */
const BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
};

export interface ReadOptions {
  /** Takes float64 as well, rounded to float32. */
  readonly float64?: boolean;
  /** Lists tensors of other types in place of refusing them. */
  readonly others?: boolean;
}

/**
 * Writes tensors in the given order; the header is padded with spaces to a multiple of 8.
 * @throws SAFETENSORS_INVALID for repeated or reserved names and sizes that do not match; UPDATE_NOT_FINITE
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0)
    entries.push(["__metadata__", Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))]);
  const names = new Set(["__metadata__", "__proto__"]);
  let end = 0;
  for (const { name, shape, data } of tensors) {
    if (names.has(name)) throw invalid(`the name ${name} is repeated or reserved`);
    names.add(name);
    if (elementCount(name, shape) !== data.length)
      throw invalid(`tensor ${name} has ${data.length} values, which is not what its shape says`);
    assertFinite(name, data);
    entries.push([name, { dtype: "F32", shape, data_offsets: [end, end + data.length * 4] }]);
    end += data.length * 4;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  // Integer-like keys would be moved to the front by the JSON object; the offsets still say the order.
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerLength + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerLength);
  bytes.set(json, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerLength;
  for (const { data } of tensors) {
    for (let i = 0; i < data.length; i++, at += 4) view.setFloat32(at, data[i]!, true);
  }
  return bytes;
}

/**
 * Reads a file whole, tensors in the order of their offsets.
 * @throws SAFETENSORS_INVALID for a malformed header, gaps, overlaps, trailing bytes or another dtype than the options
 * allow; MODEL_NOT_FINITE, also for a float64 value that no float32 holds
 */
export function decodeSafetensors(bytes: Uint8Array, options: ReadOptions = {}): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes);
  const metadata = readMetadata(header["__metadata__"]);
  const located = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => readEntry(name, entry))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors: NamedTensor[] = [];
  const others: OtherTensor[] = [];
  let expected = 0;
  for (const { name, dtype, shape, start, end } of located) {
    if (start !== expected) throw invalid(`tensor ${name} starts at ${start}, not at ${expected}`);
    if (dataStart + end > bytes.length) throw invalid(`tensor ${name} ends after the file`);
    expected = end;
    if (dtype === "F32" || (dtype === "F64" && options.float64 === true))
      tensors.push({ name, shape, data: readFloats(name, dtype, view, dataStart + start, end - start) });
    else if (options.others === true) others.push({ name, dtype });
    else
      throw invalid(
        `tensor ${name} has dtype ${dtype}, only F32${options.float64 === true ? " and F64 are" : " is"} supported`,
      );
  }
  if (dataStart + expected !== bytes.length)
    throw invalid(`${bytes.length - dataStart - expected} bytes after the last tensor`);
  return { tensors, others, metadata };
}

function readFloats(name: string, dtype: "F32" | "F64", view: DataView, at: number, byteLength: number): Float32Array {
  const width = BITS[dtype]! / 8;
  const data = new Float32Array(byteLength / width);
  for (let i = 0; i < data.length; i++)
    data[i] = dtype === "F32" ? view.getFloat32(at + i * width, true) : view.getFloat64(at + i * width, true);
  assertFinite(name, data);
  return data;
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) throw invalid("the file ends before its header");
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES) || length > BigInt(bytes.length - LENGTH_BYTES))
    throw invalid(`a header of ${length} bytes is too long`);
  const dataStart = LENGTH_BYTES + Number(length);
  const headerBytes = bytes.subarray(LENGTH_BYTES, dataStart);
  if (headerBytes[0] !== 0x7b) throw invalid("the header does not begin with {");
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(headerBytes);
    header = JSON.parse(text);
    const repeated = repeatedKey(text);
    if (repeated !== undefined) throw invalid(`the header repeats ${repeated}`);
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    throw new VerisumError("SAFETENSORS_INVALID", "the header is not JSON", {}, { cause });
  }
  return { header: header as Record<string, unknown>, dataStart };
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isPlainObject(value) || Object.values(value).some((item) => typeof item !== "string"))
    throw invalid("__metadata__ is not a map of strings");
  return value as Record<string, string>;
}

function readEntry(
  name: string,
  entry: unknown,
): { name: string; dtype: string; shape: number[]; start: number; end: number } {
  if (!isPlainObject(entry) || Object.keys(entry).sort().join() !== "data_offsets,dtype,shape")
    throw invalid(`the entry of ${name} is malformed`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const bits = typeof dtype === "string" && Object.hasOwn(BITS, dtype) ? BITS[dtype] : undefined;
  if (typeof dtype !== "string" || bits === undefined)
    throw invalid(`tensor ${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) throw invalid(`the entry of ${name} is malformed`);
  const [start, end] = offsets as [number, number];
  if ((elementCount(name, shape) * bits) / 8 !== end - start)
    throw invalid(`the offsets of ${name} do not fit its shape`);
  return { name, dtype, shape, start, end };
}

function elementCount(name: string, shape: readonly number[]): number {
  const count = shape.reduce((product, side) => product * side, 1);
  if (shape.length > MAX_RANK || !isSizes(shape) || !Number.isSafeInteger(count * 8))
    throw invalid(`the shape of ${name} is out of range`);
  return count;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function assertFinite(name: string, data: Float32Array): void {
  const index = data.findIndex((value) => !Number.isFinite(value));
  if (index >= 0)
    throw new VerisumError("MODEL_NOT_FINITE", `value ${index} of tensor ${name} is not finite`, { name, index });
}

function invalid(message: string): VerisumError {
  return new VerisumError("SAFETENSORS_INVALID", message);
}
