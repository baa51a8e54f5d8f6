/** The list of a key folder's files with their digests: what makes a downloaded or cached key folder trustworthy. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import type { PresetName } from "../../protocol/parameters.ts";

/** Changes with the files' formats or the way keys are made; part of the folder's name. */
export const KEY_FORMAT = "verisum-keys/2";
export const MANIFEST_FILE = "manifest.json";
export const VERIFICATION_KEYS_FILE = "verification-keys.json";
export const POWERS_FILE = "powers.bin";

/** Shown wherever keys made by `setup dev` are used. */
export const INSECURE_NOTICE =
  "INSECURE development keys: whoever made them can forge any proof. Never use them for a real task.";

export interface FileDigest {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** One chunk kind's files, by name within the folder. */
export interface ManifestKind {
  readonly name: string;
  readonly circuitHash: string;
  readonly zkey: string;
  readonly wireBases: string;
  readonly witnessProgram: string;
}

export interface Manifest {
  readonly format: typeof KEY_FORMAT;
  readonly preset: PresetName;
  /** True for keys of `setup dev`. */
  readonly insecure: boolean;
  /** The text to show with the keys; empty if they are not insecure. */
  readonly notice: string;
  /** Elements of the longest vector that the powers commit to. */
  readonly powers: number;
  readonly kinds: readonly ManifestKind[];
  readonly files: Readonly<Record<string, FileDigest>>;
}

export function digestOf(bytes: Uint8Array): FileDigest {
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** @throws KEY_ARTIFACT_CORRUPT if the manifest is missing or malformed */
export async function readManifest(directory: string): Promise<Manifest> {
  const file = path.join(directory, MANIFEST_FILE);
  try {
    const manifest = JSON.parse(await readFile(file, "utf8")) as Manifest;
    if (manifest.format === KEY_FORMAT && Array.isArray(manifest.kinds) && typeof manifest.files === "object")
      return manifest;
  } catch (cause) {
    throw new VerisumError(
      "KEY_ARTIFACT_CORRUPT",
      `no readable key manifest at ${file}`,
      { file: MANIFEST_FILE },
      { cause },
    );
  }
  throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the key manifest is not of format ${KEY_FORMAT}`, {
    file: MANIFEST_FILE,
  });
}

/**
 * The contents of one file of the folder.
 * @throws KEY_ARTIFACT_CORRUPT if it is missing, not listed, or not the file that the manifest names
 */
export async function readListedFile(directory: string, manifest: Manifest, name: string): Promise<Uint8Array> {
  const expected = manifest.files[name];
  if (expected === undefined || path.basename(name) !== name)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the manifest does not list ${name}`, { file: name });
  let bytes: Uint8Array;
  try {
    // Not a Buffer, whose slices share its memory: sending one to a thread would copy the whole file.
    const { buffer, byteOffset, byteLength } = await readFile(path.join(directory, name));
    bytes = new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `key file ${name} cannot be read`, { file: name }, { cause });
  }
  const actual = digestOf(bytes);
  if (actual.bytes !== expected.bytes || actual.sha256 !== expected.sha256) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `key file ${name} is not the one in the manifest`, {
      file: name,
      expected: expected.sha256,
      actual: actual.sha256,
    });
  }
  return bytes;
}
