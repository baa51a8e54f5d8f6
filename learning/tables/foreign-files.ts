/** Files that are no text, or text of another kind, under a name that promises a table. */
import { VerisumError } from "../../protocol/errors.ts";

/** What a file begins with, as bytes or as text, what it is then, and what to do about it. */
const SIGNATURES: readonly (readonly [mark: readonly number[] | RegExp, what: string, remedy: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "a ZIP archive, as Excel's workbooks are", "save the sheet as CSV"],
  [[0xd0, 0xcf, 0x11, 0xe0], "a workbook of an older Excel", "save the sheet as CSV"],
  [[0x42, 0x5a, 0x68], "compressed by bzip2", "unpack it, or compress it by gzip"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "compressed by xz", "unpack it, or compress it by gzip"],
  [[0x28, 0xb5, 0x2f, 0xfd], "compressed by Zstandard", "unpack it, or compress it by gzip"],
  [[0x89, 0x48, 0x44, 0x46], "an HDF5 file", "write its table as CSV or Parquet"],
  [[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "an array of NumPy", "call it .npy"],
  // Columns may have these names: a control character follows where they are marks.
  [/^PAR1(?!\s)\p{Cc}/u, "a Parquet file", "call it .parquet"],
  [/^ARROW1(?!\s)\p{Cc}/u, "an Arrow file", "write it as Parquet"],
  [/^SQLite format 3/, "a SQLite database", "write its table as CSV"],
  [/^version https:\/\/git-lfs/, "a pointer of Git LFS, not the file", "fetch the file with git lfs pull"],
  [/^\s*@relation/i, "an ARFF file", "write its rows as CSV"],
  [/^\s*</, "HTML or XML, as servers answer in place of a file", "download the file again"],
  [/^\s*\{\\rtf/i, "formatted text", "save it as plain text"],
];

const GZIP = [0x1f, 0x8b];

/** Whether it begins as gzip does. */
export function isGzip(head: Uint8Array): boolean {
  return GZIP.every((byte, i) => head[i] === byte);
}

/** @param unpacked what a gzip file holds. @throws DATASET_MALFORMED if that is another one */
export function assertGzippedOnce(unpacked: Uint8Array, path: string): void {
  if (isGzip(unpacked))
    throw new VerisumError("DATASET_MALFORMED", `${path} is gzip in gzip: it was compressed twice; unpack it once`, {
      path,
    });
}

/** Bytes that `assertNotForeign` looks at. */
export const SIGNATURE_BYTES = 32;

/** @param head the first bytes, `SIGNATURE_BYTES` if there are as many. @throws DATASET_MALFORMED saying what it is */
export function assertNotForeign(head: Uint8Array, path: string): void {
  const text = new TextDecoder("latin1").decode(head);
  const found = SIGNATURES.find(([mark]) =>
    mark instanceof RegExp ? mark.test(text) : mark.every((byte, i) => head[i] === byte),
  );
  if (found === undefined) return;
  const [, what, remedy] = found;
  throw new VerisumError("DATASET_MALFORMED", `${path} is ${what}; ${remedy}`, { path });
}
