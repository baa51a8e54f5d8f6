/** The list of a key folder's files with their digests: what makes a downloaded or cached key folder trustworthy. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { VerisumError } from "../../protocol/errors.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import type { PresetName } from "../../protocol/parameters.ts";
import type { Files, Sha256 } from "../../protocol/ports.ts";
import { strictJson } from "../../protocol/strict-json.ts";

/** Changes with the files' formats or the way keys are made; part of the folder's name. */
export const KEY_FORMAT = "verisum-keys/3";
export const MANIFEST_FILE = "manifest.json";
export const VERIFICATION_KEYS_FILE = "verification-keys.json";
export const POWERS_FILE = "powers.bin";

/** Said wherever keys are used that no ceremony made. */
export const DEVELOPMENT_NOTICE = "keys for development: one machine knew every secret, and can forge proofs";

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
  /** The circuit's constraint system, .r1cs. */
  readonly constraints: string;
}

/** The ceremony that made a folder's keys, as whoever wrote the folder claims. */
export interface ClaimedSetup {
  /** CID of the directory with the ceremony's transcript. */
  readonly transcript: string;
  /** Names of the contributors, in order. */
  readonly contributors: readonly string[];
}

export interface Manifest {
  readonly format: typeof KEY_FORMAT;
  readonly preset: PresetName;
  /** True for keys of `setup dev`. */
  readonly insecure: boolean;
  /** The text to show with the keys; empty if they are not insecure. */
  readonly notice: string;
  /** Absent for keys of one machine, which knew every secret. */
  readonly setup?: ClaimedSetup | undefined;
  /** Elements of the longest vector that the powers commit to. */
  readonly powers: number;
  readonly kinds: readonly ManifestKind[];
  readonly files: Readonly<Record<string, FileDigest>>;
}

/** Names are printed wherever the keys appear: letters, digits and some punctuation. */
export const contributorName = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} .,&'@()+_-]{0,79}$/u)
  .refine((name) => name === name.normalize("NFC").trim() && !/ {2}/.test(name));

/** Names of one kind's files. */
export function kindFiles(name: string): Omit<ManifestKind, "name" | "circuitHash"> {
  return {
    zkey: `${name}.zkey`,
    wireBases: `${name}.wires`,
    witnessProgram: `${name}.witness`,
    constraints: `${name}.r1cs`,
  };
}

const fileDigestSchema = z.strictObject({ bytes: z.number(), sha256: z.string() });
const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  format: z.literal(KEY_FORMAT),
  preset: z.enum(Object.keys(PRESETS) as PresetName[]),
  insecure: z.boolean(),
  notice: z.string(),
  setup: z
    .strictObject({ transcript: z.string().max(128), contributors: z.array(contributorName).min(1).max(256) })
    .optional(),
  powers: z.number(),
  kinds: z.array(
    z.strictObject({
      name: z.string(),
      circuitHash: z.string(),
      zkey: z.string(),
      wireBases: z.string(),
      witnessProgram: z.string(),
      constraints: z.string(),
    }),
  ),
  files: z.record(z.string(), fileDigestSchema),
});

/** A key folder, wherever it is. */
export interface KeyFiles extends Files {
  /** Where it is, for messages. */
  readonly place: string;
  readonly sha256: Sha256;
}

/** True for a name inside one folder: no separator, no "." or "..". */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(name);
}

/** @throws KEY_ARTIFACT_CORRUPT if the manifest is missing or malformed; whoever wrote it is a stranger */
export async function readManifest(folder: KeyFiles): Promise<Manifest> {
  try {
    return manifestSchema.parse(strictJson(await folder.read(MANIFEST_FILE)));
  } catch (cause) {
    throw new VerisumError(
      "KEY_ARTIFACT_CORRUPT",
      `no readable key manifest of format ${KEY_FORMAT} in ${folder.place}${cause instanceof SyntaxError ? `: ${cause.message}` : ""}`,
      { file: MANIFEST_FILE },
      { cause },
    );
  }
}

/**
 * The contents of one file of the folder.
 * @throws KEY_ARTIFACT_CORRUPT if it is missing, not listed, or not the file that the manifest names
 */
export async function readListedFile(folder: KeyFiles, manifest: Manifest, name: string): Promise<Uint8Array> {
  const expected = Object.hasOwn(manifest.files, name) ? manifest.files[name] : undefined;
  if (expected === undefined || !isPlainName(name))
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the manifest does not list ${name}`, { file: name });
  const bytes = await folder.read(name).catch((cause: unknown) => {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `key file ${name} cannot be read`, { file: name }, { cause });
  });
  const actual = bytesToHex(await folder.sha256(bytes));
  if (bytes.length !== expected.bytes || actual !== expected.sha256) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `key file ${name} is not the one in the manifest`, {
      file: name,
      expected: expected.sha256,
      actual,
    });
  }
  return bytes;
}
