import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { checkAggregate, rebuildAggregate, recoverAggregate, roundOutcome } from "../../protocol/aggregate.ts";
import { evaluatePolynomial, multiply, randomElements, toField } from "../../protocol/field.ts";
import { layoutFor } from "../../protocol/layout.ts";
import { aggregateDigest, modelDigest } from "../../protocol/model.ts";
import { nextModel } from "../../protocol/next-model.ts";
import type { ServerStep } from "../../protocol/next-model.ts";
import { packUpdate } from "../../protocol/packing.ts";
import { FIELD_ORDER, MASKS_PER_CHUNK, PRESETS } from "../../protocol/parameters.ts";
import type { Release } from "../../protocol/release-agreement.ts";
import { drawSharing, interpolate, lagrangeAtZero, shareFor } from "../../protocol/sharing.ts";
import type { VectorCommitter } from "../../protocol/ports.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { knownTauCommitter } from "../support/in-memory-keys.ts";
import { seededRandom } from "../support/random.ts";

const committer = knownTauCommitter();
const aggregate = randomElements(6, seededRandom("aggregate"));
const sum = await committer.commit(aggregate);

function honestReleases(threshold: number, seats: readonly number[]): Release[] {
  const { coefficients } = drawSharing(threshold, aggregate, seededRandom("aggregate sharing"));
  return seats.map((seat) => ({ seat, shareSum: shareFor(seat, aggregate, coefficients) }));
}

/** The releases with `seat`'s first element moved by `error`. */
function withError(releases: readonly Release[], seat: number, error = 1n): Release[] {
  return releases.map((release) =>
    release.seat === seat
      ? { seat, shareSum: [toField(release.shareSum[0]! + error), ...release.shareSum.slice(1)] }
      : release,
  );
}

describe("rebuildAggregate", () => {
  const point = 1234567n;
  const recorded = { digest: aggregateDigest(aggregate), point, evaluation: evaluatePolynomial(aggregate, point) };

  it("finds what was recorded among releases of which some are wrong", () => {
    for (const wrong of [[], [1], [2, 7], [1, 2, 3, 4]]) {
      const releases = wrong.reduce((list, seat) => withError(list, seat), honestReleases(3, [1, 2, 3, 4, 5, 6, 7]));
      assert.deepEqual(rebuildAggregate(3, releases, recorded), aggregate);
    }
  });

  it("gives nothing that has not the recorded digest and evaluation", () => {
    const releases = honestReleases(3, [1, 2, 3]);
    throwsCode(() => rebuildAggregate(3, releases.slice(1), recorded), "SHARE_COUNT");
    throwsCode(() => rebuildAggregate(3, withError(releases, 2), recorded), "AGGREGATE_NOT_RECOVERABLE");
    for (const other of [{ digest: aggregateDigest(aggregate.toReversed()) }, { evaluation: recorded.evaluation + 1n }])
      throwsCode(() => rebuildAggregate(3, releases, { ...recorded, ...other }), "AGGREGATE_NOT_RECOVERABLE");
  });
});

describe("recoverAggregate", () => {
  /** Of the releases, `wrong` ones are named, and the aggregate is interpolated from `threshold` of the others. */
  const assertRecovers = async (
    threshold: number,
    releases: readonly Release[],
    wrong: readonly number[],
    by: VectorCommitter = committer,
  ): Promise<void> => {
    const { elements, usedSeats, wrongSeats } = await recoverAggregate(threshold, releases, sum, by);
    assert.deepEqual(elements, aggregate);
    assert.deepEqual(wrongSeats, wrong);
    assert.equal(new Set(usedSeats).size, threshold);
    const used = releases.filter(({ seat }) => usedSeats.includes(seat));
    const shares = used.map(({ shareSum }) => shareSum);
    assert.deepEqual(
      interpolate(
        threshold,
        used.map(({ seat }) => seat),
        shares,
      ),
      aggregate,
    );
  };

  it("interpolates exactly t releases, and names nobody", async () => {
    await assertRecovers(3, honestReleases(3, [2, 5, 7]), []);
  });

  it("accepts more than t honest releases", async () => {
    await assertRecovers(3, honestReleases(3, [1, 2, 3, 4, 5, 6, 7]), []);
  });

  for (const wrong of [[1], [7], [1, 2], [3, 6]]) {
    it(`finds the aggregate and names seats ${wrong.join(", ")} whose releases are wrong`, async () => {
      const releases = wrong.reduce(
        (list, seat) => withError(list, seat, BigInt(seat)),
        honestReleases(3, [1, 2, 3, 4, 5, 6, 7]),
      );
      await assertRecovers(3, releases, wrong);
    });
  }

  it("does not let t - 1 members with errors that cancel at zero put the blame on honest ones", async () => {
    // Seats 1 and 2 agree on errors with lambda_1 e_1 + lambda_2 e_2 = 0 over the first subset, seats 1, 2 and 3.
    const [first, second] = lagrangeAtZero([1, 2, 3]);
    const releases = withError(withError(honestReleases(3, [1, 2, 3, 4, 5, 6, 7]), 1, second), 2, FIELD_ORDER - first!);
    assert.equal(toField(multiply(first!, second!) + multiply(second!, FIELD_ORDER - first!)), 0n);
    await assertRecovers(3, releases, [1, 2]);
    // With four releases, two against two, nobody can tell.
    await assertRecovers(3, releases.slice(0, 4), []);
  });

  it("gives up on too few releases, and on releases that open nothing", async () => {
    await rejectsCode(recoverAggregate(3, honestReleases(3, [1, 2]), sum, committer), "SHARE_COUNT");
    await rejectsCode(
      recoverAggregate(3, withError(honestReleases(3, [1, 2, 3]), 2), sum, committer),
      "AGGREGATE_NOT_RECOVERABLE",
    );
    const broken = [1, 2].reduce((list, seat) => withError(list, seat, BigInt(seat)), honestReleases(3, [1, 2, 3, 4]));
    await rejectsCode(recoverAggregate(3, broken, sum, committer), "AGGREGATE_NOT_RECOVERABLE");
    await rejectsCode(recoverAggregate(2, honestReleases(3, [1, 2, 3]), sum, committer), "AGGREGATE_NOT_RECOVERABLE");
  });

  it("commits once if a majority agrees, and once more for each release if none does", async () => {
    const callsFor = async (releases: readonly Release[]): Promise<number> => {
      const counting = knownTauCommitter();
      await recoverAggregate(3, releases, sum, counting);
      return counting.calls();
    };
    assert.equal(await callsFor(honestReleases(3, [1, 2, 3, 4, 5])), 1);
    assert.equal(await callsFor(withError(honestReleases(3, [1, 2, 3, 4, 5]), 1)), 1);
    assert.equal(await callsFor(withError(honestReleases(3, [1, 2, 3, 4]), 1)), 4);
  });

  it("looks further if the majority agrees on something else", async () => {
    const other = honestReleases(3, [1, 2, 3, 4, 5]).map(({ seat, shareSum }) => ({
      seat,
      shareSum: shareSum.map((value) => toField(value + 1n)),
    }));
    const releases = [...other, ...honestReleases(3, [6, 7, 8])];
    assert.deepEqual((await recoverAggregate(3, releases, sum, committer)).elements, aggregate);
  });

  it("recovers with t - 1 wrong releases of the 3t - 2 in the largest committee", async () => {
    const seats = Array.from({ length: 31 }, (_, i) => i + 1);
    const wrong = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const releases = wrong.reduce((list, seat) => withError(list, seat, BigInt(seat)), honestReleases(11, seats));
    const counting = knownTauCommitter();
    await assertRecovers(11, releases, wrong, counting);
    assert.equal(counting.calls(), 1);
  }).timeout(30_000);
});

describe("the outcome of a round", () => {
  const layout = layoutFor(PRESETS.tiny, 20);
  const step: ServerStep = {
    fractionalBits: 16,
    stepBits: 10,
    learningRate: { numerator: 1, denominatorBits: 0 },
    momentum: { numerator: 1, denominatorBits: 1 },
  };
  const base = { weights: Int32Array.from({ length: 20 }, (_, i) => 1000 * i), kept: [new Int32Array(20).fill(-5)] };

  it("is the sums behind the elements, the next model and both digests", () => {
    const sums = Int32Array.from({ length: 20 }, (_, i) => 11 * i - 100);
    const elements = packUpdate(layout, sums, randomElements(MASKS_PER_CHUNK, seededRandom("outcome masks")));
    const outcome = roundOutcome(layout, base, elements, 5, step);
    assert.deepEqual(outcome.sums, sums);
    assert.deepEqual(outcome.model, nextModel(base, sums, 5, step));
    assert.equal(outcome.aggregateDigest, aggregateDigest(elements));
    assert.equal(outcome.modelDigest, modelDigest(outcome.model));
  });

  it("refuses elements that are no sum of slots", () => {
    throwsCode(
      () => roundOutcome(layout, base, Array<bigint>(layout.elementCount).fill(1n << 252n), 5, step),
      "ENCODING_SLOT_RANGE",
    );
  });
});

describe("the auditor's check of an aggregate", () => {
  const point = randomElements(1, seededRandom("z'"))[0]!;
  const recorded = { digest: aggregateDigest(aggregate), point, evaluation: evaluatePolynomial(aggregate, point) };

  it("accepts the aggregate that was signed and opened", () => checkAggregate(aggregate, recorded));

  it("rejects any other vector by its digest", () => {
    throwsCode(() => checkAggregate([...aggregate, 0n], recorded), "AGGREGATE_DIGEST_MISMATCH");
    throwsCode(
      () => checkAggregate(withError([{ seat: 1, shareSum: aggregate }], 1)[0]!.shareSum, recorded),
      "AGGREGATE_DIGEST_MISMATCH",
    );
  });

  it("rejects a signed vector that does not open the sum", () => {
    const other = [toField(aggregate[0]! + 1n), ...aggregate.slice(1)];
    throwsCode(
      () => checkAggregate(other, { ...recorded, digest: aggregateDigest(other) }),
      "AGGREGATE_EVALUATION_MISMATCH",
    );
  });

  it("needs the digest: one solved element fools the evaluation alone", () => {
    const shifted = toField(aggregate[1]! + 12345n);
    const correction = toField(aggregate[0]! - multiply(12345n, point));
    const forged = [correction, shifted, ...aggregate.slice(2)];
    assert.equal(evaluatePolynomial(forged, point), recorded.evaluation);
    throwsCode(() => checkAggregate(forged, recorded), "AGGREGATE_DIGEST_MISMATCH");
  });
});
