/**
 * All proofs of a submission and its opening in one pairing product, as the contract does it (docs/protocol.md, Lemma
 * 1).
 */
import { multiply, toField } from "./field.ts";
import type { ProofPoints } from "./groth16.ts";
import { FIELD_ORDER } from "./parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, negateG1, pairingProductIsOne, weightedSumG1 } from "./points.ts";
import type { G1 } from "./points.ts";
import { domainTag, hashWords } from "./transcript.ts";
import type { ChunkVerificationKey, VerificationKeys } from "./verification-key.ts";

/** One proof with what it is a proof of. */
export interface ProofStatement {
  readonly kindIndex: number;
  /** D. */
  readonly wires: G1;
  readonly proof: ProofPoints;
  /** In the circuit's order. */
  readonly publicSignals: readonly bigint[];
}

/** A KZG commitment that is said to have `value` at z. */
export interface OpeningStatement {
  readonly commitment: G1;
  readonly z: bigint;
  readonly value: bigint;
  readonly opening: G1;
}

/** What one submission claims. */
export interface SubmissionClaim {
  readonly proofs: readonly ProofStatement[];
  readonly opening: OpeningStatement;
}

/** Verifies the claims of many submissions together, as a port: it takes an engine. */
export interface SubmissionVerifier {
  /** Indexes of the claims that fail, ascending; none if all hold. */
  failing(keys: VerificationKeys, claims: readonly SubmissionClaim[]): Promise<readonly number[]>;
}

/** Bits of the weights: equations that do not all hold pass with probability 2^-128. */
const WEIGHT_BITS = 128n;

/**
 * True if every proof verifies and the opening does. Each equation is raised to a weight that hashes everything, the
 * opening's to 1; then all pairs with the same key point become one. A proof costs its pair and three short
 * multiplications.
 *
 * @returns false also for an unknown kind or signals that are not as many canonical elements as the key takes
 * @throws POINT_NOT_ON_CURVE
 */
export function verifyTogether(
  keys: VerificationKeys,
  proofs: readonly ProofStatement[],
  opening: OpeningStatement,
): boolean {
  if (proofs.some(({ kindIndex, publicSignals }) => !areSignalsOf(keys.kinds[kindIndex], publicSignals))) return false;
  const weights = combiningWeights(proofs, opening);
  const pairs = proofs.map(({ proof }, i) => ({ g1: negateG1(weightedSumG1([proof.a], [weights[i]!])), g2: proof.b }));
  const inputPoints: G1[] = [opening.commitment, G1_GENERATOR, opening.opening];
  const inputWeights: bigint[] = [1n, -opening.value, opening.z];
  keys.kinds.forEach((kind, kindIndex) => {
    const chosen = proofs.flatMap((statement, i) =>
      statement.kindIndex === kindIndex ? [{ ...statement, weight: weights[i]! }] : [],
    );
    if (chosen.length === 0) return;
    const chosenWeights = chosen.map(({ weight }) => weight);
    pairs.push({
      g1: weightedSumG1(
        chosen.map(({ wires }) => wires),
        chosenWeights,
      ),
      g2: kind.sigma,
    });
    pairs.push({
      g1: weightedSumG1(
        chosen.map(({ proof }) => proof.c),
        chosenWeights,
      ),
      g2: kind.delta,
    });
    inputPoints.push(...kind.publicBases);
    inputWeights.push(
      ...kind.publicBases.map((_, base) =>
        chosen.reduce(
          (sum, { weight, publicSignals }) =>
            toField(sum + multiply(weight, base === 0 ? 1n : publicSignals[base - 1]!)),
          0n,
        ),
      ),
    );
  });
  pairs.push({ g1: weightedSumG1([keys.alpha], [weights.reduce((sum, weight) => sum + weight, 0n)]), g2: keys.beta });
  pairs.push({ g1: weightedSumG1(inputPoints, inputWeights), g2: G2_GENERATOR });
  pairs.push({ g1: negateG1(opening.opening), g2: keys.tau });
  return pairingProductIsOne(pairs);
}

/** True if the signals are as many canonical elements as the key takes; false for a key that is not there. */
export function areSignalsOf(kind: ChunkVerificationKey | undefined, signals: readonly bigint[]): boolean {
  return (
    kind !== undefined &&
    signals.length === kind.publicBases.length - 1 &&
    signals.every((signal) => signal >= 0n && signal < FIELD_ORDER)
  );
}

/**
 * One weight for each proof, a hash of all statements: who made them could not choose them so that false ones cancel.
 */
function combiningWeights(
  proofs: readonly ProofStatement[],
  { commitment, z, value, opening }: OpeningStatement,
): bigint[] {
  const words = proofs.flatMap(({ kindIndex, wires, proof: { a, b, c }, publicSignals }) => [
    BigInt(kindIndex),
    wires.x,
    wires.y,
    a.x,
    a.y,
    b.x.c0,
    b.x.c1,
    b.y.c0,
    b.y.c1,
    c.x,
    c.y,
    ...publicSignals,
  ]);
  const seed = BigInt(
    hashWords([
      domainTag("together"),
      BigInt(proofs.length),
      commitment.x,
      commitment.y,
      z,
      value,
      opening.x,
      opening.y,
      ...words,
    ]),
  );
  return proofs.map((_, i) => BigInt(hashWords([seed, BigInt(i)])) >> (256n - WEIGHT_BITS));
}
