/** A key folder on disk. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { FileDigest, KeyFiles } from "../groth16/manifest.ts";

/** The folder's files, each read when it is asked for. */
export function keyFolder(directory: string): KeyFiles {
  return {
    place: directory,
    read: async (name) => {
      // Not a Buffer, whose slices share its memory: sending one to a thread would copy the whole file.
      const { buffer, byteOffset, byteLength } = await readFile(path.join(directory, name));
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    sha256: async (bytes) => createHash("sha256").update(bytes).digest(),
  };
}

/** What the manifest says of a file with these bytes. */
export function digestOf(bytes: Uint8Array): FileDigest {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
