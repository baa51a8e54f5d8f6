/**
 * Proofs that whoever multiplied a point knows the factor: Schnorr's in G2, made non-interactive by a hash of all that
 * the contribution is bound to, as Nikolaenko, Ragsdale, Bonneau and Boneh do for powers of tau (ePrint
 * 2022/1592, section 3).
 */
import { createHash } from "node:crypto";
import type { WasmCurve } from "ffjavascript";
import { toField } from "../../protocol/field.ts";
import { g2Json } from "../../protocol/key-json.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { multiplyG2 } from "../../protocol/points.ts";
import type { G2 } from "../../protocol/points.ts";
import { g2ToEngine } from "../curve/bn254.ts";
import { SETUP_FORMAT } from "./transcript.ts";
import type { FactorProof, SecretName } from "./transcript.ts";

/** What a proof is good for, and for nothing else. */
export interface FactorStatement {
  /** Digest of the transcript's last file. */
  readonly previous: string;
  readonly index: number;
  readonly contributor: string;
  readonly kind: string;
  readonly secret: SecretName;
  readonly before: G2;
  readonly after: G2;
}

/** @param nonce uniform, used once, secret */
export function proveFactor(statement: FactorStatement, factor: bigint, nonce: bigint): FactorProof {
  const commitment = multiplyG2(statement.before, nonce);
  return { commitment, response: toField(nonce + challengeOf(statement, commitment) * factor) };
}

/** response·before = commitment + challenge·after, for points of the group. */
export function factorProofHolds(
  curve: WasmCurve,
  statement: FactorStatement,
  { commitment, response }: FactorProof,
): boolean {
  if (response >= FIELD_ORDER) return false;
  const { G2 } = curve;
  const times = (point: G2, scalar: bigint): Uint8Array => G2.timesScalar(g2ToEngine(curve, point), scalar);
  const right = G2.add(times(statement.after, challengeOf(statement, commitment)), g2ToEngine(curve, commitment));
  return G2.eq(times(statement.before, response), right);
}

function challengeOf(statement: FactorStatement, commitment: G2): bigint {
  const { previous, index, contributor, kind, secret, before, after } = statement;
  return hashToField([
    "factor",
    previous,
    index,
    contributor,
    kind,
    secret,
    g2Json(before),
    g2Json(after),
    g2Json(commitment),
  ]);
}

/** SHA-512 of the list as JSON, reduced: 2^-258 from uniform. */
export function hashToField(parts: readonly unknown[]): bigint {
  const digest = createHash("sha512")
    .update(JSON.stringify([SETUP_FORMAT, ...parts]))
    .digest("hex");
  return BigInt(`0x${digest}`) % FIELD_ORDER;
}
