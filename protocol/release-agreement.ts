/**
 * Which releases lie on one polynomial, told from one field element of each and without curve work (docs/protocol.md,
 * section 6).
 */
import { encodeElements, evaluatePolynomial, toField } from "./field.ts";
import { FIELD_ORDER } from "./parameters.ts";
import { lagrangeAt } from "./sharing.ts";
import { domainTag, hashWords, leafDigest } from "./transcript.ts";

/** One member's released share sum. */
export interface Release {
  readonly seat: number;
  readonly shareSum: readonly bigint[];
}

/** Releases as points (seat, value at rho): those of honest members lie on a polynomial of degree t − 1. */
export interface Fingerprints {
  /** A hash of all releases, so that whoever released something wrong did not know it. */
  readonly rho: bigint;
  readonly seats: readonly number[];
  readonly values: readonly bigint[];
}

/** Subsets looked at before a search is given up: all of up to 2t releases for t ≤ 7, since C(14, 7) = 3432. */
export const MAX_SUBSETS = 3432;
/** The largest t of which that is so. */
export const MAX_SEARCHED_THRESHOLD = 7;

/**
 * Each release's value at one point that depends on all of them; different vectors differ there except with probability
 * M/r.
 */
export function fingerprintsOf(releases: readonly Release[]): Fingerprints {
  const words = releases.flatMap(({ seat, shareSum }) => [
    BigInt(seat),
    BigInt(leafDigest("release", encodeElements(shareSum))),
  ]);
  const rho = BigInt(hashWords([domainTag("releases"), ...words])) % FIELD_ORDER;
  return {
    rho,
    seats: releases.map(({ seat }) => seat),
    values: releases.map(({ shareSum }) => evaluatePolynomial(shareSum, rho)),
  };
}

/**
 * The releases on a polynomial of degree t − 1 that at least (m + t)/2 of all m lie on: there is at most one, since two
 * meet in t − 1 seats. It exists if at most (m − t)/2 releases are wrong.
 */
export function majorityOf(threshold: number, prints: Fingerprints): readonly number[] | undefined {
  for (const subset of subsetsToTry(prints, threshold)) {
    const agreeing = agreeingWith(prints, subset);
    if (2 * agreeing.length >= prints.seats.length + threshold) return agreeing;
  }
  return undefined;
}

/**
 * The releases off the polynomial of degree t − 1 through `valueAtZero` that all, or at least 2t − 2, releases lie on.
 *
 * Up to t − 1 corrupt members can agree on errors that cancel at zero. Their polynomial meets the honest one at zero
 * and so in at most t − 2 other seats: 2t − 3 releases may lie on a wrong polynomial, 2t − 2 may not.
 *
 * @returns nothing if too few agree for blame
 */
export function releasesOff(threshold: number, prints: Fingerprints, valueAtZero: bigint): readonly number[] {
  const all = prints.seats.map((_, i) => i);
  for (const subset of subsetsToTry(prints, threshold)) {
    if (valueThrough(prints, subset, 0) !== valueAtZero) continue;
    const agreeing = agreeingWith(prints, subset);
    if (agreeing.length === all.length || agreeing.length >= 2 * threshold - 2)
      return all.filter((i) => !agreeing.includes(i));
  }
  return [];
}

/** The t-subsets of the releases in lexicographic order, or MAX_SUBSETS random ones of more; deterministic. */
export function* subsetsToTry({ rho, seats }: Fingerprints, size: number): Generator<readonly number[]> {
  const count = binomial(seats.length, size);
  for (let i = 0; i < Math.min(count, MAX_SUBSETS); i++) {
    const rank = count <= MAX_SUBSETS ? i : Number(BigInt(hashWords([rho, BigInt(i)])) % BigInt(count));
    yield subsetOfRank(seats.length, size, rank);
  }
}

function agreeingWith(prints: Fingerprints, subset: readonly number[]): readonly number[] {
  return prints.seats.flatMap((seat, i) =>
    subset.includes(i) || valueThrough(prints, subset, seat) === prints.values[i] ? [i] : [],
  );
}

/** The polynomial through the points of `subset`, at x. */
function valueThrough({ seats, values }: Fingerprints, subset: readonly number[], x: number): bigint {
  const weights = lagrangeAt(
    x,
    subset.map((i) => seats[i]!),
  );
  return toField(subset.reduce((sum, i, k) => sum + values[i]! * weights[k]!, 0n));
}

/** The k-subset of 0 … n−1 with this number in lexicographic order. */
function subsetOfRank(n: number, k: number, rank: number): readonly number[] {
  const subset: number[] = [];
  let left = rank;
  for (let item = 0; subset.length < k; item++) {
    const withItem = binomial(n - item - 1, k - subset.length - 1);
    if (left < withItem) subset.push(item);
    else left -= withItem;
  }
  return subset;
}

/** C(n, k); exact below 2^53, which C(32, k) is. */
function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 0; i < k; i++) value = (value * (n - i)) / (i + 1);
  return value;
}
