/** Groth16 proofs of a full witness on a key with a committed block of wires (Groth, ePrint 2016/260). */
import { readScalar, SCALAR_BYTES, g1FromEngine, g2FromEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { multiExponentiation, sparseMultiExponentiation } from "../curve/multi-exponentiation.ts";
import type { PointAdder } from "../curve/point-adder.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { multiply, randomElements, toField } from "../../protocol/field.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ProvingKey } from "./proving-key.ts";
import { quotientScalars } from "./quotient.ts";

/** A, B and C of a proof with its public signals in order. */
export interface ProvedWitness {
  readonly a: G1;
  readonly b: G2;
  readonly c: G1;
  readonly publicSignals: readonly bigint[];
}

/**
 * Proves a witness. It is not checked here: an unsatisfied witness gives a proof that does not verify.
 *
 * @param key infinity stands for committed wires in its C section
 * @param witness all wires, 32-byte little-endian words
 * @param random blinds the proof; must be a CSPRNG for zero knowledge
 * @throws KEY_ARTIFACT_CORRUPT if the witness is not of the key's circuit
 */
export async function proveWitness(
  curve: Curve,
  adder: PointAdder,
  key: ProvingKey,
  witness: Uint8Array,
  random: RandomBytes,
): Promise<ProvedWitness> {
  if (witness.length !== key.wireCount * SCALAR_BYTES)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the witness belongs to another circuit than the proving key");
  const { G1: g1, G2: g2 } = curve;
  const [r, s] = randomElements(2, random) as [bigint, bigint];
  const [sumB2, sumB1, sumA, sumC, sumH] = await Promise.all([
    sparseMultiExponentiation(curve, key.b2, witness),
    sparseMultiExponentiation(curve, key.b1, witness),
    sparseMultiExponentiation(curve, key.a, witness, adder),
    sparseMultiExponentiation(curve, key.c, witness, adder),
    quotientScalars(curve, key, witness).then((scalars) => multiExponentiation(curve, key.h, scalars)),
  ]);
  const a = g1.add(g1.add(sumA, key.alpha1), g1.timesScalar(key.delta1, r));
  const b2 = g2.add(g2.add(sumB2, key.beta2), g2.timesScalar(key.delta2, s));
  const b1 = g1.add(g1.add(sumB1, key.beta1), g1.timesScalar(key.delta1, s));
  const blinding = g1.add(
    g1.add(g1.timesScalar(a, s), g1.timesScalar(b1, r)),
    g1.timesScalar(key.delta1, toField(-multiply(r, s))),
  );
  const c = g1.add(g1.add(sumC, sumH), blinding);
  const words = new DataView(witness.buffer, witness.byteOffset, witness.byteLength);
  return {
    a: g1FromEngine(curve, a),
    b: g2FromEngine(curve, b2),
    c: g1FromEngine(curve, c),
    publicSignals: Array.from({ length: key.publicCount }, (_, i) => readScalar(words, (i + 1) * SCALAR_BYTES)),
  };
}
