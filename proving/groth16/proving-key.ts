/** A .zkey file unpacked for proving. Nothing here refers to the file's own memory, which can go. */
import { VerisumError } from "../../protocol/errors.ts";
import { G1_BYTES, G2_BYTES } from "../curve/bn254.ts";
import { baseTable } from "../curve/multi-exponentiation.ts";
import type { BaseTable } from "../curve/multi-exponentiation.ts";
import { readSections } from "./binary-file.ts";
import { headerFields, protocolSection, ZKEY_SECTION } from "./zkey.ts";
import type { ZkeyPoints } from "./zkey.ts";

/** Points are the engine's affine bytes. */
export interface ProvingKey {
  readonly wireCount: number;
  readonly publicCount: number;
  readonly domainSize: number;
  readonly alpha1: Uint8Array;
  readonly beta1: Uint8Array;
  readonly beta2: Uint8Array;
  readonly delta1: Uint8Array;
  readonly delta2: Uint8Array;
  /** Entries of A and B in the file's form, in ascending order of rows; without their count. */
  readonly coefficients: Uint8Array;
  readonly a: BaseTable;
  readonly b1: BaseTable;
  readonly b2: BaseTable;
  readonly c: BaseTable;
  readonly h: Uint8Array;
}

/** What a .zkey file says, as views of the file. Points are the engine's affine bytes. */
export interface ZkeyContents extends ZkeyPoints {
  readonly wireCount: number;
  readonly publicCount: number;
  readonly domainSize: number;
  /** Entries of A and B as the file has them, their count before them. */
  readonly coefficients: Uint8Array;
}

/** @throws KEY_ARTIFACT_CORRUPT if it is not a Groth16 key on BN254 */
export function readZkey(zkey: Uint8Array): ZkeyContents {
  const sections = readSections(zkey, "zkey");
  const section = (type: number): Uint8Array => {
    const bytes = sections.get(type);
    if (bytes === undefined) throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the proving key has no section ${type}`);
    return bytes;
  };
  const header = section(ZKEY_SECTION.header);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const numbersEnd = 84;
  // Also what is not read here: another prover is given the same file, and must read the same points in it.
  const isOurs =
    header.length === numbersEnd + 3 * G1_BYTES + 3 * G2_BYTES &&
    startsWith(section(ZKEY_SECTION.protocol), protocolSection()) &&
    startsWith(header, headerFields());
  if (!isOurs) throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the proving key is not one of Groth16 over BN254");
  let at = numbersEnd;
  const take = (size: number): Uint8Array => header.slice(at, (at += size));
  return {
    wireCount: view.getUint32(72, true),
    publicCount: view.getUint32(76, true),
    domainSize: view.getUint32(80, true),
    alpha1: take(G1_BYTES),
    beta1: take(G1_BYTES),
    beta2: take(G2_BYTES),
    gamma2: take(G2_BYTES),
    delta1: take(G1_BYTES),
    delta2: take(G2_BYTES),
    publicBases: section(ZKEY_SECTION.publicBases),
    coefficients: section(ZKEY_SECTION.coefficients),
    a: section(ZKEY_SECTION.a),
    b1: section(ZKEY_SECTION.b1),
    b2: section(ZKEY_SECTION.b2),
    c: section(ZKEY_SECTION.c),
    h: section(ZKEY_SECTION.h),
  };
}

/** Unpacks a key for proving. @throws KEY_ARTIFACT_CORRUPT if it is not a Groth16 key on BN254 */
export function readProvingKey(zkey: Uint8Array): ProvingKey {
  const { wireCount, publicCount, domainSize, alpha1, beta1, beta2, delta1, delta2, ...sections } = readZkey(zkey);
  return {
    wireCount,
    publicCount,
    domainSize,
    alpha1,
    beta1,
    beta2,
    delta1,
    delta2,
    coefficients: shared(sections.coefficients.subarray(4)),
    a: baseTable("G1", sections.a),
    b1: baseTable("G1", sections.b1),
    b2: baseTable("G2", sections.b2),
    c: baseTable("G1", sections.c, publicCount + 1),
    h: sections.h.slice(),
  };
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, k) => bytes[k] === byte);
}

/** A copy in memory that threads read without copying it again. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}
