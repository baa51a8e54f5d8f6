/**
 * The proofs and openings of many submissions in one pairing product, in the engine. The weights are the verifier's own
 * and secret, so that nobody can make false statements that cancel (small-exponent test: Bellare, Garay, Rabin 1998).
 */
import type {
  OpeningStatement,
  ProofStatement,
  SubmissionClaim,
  SubmissionVerifier,
} from "../../protocol/batch-verification.ts";
import { concatenate } from "../../protocol/bytes.ts";
import { areSignalsOf } from "../../protocol/batch-verification.ts";
import { multiply, toField } from "../../protocol/field.ts";
import { BASE_FIELD_ORDER } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, negateG1 } from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { encodeScalars, g1ToEngine, g2ToEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { multiExponentiation } from "../curve/multi-exponentiation.ts";
import { openPointAdder } from "../curve/point-adder.ts";
import { areInG2 } from "../curve/subgroup.ts";
import { RandomWeights } from "./evaluation-commitment.ts";

/**
 * Verifies submissions together in the engine.
 * @param random a CSPRNG, for weights that nobody else knows
 */
export function submissionVerifier(curve: Curve, random: RandomBytes): SubmissionVerifier {
  return { failing: (keys, claims) => failingClaims(curve, keys, claims, random) };
}

/**
 * The claims that fail: all are checked in one product, and a failing product is searched by halves.
 * @param keys points of their groups
 * @param random a CSPRNG: false claims pass with probability 2^-128
 * @returns their indexes, ascending; what exactly fails is for the caller to find out
 */
export async function failingClaims(
  curve: Curve,
  keys: VerificationKeys,
  claims: readonly SubmissionClaim[],
  random: RandomBytes,
): Promise<number[]> {
  const search = async (from: number, to: number): Promise<number[]> => {
    if (from === to || (await holdTogether(curve, keys, claims.slice(from, to), random))) return [];
    if (to - from === 1) return [from];
    const middle = (from + to) >> 1;
    return [...(await search(from, middle)), ...(await search(middle, to))];
  };
  return search(0, claims.length);
}

/** True if every proof verifies and every commitment opens as claimed; false also for points that are none. */
async function holdTogether(
  curve: Curve,
  keys: VerificationKeys,
  claims: readonly SubmissionClaim[],
  random: RandomBytes,
): Promise<boolean> {
  const proofs = claims.flatMap((claim) => claim.proofs);
  const openings = claims.map((claim) => claim.opening);
  if (proofs.some(({ kindIndex, publicSignals }) => !areSignalsOf(keys.kinds[kindIndex], publicSignals))) return false;
  if (openings.some(({ z, value }) => toField(z) !== z || toField(value) !== value)) return false;
  if (!(await arePoints(curve, proofs, openings, random))) return false;
  const product = new PairingProduct(curve);
  addProofs(product, keys, proofs, new RandomWeights(proofs.length, random).values);
  addOpenings(product, keys, openings, new RandomWeights(openings.length, random).values);
  return product.isOne();
}

/** e(−A, B)·e(alpha, beta)·e(IC, G2)·e(D, sigma)·e(C, delta) of each proof at its weight. */
function addProofs(
  product: PairingProduct,
  keys: VerificationKeys,
  proofs: readonly ProofStatement[],
  weights: readonly bigint[],
): void {
  proofs.forEach(({ proof, wires, kindIndex, publicSignals }, i) => {
    const weight = weights[i]!;
    const { sigma, delta, publicBases } = keys.kinds[kindIndex]!;
    // −A, since −weight would be twice as long.
    product.pair([negateG1(proof.a), weight], proof.b);
    product.add(keys.beta, keys.alpha, weight);
    product.add(sigma, wires, weight);
    product.add(delta, proof.c, weight);
    publicBases.forEach((base, b) =>
      product.add(G2_GENERATOR, base, b === 0 ? weight : multiply(weight, publicSignals[b - 1]!)),
    );
  });
}

/** e(C − value·G + z·W, G2)·e(−W, tau) of each opening at its weight. */
function addOpenings(
  product: PairingProduct,
  keys: VerificationKeys,
  openings: readonly OpeningStatement[],
  weights: readonly bigint[],
): void {
  openings.forEach(({ commitment, opening, z, value }, i) => {
    const weight = weights[i]!;
    product.add(G2_GENERATOR, commitment, weight);
    product.add(G2_GENERATOR, opening, multiply(weight, z));
    product.add(G2_GENERATOR, G1_GENERATOR, -multiply(weight, value));
    product.add(keys.tau, negateG1(opening), weight);
  });
}

/** True if every point of the claims is a proper one of its group, given by reduced coordinates. */
async function arePoints(
  curve: Curve,
  proofs: readonly ProofStatement[],
  openings: readonly OpeningStatement[],
  random: RandomBytes,
): Promise<boolean> {
  const g1 = [
    ...proofs.flatMap(({ wires, proof }) => [wires, proof.a, proof.c]),
    ...openings.flatMap(({ commitment, opening }) => [commitment, opening]),
  ];
  const g2 = proofs.map(({ proof }) => proof.b);
  const coordinates = [...g1.flatMap(({ x, y }) => [x, y]), ...g2.flatMap(({ x, y }) => [x.c0, x.c1, y.c0, y.c1])];
  if (coordinates.some((value) => value < 0n || value >= BASE_FIELD_ORDER)) return false;
  const adder = await openPointAdder();
  const g2Bytes = concatenate(g2.map((point) => g2ToEngine(curve, point)));
  return (
    adder.areProperPoints(concatenate(g1.map((point) => g1ToEngine(curve, point)))) &&
    adder.areProperPoints(g2Bytes, "G2") &&
    (g2.length === 0 || areInG2(curve, g2Bytes, random))
  );
}

/** A product of pairings; what is paired with the same point of G2 is summed first, equal points of a key as one. */
class PairingProduct {
  private readonly curve: Curve;
  private readonly pairs: Uint8Array[] = [];
  private readonly sums = new Map<G2, Map<G1, bigint>>();

  constructor(curve: Curve) {
    this.curve = curve;
  }

  /** Times e(scalar·left, right). */
  pair([left, scalar]: readonly [point: G1, scalar: bigint], right: G2): void {
    const { curve } = this;
    this.pairs.push(curve.G1.timesScalar(g1ToEngine(curve, left), scalar), g2ToEngine(curve, right));
  }

  /** Times e(scalar·left, right), for points of G2 of which there are few. */
  add(right: G2, left: G1, scalar: bigint): void {
    let terms = this.sums.get(right);
    if (terms === undefined) this.sums.set(right, (terms = new Map<G1, bigint>()));
    terms.set(left, (terms.get(left) ?? 0n) + scalar);
  }

  async isOne(): Promise<boolean> {
    const { curve, pairs } = this;
    for (const [right, terms] of this.sums) pairs.push(await sumOf(curve, terms), g2ToEngine(curve, right));
    return curve.pairingEq(...pairs);
  }
}

/** Up to so many points, one by one are as fast as in buckets, which begin with messages to threads. */
const FEW_POINTS = 48;

/** Σ scalar·point, in the engine's bytes. */
async function sumOf(curve: Curve, terms: ReadonlyMap<G1, bigint>): Promise<Uint8Array> {
  const { G1: group } = curve;
  const points = [...terms.keys()].map((point) => g1ToEngine(curve, point));
  const scalars = [...terms.values()].map(toField);
  if (points.length > FEW_POINTS) return multiExponentiation(curve, concatenate(points), encodeScalars(scalars));
  return points.reduce((sum, point, i) => group.add(sum, group.timesScalar(point, scalars[i]!)), group.zero);
}
