/** From released share sums to the aggregate and the next model (docs/protocol.md, section 6). */
import { VerisumError } from "./errors.ts";
import { evaluatePolynomial } from "./field.ts";
import type { Layout } from "./layout.ts";
import { aggregateDigest, modelDigest } from "./model.ts";
import type { ModelState } from "./model.ts";
import { nextModel } from "./next-model.ts";
import type { ServerStep } from "./next-model.ts";
import { unpackSum } from "./packing.ts";
import { equalG1, weightedSumG1 } from "./points.ts";
import type { G1 } from "./points.ts";
import type { VectorCommitter } from "./ports.ts";
import { fingerprintsOf, majorityOf, releasesOff, subsetsToTry } from "./release-agreement.ts";
import type { Fingerprints, Release } from "./release-agreement.ts";
import { interpolate, lagrangeAtZero } from "./sharing.ts";
import type { Hex } from "./transcript.ts";

/** An aggregate that opens the contract's sum, and who released something else. */
export interface RecoveredAggregate {
  readonly elements: readonly bigint[];
  /** Seats of the t releases that it was interpolated from. */
  readonly usedSeats: readonly number[];
  /**
   * Seats whose release is off the polynomial that at least 2t − 2 releases agree on; empty if fewer agree, when nobody
   * can tell the wrong releases from the right ones (see `releasesOff`).
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
 * Interpolates t releases to X_Σ with [X_Σ] = C_Σ. Which t is told from one field element of each release; only if too
 * many are wrong for that, each is committed to and their t-subsets are searched in the exponent, MAX_SUBSETS of them
 * at most.
 *
 * Any subset that opens the sum gives the aggregate: nothing else opens C_Σ. Blame takes more (see `releasesOff`).
 *
 * @throws SHARE_COUNT if fewer than t releases are given; AGGREGATE_NOT_RECOVERABLE if no subset looked at opens the
 * sum
 */
export async function recoverAggregate(
  threshold: number,
  releases: readonly Release[],
  sum: G1,
  committer: VectorCommitter,
): Promise<RecoveredAggregate> {
  if (releases.length < threshold) {
    throw new VerisumError("SHARE_COUNT", `only ${releases.length} of ${threshold} releases are there`, {
      threshold,
      given: releases.length,
    });
  }
  const opened = async (chosen: readonly Release[]): Promise<Interpolated | undefined> => {
    const interpolated = interpolateReleases(threshold, chosen.slice(0, threshold));
    return equalG1(await committer.commit(interpolated.elements), sum) ? interpolated : undefined;
  };
  if (releases.length === threshold) {
    const interpolated = await opened(releases);
    if (interpolated === undefined) throw notRecoverable(threshold, releases);
    return { ...interpolated, wrongSeats: [] };
  }
  const prints = fingerprintsOf(releases);
  const majority = majorityOf(threshold, prints);
  const interpolated =
    (majority === undefined ? undefined : await opened(majority.map((i) => releases[i]!))) ??
    (await searchInExponent(threshold, releases, prints, sum, committer));
  if (interpolated === undefined) throw notRecoverable(threshold, releases);
  const wrong = releasesOff(threshold, prints, evaluatePolynomial(interpolated.elements, prints.rho));
  return { ...interpolated, wrongSeats: wrong.map((i) => releases[i]!.seat) };
}

/**
 * The sums, the next model and both digests; a deterministic function of its arguments. @throws ENCODING_SLOT_RANGE,
 * MODEL_OVERFLOW
 */
export function roundOutcome(
  layout: Layout,
  base: ModelState,
  elements: readonly bigint[],
  totalWeight: number,
  step: ServerStep,
): RoundOutcome {
  const sums = unpackSum(layout, elements);
  const model = nextModel(base, sums, totalWeight, step);
  return { sums, model, aggregateDigest: aggregateDigest(elements), modelDigest: modelDigest(model) };
}

/**
 * The auditor's check of a published aggregate: no curve work, one pass over the elements.
 * @throws AGGREGATE_DIGEST_MISMATCH, AGGREGATE_EVALUATION_MISMATCH
 */
export function checkAggregate(elements: readonly bigint[], recorded: RecordedAggregate): void {
  if (aggregateDigest(elements) !== recorded.digest)
    throw new VerisumError("AGGREGATE_DIGEST_MISMATCH", "the aggregate is not the one whose digest was signed");
  if (evaluatePolynomial(elements, recorded.point) !== recorded.evaluation) {
    throw new VerisumError(
      "AGGREGATE_EVALUATION_MISMATCH",
      "the aggregate does not evaluate to the value that the contract checked",
    );
  }
}

/** What a finalised round recorded of its aggregate. */
export interface RecordedAggregate {
  readonly digest: Hex;
  /** z'. */
  readonly point: bigint;
  /** y', which the sum of commitments opens to. */
  readonly evaluation: bigint;
}

/**
 * The aggregate of a round that finalised, from its members' releases: the one that has the recorded digest and
 * evaluation, which were checked against the sum of commitments. For whoever has no powers to commit with.
 * @throws SHARE_COUNT, AGGREGATE_NOT_RECOVERABLE
 */
export function rebuildAggregate(
  threshold: number,
  releases: readonly Release[],
  recorded: RecordedAggregate,
): readonly bigint[] {
  if (releases.length < threshold)
    throw new VerisumError("SHARE_COUNT", `${releases.length} of ${threshold} releases are there`, {
      threshold,
      given: releases.length,
    });
  const evaluations = releases.map(({ shareSum }) => [evaluatePolynomial(shareSum, recorded.point)]);
  for (const subset of subsetsToTry(fingerprintsOf(releases), threshold)) {
    const seats = subset.map((i) => releases[i]!.seat);
    // One element tells whether the vector is worth interpolating.
    const [evaluation] = interpolate(
      threshold,
      seats,
      subset.map((i) => evaluations[i]!),
    );
    if (evaluation !== recorded.evaluation) continue;
    const { elements } = interpolateReleases(
      threshold,
      subset.map((i) => releases[i]!),
    );
    if (aggregateDigest(elements) === recorded.digest) return elements;
  }
  throw notRecoverable(threshold, releases);
}

function notRecoverable(threshold: number, releases: readonly Release[]): VerisumError {
  const seats = releases.map(({ seat }) => seat).join(",");
  return new VerisumError(
    "AGGREGATE_NOT_RECOVERABLE",
    `no ${threshold} of ${releases.length} releases open the sum of commitments`,
    { seats },
  );
}

/** A vector at zero, and which releases it was interpolated from. */
type Interpolated = Pick<RecoveredAggregate, "elements" | "usedSeats">;

function interpolateReleases(threshold: number, releases: readonly Release[]): Interpolated {
  const usedSeats = releases.map(({ seat }) => seat);
  const elements = interpolate(
    threshold,
    usedSeats,
    releases.map(({ shareSum }) => shareSum),
  );
  return { elements, usedSeats };
}

async function searchInExponent(
  threshold: number,
  releases: readonly Release[],
  prints: Fingerprints,
  sum: G1,
  committer: VectorCommitter,
): Promise<Interpolated | undefined> {
  const points = await Promise.all(releases.map((release) => committer.commit(release.shareSum)));
  for (const subset of subsetsToTry(prints, threshold)) {
    const opened = weightedSumG1(
      subset.map((i) => points[i]!),
      lagrangeAtZero(subset.map((i) => releases[i]!.seat)),
    );
    if (equalG1(opened, sum))
      return interpolateReleases(
        threshold,
        subset.map((i) => releases[i]!),
      );
  }
  return undefined;
}
