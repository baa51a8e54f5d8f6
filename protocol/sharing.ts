/**
 * Shamir sharing of whole vectors over Fr, and the check that a share belongs to a commitment (docs/protocol.md,
 * section 4).
 */
import { shake128 } from "@noble/hashes/sha3.js";
import { VerisumError } from "./errors.ts";
import {
  encodeElements,
  encodeWords,
  evaluatePolynomial,
  invert,
  invertAll,
  multiply,
  randomElements,
  toField,
} from "./field.ts";
import { FIELD_ORDER, MAX_COMMITTEE } from "./parameters.ts";
import type { RandomBytes } from "./random.ts";
import { domainTag, leafDigest } from "./transcript.ts";
import type { Hex } from "./transcript.ts";

export const SHARE_SEED_BYTES = 32;

/** The random part of a sharing: t − 1 vectors, the coefficients of x, x², … */
export type SharingCoefficients = readonly (readonly bigint[])[];

/** What a vector's sharing looks like from outside. */
export interface SharingShape {
  /** M, the elements of a share. */
  readonly elementCount: number;
  readonly threshold: number;
}

/** A sharing in which seats 1 … t − 1 need not be sent their share: it is expanded from a seed. */
export interface Sharing {
  readonly coefficients: SharingCoefficients;
  /** By seat, 1 … t − 1. */
  readonly seeds: readonly Uint8Array[];
}

/** True for the t − 1 lowest seats, which are sent a seed. */
export function isSeedSeat(seat: number, threshold: number): boolean {
  return seat < threshold;
}

/**
 * A seed's share: SHAKE128 of a tag and the seed, 48 bytes reduced mod r for each element.
 * @throws ENCODING_LENGTH for a seed that is not SHARE_SEED_BYTES long
 */
export function expandShareSeed(seed: Uint8Array, elementCount: number): bigint[] {
  if (seed.length !== SHARE_SEED_BYTES)
    throw new VerisumError("ENCODING_LENGTH", `a share's seed has ${SHARE_SEED_BYTES} bytes, got ${seed.length}`);
  const stream = shake128
    .create()
    .update(encodeWords([domainTag("share-seed")]))
    .update(seed);
  return randomElements(elementCount, (length) => stream.xof(length));
}

/**
 * Draws a seed for each of the seats 1 … t − 1 and the coefficients that give these seats the seeds' shares: what is
 * left of the polynomials once the secret and t − 1 shares are chosen.
 * @throws PARAMETERS_INVALID for a threshold that no committee has; with t = 1 every share would be the secret itself
 */
export function drawSharing(threshold: number, secret: readonly bigint[], random: RandomBytes): Sharing {
  if (!Number.isInteger(threshold) || threshold < 2 || threshold > MAX_COMMITTEE) {
    throw new VerisumError("PARAMETERS_INVALID", `no committee has threshold ${threshold}`, { threshold });
  }
  const seeds = Array.from({ length: threshold - 1 }, () => random(SHARE_SEED_BYTES));
  const points = [secret, ...seeds.map((seed) => expandShareSeed(seed, secret.length))];
  const basis = lagrangeBasis(threshold);
  const coefficients = seeds.map((_, i) =>
    linearCombination(
      points,
      basis.map((polynomial) => polynomial[i + 1]!),
    ),
  );
  return { coefficients, seeds };
}

/**
 * Seat j's share, X + Σ j^kappa·a_kappa.
 * @param seat 1 … n, assigned by the contract
 * @throws SHARE_INDEX for a seat that no committee has; PARAMETERS_INVALID without coefficients, ENCODING_LENGTH if
 * they are not as long as the secret
 */
export function shareFor(seat: number, secret: readonly bigint[], coefficients: SharingCoefficients): bigint[] {
  assertSeats([seat]);
  if (coefficients.length === 0)
    throw new VerisumError("PARAMETERS_INVALID", "a sharing without coefficients hides nothing");
  if (coefficients.some((vector) => vector.length !== secret.length))
    throw new VerisumError("ENCODING_LENGTH", "a sharing's coefficients must be as long as the secret");
  const x = BigInt(seat);
  return secret.map((constant, i) => {
    let value = 0n;
    for (let kappa = coefficients.length - 1; kappa >= 0; kappa--) value = (value + coefficients[kappa]![i]!) * x;
    return (value + constant) % FIELD_ORDER;
  });
}

/** The digest of a share's canonical bytes: the entry of `shareHashes`. */
export function shareHash(share: readonly bigint[]): Hex {
  return leafDigest("share", encodeElements(share));
}

/** E_kappa: each coefficient vector evaluated at z. */
export function shareEvaluations(coefficients: SharingCoefficients, z: bigint): bigint[] {
  return coefficients.map((vector) => evaluatePolynomial(vector, z));
}

/** The value that seat j's share must take at z: y + Σ j^kappa·E_kappa. @throws SHARE_INDEX */
export function expectedShareEvaluation(seat: number, y: bigint, evaluations: readonly bigint[]): bigint {
  assertSeats([seat]);
  let value = 0n;
  for (let kappa = evaluations.length - 1; kappa >= 0; kappa--) value = (value + evaluations[kappa]!) * BigInt(seat);
  return toField(value + y);
}

/**
 * Checks a decrypted share against what the contract recorded.
 * @param share as many elements as the layout has, which decoding the bundle's file has checked
 * @throws SHARE_DIGEST_MISMATCH, SHARE_EVALUATION_MISMATCH, SHARE_INDEX
 */
export function checkShare(
  seat: number,
  share: readonly bigint[],
  recorded: { readonly hash: Hex; readonly z: bigint; readonly y: bigint; readonly evaluations: readonly bigint[] },
): void {
  if (shareHash(share) !== recorded.hash)
    throw new VerisumError("SHARE_DIGEST_MISMATCH", `seat ${seat}: the share is not the one that was hashed`, { seat });
  if (evaluatePolynomial(share, recorded.z) !== expectedShareEvaluation(seat, recorded.y, recorded.evaluations)) {
    throw new VerisumError(
      "SHARE_EVALUATION_MISMATCH",
      `seat ${seat}: the share is not a point of the committed vector's sharing`,
      { seat },
    );
  }
}

/** Lagrange coefficients at zero for distinct seats. @throws SHARE_INDEX */
export function lagrangeAtZero(seats: readonly number[]): bigint[] {
  return lagrangeAt(0, seats);
}

/**
 * The weights with which values at distinct seats give the value at x of the polynomial through them. @throws
 * SHARE_INDEX
 */
export function lagrangeAt(x: number, seats: readonly number[]): bigint[] {
  assertSeats(seats);
  const product = (of: (k: number) => number, j: number): bigint =>
    toField(seats.reduce((value, k) => (k === j ? value : value * BigInt(of(k))), 1n));
  const inverses = invertAll(seats.map((j) => product((k) => j - k, j)));
  return seats.map((j, i) =>
    multiply(
      product((k) => x - k, j),
      inverses[i]!,
    ),
  );
}

/**
 * The secret behind exactly t shares (or share sums).
 * @throws SHARE_INDEX, SHARE_COUNT, ENCODING_LENGTH
 */
export function interpolate(
  threshold: number,
  seats: readonly number[],
  shares: readonly (readonly bigint[])[],
): bigint[] {
  if (seats.length !== threshold || shares.length !== threshold) {
    throw new VerisumError("SHARE_COUNT", `interpolation takes exactly ${threshold} shares, got ${shares.length}`, {
      threshold,
      given: shares.length,
    });
  }
  return linearCombination(shares, lagrangeAtZero(seats));
}

/** Σ weight_i·vector_i, element by element: a member's share sums, and interpolation. @throws ENCODING_LENGTH */
export function linearCombination(vectors: readonly (readonly bigint[])[], weights: readonly bigint[]): bigint[] {
  const length = vectors[0]?.length ?? 0;
  if (vectors.length !== weights.length || vectors.some((vector) => vector.length !== length)) {
    throw new VerisumError("ENCODING_LENGTH", "vectors of a sum must have the same length and one weight each");
  }
  const sum = new Array<bigint>(length);
  for (let i = 0; i < length; i++) {
    let value = 0n;
    for (let v = 0; v < vectors.length; v++) value += vectors[v]![i]! * weights[v]!;
    sum[i] = toField(value);
  }
  return sum;
}

/** The polynomials of degree t − 1 that are 1 at one of 0, 1 … t − 1 and 0 at the others, coefficients ascending. */
function lagrangeBasis(threshold: number): bigint[][] {
  const nodes = Array.from({ length: threshold }, (_, i) => BigInt(i));
  return nodes.map((node) => {
    let polynomial = [1n];
    let denominator = 1n;
    for (const other of nodes.filter((candidate) => candidate !== node)) {
      polynomial = [...polynomial, 0n].map((_, k) =>
        toField((polynomial[k - 1] ?? 0n) - other * (polynomial[k] ?? 0n)),
      );
      denominator = toField(denominator * (node - other));
    }
    return polynomial.map((coefficient) => multiply(coefficient, invert(denominator)));
  });
}

/** Seats are distinct integers 1 … MAX_COMMITTEE; seat 0 would be the secret, and seats that agree mod r one share. */
function assertSeats(seats: readonly number[]): void {
  if (
    new Set(seats).size !== seats.length ||
    seats.some((seat) => !Number.isInteger(seat) || seat < 1 || seat > MAX_COMMITTEE)
  ) {
    throw new VerisumError("SHARE_INDEX", `seats must be distinct and between 1 and ${MAX_COMMITTEE}`, {
      seats: seats.join(","),
    });
  }
}
