import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { randomElement } from "../../protocol/field.ts";
import { MASKS_PER_CHUNK } from "../../protocol/parameters.ts";
import { knowledgeOf, rankOf } from "../support/linear-view.ts";
import type { View } from "../support/linear-view.ts";
import { seededRandom } from "../support/random.ts";

const PACKED = 3;

/** Two honest clients, one chunk, t - 1 shares known, everything else as the protocol has it. */
function viewWith(changes: Partial<View> = {}): View {
  const random = seededRandom("mask rank");
  const threshold = changes.threshold ?? 2;
  return {
    chunks: 1,
    packed: PACKED,
    masksPerChunk: MASKS_PER_CHUNK,
    threshold,
    committeeSize: 3 * threshold - 2,
    knownShares: threshold - 1,
    weights: [1n, 1n],
    extraEvaluations: 0,
    extraChunkEvaluations: 0,
    abandonedAttempt: false,
    blindedWires: true,
    draw: () => randomElement(random),
    ...changes,
  };
}

describe("what a round publishes determines no functional of the updates but their weighted sum", function () {
  this.timeout(60_000);

  for (const weights of [
    [1n, 1n],
    [3n, 7n],
    [1n, 1n, 1n],
    [2n, 5n, 511n],
  ]) {
    for (const chunks of [1, 2, 3]) {
      for (const threshold of [2, 3]) {
        it(`for weights ${weights.join(", ")}, ${chunks} chunks, ${threshold - 1} of ${threshold} shares known`, () => {
          assert.deepEqual(knowledgeOf(viewWith({ weights, chunks, threshold })), {
            determined: chunks * PACKED,
            beyondSum: 0,
          });
        });
      }
    }
  }

  it("for five packed elements in a chunk", () => {
    assert.deepEqual(knowledgeOf(viewWith({ packed: 5, weights: [2n, 9n] })), { determined: 5, beyondSum: 0 });
  });

  it("for a client that the settlement left out: nothing of it, and only the sum of the others", () => {
    assert.deepEqual(knowledgeOf(viewWith({ weights: [1n, 4n, 0n], chunks: 2 })), {
      determined: 2 * PACKED,
      beyondSum: 0,
    });
  });

  it("for a client whose first attempt others saw, when the second is drawn afresh", () => {
    for (const chunks of [1, 2]) assert.equal(knowledgeOf(viewWith({ chunks, abandonedAttempt: true })).beyondSum, 0);
  });
});

describe("the mask count has no slack: each of these leaks", function () {
  this.timeout(60_000);

  it("two masks a chunk leak one functional at every number of chunks", () => {
    for (const chunks of [1, 2, 3])
      assert.equal(knowledgeOf(viewWith({ chunks, masksPerChunk: 2 })).beyondSum, 1, `${chunks} chunks`);
  });

  it("one mask a chunk leaks one functional for each chunk and one more", () => {
    for (const chunks of [1, 2, 3])
      assert.equal(knowledgeOf(viewWith({ chunks, masksPerChunk: 1 })).beyondSum, chunks + 1);
  });

  it("one more evaluation of one client's vector leaks at one chunk", () => {
    assert.equal(knowledgeOf(viewWith({ extraEvaluations: 1 })).beyondSum, 1);
    assert.equal(knowledgeOf(viewWith({ extraEvaluations: 2 })).beyondSum, 2);
  });

  it("a second challenge with the same masks leaks at every number of chunks", () => {
    for (const chunks of [1, 2, 3])
      assert.equal(knowledgeOf(viewWith({ chunks, extraChunkEvaluations: 1 })).beyondSum, 1);
  });

  it("a commitment to the wires without its blinder leaks", () => {
    assert.ok(knowledgeOf(viewWith({ blindedWires: false })).beyondSum > 0);
  });

  it("t known shares leak every update", () => {
    for (const threshold of [2, 3]) {
      assert.deepEqual(knowledgeOf(viewWith({ threshold, knownShares: threshold })), {
        determined: 2 * PACKED,
        beyondSum: PACKED,
      });
    }
  });

  it("a single honest client is its own sum", () => {
    assert.deepEqual(knowledgeOf(viewWith({ weights: [3n] })), { determined: PACKED, beyondSum: 0 });
  });
});

describe("the elimination behind these tests", () => {
  it("finds the rank of small matrices", () => {
    assert.equal(rankOf([]), 0);
    assert.equal(rankOf([[0n, 0n]]), 0);
    assert.equal(
      rankOf([
        [1n, 2n],
        [2n, 4n],
      ]),
      1,
    );
    assert.equal(
      rankOf([
        [0n, 2n],
        [3n, 4n],
        [3n, 6n],
      ]),
      2,
    );
  });
});
