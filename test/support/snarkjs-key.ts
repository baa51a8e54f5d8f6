/** Verification keys and proofs of other projects in snarkjs's JSON form. For tests only. */
import { VerisumError } from "../../protocol/errors.ts";
import type { Groth16Key } from "../../protocol/key-guard.ts";
import type { G1, G2 } from "../../protocol/points.ts";

/**
 * Reads a verification key that snarkjs exported. Points are not checked here; `guardGroth16Key` does that.
 * @throws KEY_ARTIFACT_CORRUPT if it is not a Groth16 key on BN254
 */
export function readSnarkjsKey(json: unknown): Groth16Key {
  const key = json as Readonly<Record<string, unknown>>;
  if (
    typeof json !== "object" ||
    json === null ||
    key["protocol"] !== "groth16" ||
    (key["curve"] !== "bn128" && key["curve"] !== undefined)
  ) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "not a Groth16 verification key on BN254");
  }
  return {
    alpha: readSnarkjsG1(key["vk_alpha_1"]),
    beta: readSnarkjsG2(key["vk_beta_2"]),
    gamma: readSnarkjsG2(key["vk_gamma_2"]),
    delta: readSnarkjsG2(key["vk_delta_2"]),
    publicBases: (key["IC"] as readonly unknown[]).map(readSnarkjsG1),
  };
}

/** A G1 point as [x, y, z] in decimal with z = 1, or z = 0 for infinity. @throws KEY_ARTIFACT_CORRUPT */
export function readSnarkjsG1(json: unknown): G1 {
  const [x, y, z] = strings(json, 3);
  if (z === "0") return { x: 0n, y: 0n };
  if (z !== "1") throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a point is not affine");
  return { x: BigInt(x!), y: BigInt(y!) };
}

/**
 * A G2 point as three pairs of real and imaginary part, z = (1, 0), or (0, 0) for infinity. @throws
 * KEY_ARTIFACT_CORRUPT
 */
export function readSnarkjsG2(json: unknown): G2 {
  const [x, y, z] = (Array.isArray(json) ? json : []).map((pair) => strings(pair, 2));
  if (x === undefined || y === undefined || z === undefined)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a G2 point is malformed");
  if (z[0] === "0" && z[1] === "0") return { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };
  if (z[0] !== "1" || z[1] !== "0") throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a point is not affine");
  return { x: { c0: BigInt(x[0]!), c1: BigInt(x[1]!) }, y: { c0: BigInt(y[0]!), c1: BigInt(y[1]!) } };
}

function strings(json: unknown, length: number): readonly string[] {
  if (
    !Array.isArray(json) ||
    json.length !== length ||
    json.some((item) => typeof item !== "string" || !/^\d+$/.test(item))
  ) {
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a point is not a list of decimal strings");
  }
  return json as readonly string[];
}
