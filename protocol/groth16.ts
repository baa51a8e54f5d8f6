/** Verification of Groth16 proofs whose key has one committed block of wires (docs/protocol.md, section 5). */
import { FIELD_ORDER } from "./parameters.ts";
import { addG1, G2_GENERATOR, negateG1, pairingProductIsOne, weightedSumG1 } from "./points.ts";
import type { G1, G2 } from "./points.ts";
import type { ChunkChallenge, ChunkProofPoints } from "./ports.ts";
import type { VerificationKeys } from "./verification-key.ts";

/** Poseidon(0, 0): the first chunk's hPrevious. */
export const FIRST_ACCUMULATOR_HASH = 0x2098f5fb9e239eab3ceac3f27b81e481dc3124d55ffed523a839ee8446b64864n;

/** The public inputs of one chunk that the verifier supplies. */
export interface ChunkInputs extends ChunkChallenge {
  /** The previous chunk's h, or FIRST_ACCUMULATOR_HASH. */
  readonly hPrevious: bigint;
}

/** The three points of a Groth16 proof. */
export interface ProofPoints {
  readonly a: G1;
  readonly b: G2;
  readonly c: G1;
}

/**
 * True if one chunk's proof verifies. False also for an unknown kind or an input that is not canonical.
 *
 * @param wires D, the commitment to the chunk's committed wires; that alpha and z follow from it is the caller's to
 * check
 * @throws POINT_NOT_ON_CURVE if a point is not one of its group
 */
export function verifyChunkProof(
  keys: VerificationKeys,
  kindIndex: number,
  wires: G1,
  proof: ChunkProofPoints,
  inputs: ChunkInputs,
): boolean {
  return verifyProof(keys, kindIndex, wires, proof, chunkSignals(proof, inputs));
}

/** The public signals of a chunk in the circuit's order. */
export function chunkSignals(
  { y, h }: Pick<ChunkProofPoints, "y" | "h">,
  { alpha, z, bound, hPrevious }: ChunkInputs,
): bigint[] {
  return [y, h, alpha, z, bound, hPrevious];
}

/**
 * True if e(−A,B)·e(alpha,beta)·e(IC,G2)·e(D,sigma)·e(C,delta) = 1 for these public signals, in the circuit's order.
 * @throws POINT_NOT_ON_CURVE
 */
export function verifyProof(
  keys: VerificationKeys,
  kindIndex: number,
  wires: G1,
  proof: ProofPoints,
  publicSignals: readonly bigint[],
): boolean {
  const kind = keys.kinds[kindIndex];
  if (kind === undefined) return false;
  const inputs = publicInputCommitment(kind.publicBases, publicSignals);
  if (inputs === undefined) return false;
  return pairingProductIsOne([
    { g1: negateG1(proof.a), g2: proof.b },
    { g1: keys.alpha, g2: keys.beta },
    { g1: inputs, g2: G2_GENERATOR },
    { g1: wires, g2: kind.sigma },
    { g1: proof.c, g2: kind.delta },
  ]);
}

/** IC_0 + Σ signal_i·IC_i, or undefined if the signals are not as many canonical elements as the key takes. */
export function publicInputCommitment(publicBases: readonly G1[], publicSignals: readonly bigint[]): G1 | undefined {
  if (publicSignals.length !== publicBases.length - 1) return undefined;
  if (publicSignals.some((signal) => signal < 0n || signal >= FIELD_ORDER)) return undefined;
  return addG1(publicBases[0]!, weightedSumG1(publicBases.slice(1), publicSignals));
}
