/** Groth16 proofs of a full witness: snarkjs's prover on the split key. */
import { groth16 } from "snarkjs";
import { SCALAR_BYTES, writeScalar } from "../curve/bn254.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import { readSnarkjsG1, readSnarkjsG2 } from "../../protocol/snarkjs-key.ts";
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
  const { proof, publicSignals } = await groth16.prove({ type: "mem", data: zkey }, { type: "mem", data: encodeWitnessFile(witness) });
  return {
    a: readSnarkjsG1(proof.pi_a),
    b: readSnarkjsG2(proof.pi_b),
    c: readSnarkjsG1(proof.pi_c),
    publicSignals: publicSignals.map(BigInt),
  };
}

/** The .wtns container around a witness. */
export function encodeWitnessFile(witness: Uint8Array): Uint8Array {
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
