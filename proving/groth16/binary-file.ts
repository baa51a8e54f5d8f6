/**
 * The sectioned binary container of .r1cs and .zkey files: magic, version, count, then (type, 64-bit length, bytes).
 */
import { VerisumError } from "../../protocol/errors.ts";

const HEADER_BYTES = 12;
const SECTION_HEADER_BYTES = 12;

/**
 * The sections by type, as views of `bytes`.
 * @throws KEY_ARTIFACT_CORRUPT if the container is malformed or a section repeats
 */
export function readSections(bytes: Uint8Array, magic: string): Map<number, Uint8Array> {
  const corrupt = (reason: string): VerisumError =>
    new VerisumError("KEY_ARTIFACT_CORRUPT", `not a ${magic} file: ${reason}`);
  if (bytes.length < HEADER_BYTES || new TextDecoder().decode(bytes.subarray(0, 4)) !== magic)
    throw corrupt("wrong magic");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(4, true) !== 1) throw corrupt("unknown version");
  const sections = new Map<number, Uint8Array>();
  let at = HEADER_BYTES;
  for (let k = view.getUint32(8, true); k > 0; k--) {
    if (at + SECTION_HEADER_BYTES > bytes.length) throw corrupt("truncated");
    const type = view.getUint32(at, true);
    const length = Number(view.getBigUint64(at + 4, true));
    at += SECTION_HEADER_BYTES;
    if (at + length > bytes.length) throw corrupt("truncated");
    if (sections.has(type)) throw corrupt("a section repeats");
    sections.set(type, bytes.subarray(at, at + length));
    at += length;
  }
  if (at !== bytes.length) throw corrupt("trailing bytes");
  return sections;
}

/** A container with the given sections in order. */
export function writeSections(
  magic: string,
  sections: readonly (readonly [type: number, bytes: Uint8Array])[],
): Uint8Array {
  const total = sections.reduce((sum, [, bytes]) => sum + SECTION_HEADER_BYTES + bytes.length, HEADER_BYTES);
  const result = new Uint8Array(total);
  const view = new DataView(result.buffer);
  result.set(new TextEncoder().encode(magic));
  view.setUint32(4, 1, true);
  view.setUint32(8, sections.length, true);
  let at = HEADER_BYTES;
  for (const [type, bytes] of sections) {
    view.setUint32(at, type, true);
    view.setBigUint64(at + 4, BigInt(bytes.length), true);
    result.set(bytes, at + SECTION_HEADER_BYTES);
    at += SECTION_HEADER_BYTES + bytes.length;
  }
  return result;
}
