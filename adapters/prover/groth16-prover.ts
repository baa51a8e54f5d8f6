/** Groth16 proofs of a full witness: snarkjs's prover on the split key. */
import { groth16 } from "snarkjs";
import type { SnarkjsProof } from "snarkjs";
import { SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import { writeSections } from "./binary-file.ts";

/** A, B and C of a proof with its public signals in order. */
export interface ProvedWitness {
  readonly a: G1;
  readonly b: G2;
  readonly c: G1;
  readonly publicSignals: readonly bigint[];
}

/**
 * Proves a witness. It is not checked here: an unsatisfied witness gives a proof that does not verify.
 * @param zkey proving key with infinity for committed wires
 * @param witness all wires, 32-byte little-endian words
 */
export async function proveWitness(zkey: Uint8Array, witness: Uint8Array): Promise<ProvedWitness> {
  const { proof, publicSignals } = await groth16.prove({ type: "mem", data: zkey }, { type: "mem", data: witnessFile(witness) });
  return { ...proofPoints(proof), publicSignals: publicSignals.map(BigInt) };
}

/** A proof in snarkjs's JSON form as plain points. */
export function proofPoints(proof: SnarkjsProof): { readonly a: G1; readonly b: G2; readonly c: G1 } {
  return { a: snarkjsG1(proof.pi_a), b: snarkjsG2(proof.pi_b), c: snarkjsG1(proof.pi_c) };
}

/** A G1 point in snarkjs's JSON form, projective with z = 1, or (0, 1, 0) for infinity. */
export function snarkjsG1(coordinates: readonly string[]): G1 {
  if (coordinates[2] === "0") return { x: 0n, y: 0n };
  return { x: BigInt(coordinates[0]!), y: BigInt(coordinates[1]!) };
}

/** A G2 point in snarkjs's JSON form: pairs of real and imaginary parts. */
export function snarkjsG2(coordinates: readonly (readonly string[])[]): G2 {
  const pair = (part: readonly string[]): { c0: bigint; c1: bigint } => ({ c0: BigInt(part[0]!), c1: BigInt(part[1]!) });
  if (coordinates[2]?.every((part) => part === "0") === true) return { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };
  return { x: pair(coordinates[0]!), y: pair(coordinates[1]!) };
}

/** The .wtns container around a witness. */
function witnessFile(witness: Uint8Array): Uint8Array {
  const header = new Uint8Array(4 + SCALAR_BYTES + 4);
  const view = new DataView(header.buffer);
  view.setUint32(0, SCALAR_BYTES, true);
  writeScalar(view, 4, FIELD_ORDER);
  view.setUint32(4 + SCALAR_BYTES, witness.length / SCALAR_BYTES, true);
  return writeSections("wtns", [
    [1, header],
    [2, witness],
  ]);
}
