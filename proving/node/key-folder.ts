/** A key folder on disk. */
import { createHash } from "node:crypto";
import path from "node:path";
import { readUserFile, refuseWith } from "../../storage/user-file.ts";
import type { FileDigest, KeyFiles } from "../groth16/manifest.ts";

/** Node reads no longer file in one piece. */
const MOST_KEY_BYTES = 2 ** 31 - 1;

/** The folder's files, each read when it is asked for. @throws KEY_ARTIFACT_CORRUPT where one cannot be read */
export function keyFolder(directory: string): KeyFiles {
  return {
    place: directory,
    read: async (name) => {
      // Not a Buffer, whose slices share its memory: sending one to a thread would copy the whole file.
      const file = path.join(directory, name);
      const refuse = refuseWith("KEY_ARTIFACT_CORRUPT", file, { file: name });
      const { buffer, byteOffset, byteLength } = await readUserFile(file, MOST_KEY_BYTES, refuse);
      return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    },
    sha256: async (bytes) => createHash("sha256").update(bytes).digest(),
  };
}

/** What the manifest says of a file with these bytes. */
export function digestOf(bytes: Uint8Array): FileDigest {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
