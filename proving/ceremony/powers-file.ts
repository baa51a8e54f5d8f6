/**
 * Files of powers of tau as snarkjs and the perpetual ceremony publish them (.ptau). Only what a setup takes is read:
 * the values prepared for snarkjs's second phase are derived again from the powers.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { VerisumError } from "../../protocol/errors.ts";
import { BASE_FIELD_ORDER } from "../../protocol/parameters.ts";
import { openUserFile } from "../../storage/user-file.ts";
import { G1_BYTES, G2_BYTES, readScalar } from "../curve/bn254.ts";

/** Why powers are refused: the value of `details.rule`. */
export type PowersRule =
  | "unreadable"
  | "format"
  | "truncated"
  | "too-small"
  | "too-large"
  | "no-contribution"
  | "point-invalid"
  | "powers-inconsistent"
  | "contribution"
  | "beacon"
  | "challenge";

export function powersRefused(rule: PowersRule, why: string, cause?: unknown): VerisumError {
  return new VerisumError("POWERS_REFUSED", `powers of tau refused: ${why} (${rule})`, { rule }, { cause });
}

/** What a file says; points are the engine's affine bytes, unchecked. */
export interface PowersFile {
  /** There are powers of tau below 2^(power+1) − 1 in G1, below 2^power in G2. */
  readonly power: number;
  /** The same of the ceremony, whose result this file may be a part of. */
  readonly ceremonyPower: number;
  readonly tauG1: Uint8Array;
  readonly tauG2: Uint8Array;
  /** alpha·tau^i and beta·tau^i below 2^power. */
  readonly alphaTauG1: Uint8Array;
  readonly betaTauG1: Uint8Array;
  readonly betaG2: Uint8Array;
  /** The record of contributions, as the file has it. */
  readonly contributions: Uint8Array;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
}

const SECTION = { header: 1, tauG1: 2, tauG2: 3, alphaTauG1: 4, betaTauG1: 5, betaG2: 6, contributions: 7 } as const;
const HEADER_BYTES = 44;
/** Powers are held in memory; no task takes as many. */
const MAX_POWER = 21;
/** The perpetual ceremony's record has some 100 KiB. */
const MAX_RECORD_BYTES = 1 << 24;

interface Section {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Reads the powers of a file.
 * @param leastPower what the circuits need, see {@link requirePower}
 * @param reason says which circuit needs it
 * @throws POWERS_REFUSED
 */
export async function readPowersFile(path: string, leastPower: number, reason: string): Promise<PowersFile> {
  const file = await openUserFile(path, (reason, cause) => powersRefused("unreadable", `${path} ${reason}`, cause));
  try {
    const sections = await locateSections(file);
    const header = await readSection(file, sections, SECTION.header, HEADER_BYTES);
    const { power, ceremonyPower } = parseHeader(header);
    requirePower(power, leastPower, reason);
    const [most, count] = [2 ** (power + 1) - 1, 2 ** power];
    return {
      power,
      ceremonyPower,
      tauG1: await readSection(file, sections, SECTION.tauG1, most * G1_BYTES),
      tauG2: await readSection(file, sections, SECTION.tauG2, count * G2_BYTES),
      alphaTauG1: await readSection(file, sections, SECTION.alphaTauG1, count * G1_BYTES),
      betaTauG1: await readSection(file, sections, SECTION.betaTauG1, count * G1_BYTES),
      betaG2: await readSection(file, sections, SECTION.betaG2, G2_BYTES),
      contributions: await readSection(file, sections, SECTION.contributions),
      sha256: await sha256OfFile(path),
    };
  } finally {
    await file.close();
  }
}

function parseHeader(header: Uint8Array): { readonly power: number; readonly ceremonyPower: number } {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== 32 || readScalar(view, 4) !== BASE_FIELD_ORDER)
    throw powersRefused("format", "the file is not of the curve BN254");
  const [power, ceremonyPower] = [view.getUint32(36, true), view.getUint32(40, true)];
  if (power < 1 || power > ceremonyPower || ceremonyPower > 28)
    throw powersRefused("format", `the file says 2^${power} powers of a ceremony of 2^${ceremonyPower}`);
  return { power, ceremonyPower };
}

function requirePower(power: number, leastPower: number, reason: string): void {
  if (power < leastPower)
    throw powersRefused("too-small", `the file has 2^${power} powers, and ${reason}: take a file of 2^${leastPower}`);
  if (power > MAX_POWER)
    throw powersRefused(
      "too-large",
      `the file has 2^${power} powers, more than this program holds in memory: take the ceremony's file of 2^${leastPower}`,
    );
}

/** Where each section is; the last one ends with the file. */
async function locateSections(file: FileHandle): Promise<ReadonlyMap<number, Section>> {
  const { size } = await file.stat();
  const start = await readAt(file, 0, 12);
  const view = new DataView(start.buffer);
  if (new TextDecoder().decode(start.subarray(0, 4)) !== "ptau" || view.getUint32(4, true) !== 1)
    throw powersRefused("format", "the file is no .ptau file of version 1");
  const sections = new Map<number, Section>();
  let at = 12;
  for (let left = view.getUint32(8, true); left > 0; left--) {
    const head = new DataView((await readAt(file, at, 12)).buffer);
    const [type, bytes] = [head.getUint32(0, true), Number(head.getBigUint64(4, true))];
    if (sections.has(type)) throw powersRefused("format", `section ${type} repeats`);
    sections.set(type, { at: at + 12, bytes });
    at += 12 + bytes;
    if (at > size) throw powersRefused("truncated", `section ${type} ends after the file`);
  }
  if (at !== size) throw powersRefused("format", "bytes are left after the last section");
  return sections;
}

async function readSection(
  file: FileHandle,
  sections: ReadonlyMap<number, Section>,
  type: number,
  expected?: number,
): Promise<Uint8Array> {
  const section = sections.get(type);
  if (section === undefined) throw powersRefused("truncated", `the file has no section ${type}`);
  const { at, bytes } = section;
  if (bytes !== (expected ?? bytes) || (expected === undefined && bytes > MAX_RECORD_BYTES))
    throw powersRefused("format", `section ${type} has ${bytes} bytes`);
  return readAt(file, at, bytes);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw powersRefused("truncated", "the file ends too early");
    done += bytesRead;
  }
  return bytes;
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
