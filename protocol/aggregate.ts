/** From released share sums to the aggregate and the next model (docs/protocol.md, section 6). */
import { VerisumError } from "./errors.ts";
import { evaluatePolynomial } from "./field.ts";
import type { Layout } from "./layout.ts";
import { aggregateDigest, modelDigest, nextModel } from "./model.ts";
import type { ModelState, ServerRule } from "./model.ts";
import { unpackSum } from "./packing.ts";
import { equalG1, weightedSumG1 } from "./points.ts";
import type { G1 } from "./points.ts";
import type { VectorCommitter } from "./ports.ts";
import { interpolate, lagrangeAtZero } from "./sharing.ts";
import type { Hex } from "./transcript.ts";

/** One member's released share sum. */
export interface Release {
  readonly seat: number;
  readonly shareSum: readonly bigint[];
}

/** An aggregate that opens the contract's sum, and who released something else. */
export interface RecoveredAggregate {
  readonly elements: readonly bigint[];
  /**
   * Seats whose release is off the polynomial that at least 2t − 2 releases agree on; empty if fewer agree, when nobody can tell
   * the wrong releases from the right ones (see `recoverAggregate`).
   */
  readonly wrongSeats: readonly number[];
}

/** What follows from an aggregate. */
export interface RoundOutcome {
  readonly sums: Int32Array;
  readonly model: ModelState;
  readonly aggregateDigest: Hex;
  readonly modelDigest: Hex;
}

/**
 * Interpolates t releases to X_Σ with [X_Σ] = C_Σ. With bad releases among them, commits to each release once and searches
 * the t-subsets in the exponent.
 *
 * Any subset that opens the sum gives the aggregate: nothing else opens C_Σ. Blame is harder. Up to t − 1 corrupt members can
 * agree on errors that cancel at zero, so that their polynomial opens C_Σ too; it meets the honest one at zero and so in at most
 * t − 2 other seats. 2t − 3 releases may therefore agree on a wrong polynomial, 2t − 2 may not.
 *
 * @throws SHARE_COUNT if fewer than t releases are given; AGGREGATE_NOT_RECOVERABLE if no subset opens the sum
 */
export async function recoverAggregate(threshold: number, releases: readonly Release[], sum: G1, committer: VectorCommitter): Promise<RecoveredAggregate> {
  if (releases.length < threshold) {
    throw new VerisumError("SHARE_COUNT", `${releases.length} of ${threshold} releases are there`, { threshold, given: releases.length });
  }
  if (releases.length === threshold) {
    const elements = interpolateReleases(threshold, releases);
    if (equalG1(await committer.commit(elements), sum)) return { elements, wrongSeats: [] };
    throw notRecoverable(threshold, releases);
  }
  const points = await Promise.all(releases.map((release) => committer.commit(release.shareSum)));
  let elements: bigint[] | undefined;
  for (const subset of subsets(releases.length, threshold)) {
    const seats = subset.map((i) => releases[i]!.seat);
    const opened = weightedSumG1(subset.map((i) => points[i]!), lagrangeAtZero(seats));
    if (!equalG1(opened, sum)) continue;
    elements ??= interpolateReleases(threshold, subset.map((i) => releases[i]!));
    const wrongSeats = releases.filter((_, i) => !subset.includes(i) && !liesOn(releases, points, subset, i)).map(({ seat }) => seat);
    if (wrongSeats.length === 0 || releases.length - wrongSeats.length >= 2 * threshold - 2) return { elements, wrongSeats };
  }
  if (elements !== undefined) return { elements, wrongSeats: [] };
  throw notRecoverable(threshold, releases);
}

/** The sums, the next model and both digests; a deterministic function of its arguments. @throws ENCODING_SLOT_RANGE, MODEL_OVERFLOW */
export function roundOutcome(layout: Layout, base: ModelState, elements: readonly bigint[], totalWeight: number, rule: ServerRule): RoundOutcome {
  const sums = unpackSum(layout, elements);
  const model = nextModel(base, sums, totalWeight, rule);
  return { sums, model, aggregateDigest: aggregateDigest(elements), modelDigest: modelDigest(model) };
}

/**
 * The auditor's check of a published aggregate: no curve work, one pass over the elements.
 * @throws AGGREGATE_DIGEST_MISMATCH, AGGREGATE_EVALUATION_MISMATCH
 */
export function checkAggregate(elements: readonly bigint[], recorded: { readonly digest: Hex; readonly point: bigint; readonly evaluation: bigint }): void {
  if (aggregateDigest(elements) !== recorded.digest) throw new VerisumError("AGGREGATE_DIGEST_MISMATCH", "the aggregate is not the one whose digest was signed");
  if (evaluatePolynomial(elements, recorded.point) !== recorded.evaluation) {
    throw new VerisumError("AGGREGATE_EVALUATION_MISMATCH", "the aggregate does not evaluate to the value that the contract checked");
  }
}

function notRecoverable(threshold: number, releases: readonly Release[]): VerisumError {
  const seats = releases.map(({ seat }) => seat).join(",");
  return new VerisumError("AGGREGATE_NOT_RECOVERABLE", `no ${threshold} of ${releases.length} releases open the sum of commitments`, { seats });
}

function interpolateReleases(threshold: number, releases: readonly Release[]): bigint[] {
  return interpolate(threshold, releases.map(({ seat }) => seat), releases.map(({ shareSum }) => shareSum));
}

/** True if release `i` agrees with the polynomial through `subset`: swapping it in for one of them opens the same value. */
function liesOn(releases: readonly Release[], points: readonly G1[], subset: readonly number[], i: number): boolean {
  const swapped = [...subset.slice(1), i];
  const open = (chosen: readonly number[]): G1 => weightedSumG1(chosen.map((k) => points[k]!), lagrangeAtZero(chosen.map((k) => releases[k]!.seat)));
  return equalG1(open(swapped), open(subset));
}

/** The k-subsets of 0 … n−1 in lexicographic order. */
function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) {
    yield [];
    return;
  }
  for (let first = from; first <= n - k; first++) {
    for (const rest of subsets(n, k - 1, first + 1)) yield [first, ...rest];
  }
}
