/** What a ZIP archive's directory says of its files (PKWARE's APPNOTE 4.3.7, 4.3.12 and 4.3.16). */

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** What stands where a size needs 64 bits. */
const SIZE_ELSEWHERE = 0xffffffff;
const MAX_COMMENT_BYTES = 0xffff;

export interface ZipEntry {
  readonly name: string;
  /** CRC-32 of the content. */
  readonly checksum: number;
  /** Bytes of the content, as the directory promises. */
  readonly size: number;
  /** The content as it lies in the archive: as it is, or deflated. */
  readonly packed: Uint8Array;
  readonly isDeflated: boolean;
}

/** In the order of the directory. @throws Error for bytes that are no archive, or have a directory that is cut off */
export function zipEntries(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY) throw new Error("its directory is cut off");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
      view.getUint16(at + offset, true),
    ) as [number, number, number];
    const start = at + ENTRY_BYTES;
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(start, start + nameLength)),
      checksum: view.getUint32(at + 16, true),
      size: view.getUint32(at + 24, true),
      ...contentAt(bytes, view, at),
    });
    at = start + nameLength + extraLength + commentLength;
  }
  return entries;
}

/** @param at of the entry in the directory */
function contentAt(bytes: Uint8Array, view: DataView, at: number): Pick<ZipEntry, "packed" | "isDeflated"> {
  const method = view.getUint16(at + 10, true);
  const length = view.getUint32(at + 20, true);
  const local = view.getUint32(at + 42, true);
  if (method !== 0 && method !== 8) throw new Error(`its compression method ${method} is not read`);
  if (view.getUint32(at + 24, true) === SIZE_ELSEWHERE) throw new Error("it holds a file of 4 GiB or more");
  if (local + LOCAL_BYTES > bytes.length || view.getUint32(local, true) !== LOCAL)
    throw new Error("its directory points to no file");
  const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + length > bytes.length) throw new Error("a file in it is cut off");
  return { packed: bytes.subarray(start, start + length), isDeflated: method === 8 };
}

function endOf(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--)
    if (view.getUint32(at, true) === END) return at;
  throw new Error("it has no directory");
}
