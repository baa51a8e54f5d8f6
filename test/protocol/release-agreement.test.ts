import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { randomElements, toField } from "../../protocol/field.ts";
import {
  fingerprintsOf,
  majorityOf,
  MAX_SUBSETS,
  releasesOff,
  subsetsToTry,
} from "../../protocol/release-agreement.ts";
import type { Fingerprints } from "../../protocol/release-agreement.ts";
import { drawSharing, shareFor } from "../../protocol/sharing.ts";
import { seededRandom } from "../support/random.ts";

const secret = [5n];

/** Shares of one element as fingerprints, those at `wrong` moved by different amounts. */
function prints(threshold: number, count: number, wrong: readonly number[]): Fingerprints {
  const { coefficients } = drawSharing(threshold, secret, seededRandom(`${threshold} of ${count}`));
  const seats = Array.from({ length: count }, (_, i) => i + 1);
  return {
    rho: 77n,
    seats,
    values: seats.map((seat, i) =>
      toField(shareFor(seat, secret, coefficients)[0]! + (wrong.includes(i) ? BigInt(i + 1) : 0n)),
    ),
  };
}

describe("fingerprints of releases", () => {
  const vectors = [1, 2].map((seat) => ({ seat, shareSum: randomElements(4, seededRandom(String(seat))) }));

  it("are taken at a point that every element of every release moves", () => {
    const { rho } = fingerprintsOf(vectors);
    for (const at of [0, 1]) {
      for (let e = 0; e < 4; e++) {
        const moved = vectors.map(({ seat, shareSum }, i) => ({
          seat,
          shareSum: shareSum.map((value, k) => (i === at && k === e ? toField(value + 1n) : value)),
        }));
        assert.notEqual(fingerprintsOf(moved).rho, rho);
      }
    }
    assert.notEqual(fingerprintsOf([...vectors].reverse()).rho, rho);
  });
});

describe("subsets to try", () => {
  const listed = (count: number, size: number): string[] => [...subsetsToTry(prints(2, count, []), size)].map(String);

  it("are all subsets in lexicographic order while they are few", () => {
    assert.deepEqual(listed(4, 2), ["0,1", "0,2", "0,3", "1,2", "1,3", "2,3"]);
    assert.deepEqual(listed(3, 3), ["0,1,2"]);
    assert.equal(new Set(listed(13, 7)).size, 1716);
  });

  it("are a bounded number of different ones, ascending and in range, when they are many", () => {
    const drawn = [...subsetsToTry(prints(2, 32, []), 11)];
    assert.equal(drawn.length, MAX_SUBSETS);
    assert.ok(new Set(drawn.map(String)).size > MAX_SUBSETS * 0.99);
    for (const subset of drawn)
      assert.ok(subset.length === 11 && subset.every((item, i) => item > (subset[i - 1] ?? -1) && item < 32));
  });
});

describe("which releases agree", () => {
  it("is told while at most (m - t)/2 are wrong, and not beyond", () => {
    for (const [threshold, count] of [
      [2, 4],
      [3, 7],
      [3, 6],
      [4, 10],
    ] as const) {
      for (let errors = 0; errors <= count - threshold; errors++) {
        const wrong = Array.from({ length: errors }, (_, i) => (2 * i) % count);
        const right = Array.from({ length: count }, (_, i) => i).filter((i) => !wrong.includes(i));
        const tellable = 2 * right.length >= count + threshold;
        assert.deepEqual(
          majorityOf(threshold, prints(threshold, count, wrong)),
          tellable ? right : undefined,
          `t ${threshold}, ${wrong.join(",")} of ${count}`,
        );
      }
    }
  });

  it("gives blame only if 2t - 2 lie on a polynomial through the aggregate", () => {
    assert.deepEqual(releasesOff(3, prints(3, 5, [0]), 5n), [0]);
    assert.deepEqual(releasesOff(3, prints(3, 6, [1, 4]), 5n), [1, 4]);
    assert.deepEqual(releasesOff(3, prints(3, 5, [1, 4]), 5n), []);
    assert.deepEqual(releasesOff(3, prints(3, 7, [0, 1]), 6n), []);
  });
});
