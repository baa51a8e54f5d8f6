import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import fc from "fast-check";
import { concat, id, keccak256, sha256, toBeHex, zeroPadValue } from "ethers";
import { DIGEST_LEAF_BYTES, FIELD_ORDER } from "../../protocol/parameters.ts";
import {
  aggregateDigest,
  decodeModelState,
  encodeModelState,
  floatWeights,
  initialState,
  modelDigest,
  nextModel,
} from "../../protocol/model.ts";
import { leafDigest } from "../../protocol/transcript.ts";
import type { ModelState, ServerRule } from "../../protocol/model.ts";
import type { DyadicRational } from "../../protocol/integers.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const ONE: DyadicRational = { numerator: 1, denominatorBits: 0 };
const ZERO: DyadicRational = { numerator: 0, denominatorBits: 0 };
const plain: ServerRule = { fractionalBits: 16, stepBits: 16, learningRate: ONE, momentum: ZERO };
const MAX = 2 ** 31 - 1;

function state(weights: readonly number[], velocity: readonly number[] = weights.map(() => 0)): ModelState {
  return { weights: Int32Array.from(weights), velocity: Int32Array.from(velocity) };
}

/** floor(a/b + 1/2) for b > 0 by search: the definition, not the formula. */
function nearest(a: bigint, b: bigint): bigint {
  let candidate = a / b - 2n;
  while (2n * (candidate + 1n) * b <= 2n * a + b) candidate++;
  return candidate;
}

describe("nextModel", () => {
  it("adds the weighted mean, rounded to nearest with halves up, for either sign", () => {
    const cases: readonly [sum: number, weight: number, expected: number][] = [
      [1, 2, 1],
      [-1, 2, 0],
      [3, 2, 2],
      [-3, 2, -1],
      [1, 3, 0],
      [2, 3, 1],
      [-2, 3, -1],
      [-1, 3, 0],
      [5, 10, 1],
      [-5, 10, 0],
      [0, 7, 0],
      [-7, 7, -1],
    ];
    for (const [sum, weight, expected] of cases) {
      assert.equal(nextModel(state([0]), Int32Array.of(sum), weight, plain).weights[0], expected, `${sum}/${weight}`);
    }
  });

  it("equals exact rational arithmetic for every rule", () => {
    const int = (bound: number): fc.Arbitrary<number> => fc.integer({ min: -bound, max: bound });
    const dyadic = fc.record({
      numerator: fc.integer({ min: 0, max: 65_535 }),
      denominatorBits: fc.integer({ min: 12, max: 16 }),
    });
    const rule = fc.record({
      fractionalBits: fc.integer({ min: 8, max: 20 }),
      stepBits: fc.integer({ min: 8, max: 20 }),
      learningRate: dyadic,
      momentum: dyadic,
    });
    check(
      fc.tuple(
        fc.array(fc.tuple(int(2 ** 29), int(2 ** 20), int(2 ** 10)), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 511 }),
        rule,
      ),
      ([rows, totalWeight, serverRule]) => {
        const next = nextModel(
          state(
            rows.map(([weight]) => weight),
            rows.map(([, velocity]) => velocity),
          ),
          Int32Array.from(rows, ([, , sum]) => sum),
          totalWeight,
          serverRule,
        );
        rows.forEach(([weight, velocity, sum], i) => {
          const numerator =
            BigInt(sum) * BigInt(serverRule.learningRate.numerator) * 2n ** BigInt(serverRule.fractionalBits);
          const denominator =
            BigInt(totalWeight) * 2n ** BigInt(serverRule.stepBits + serverRule.learningRate.denominatorBits);
          const step = nearest(numerator, denominator);
          const kept = nearest(
            BigInt(velocity) * BigInt(serverRule.momentum.numerator),
            2n ** BigInt(serverRule.momentum.denominatorBits),
          );
          assert.equal(BigInt(next.velocity[i]!), step + kept);
          assert.equal(BigInt(next.weights[i]!), BigInt(weight) + step + kept);
        });
      },
      300,
    );
  });

  it("keeps a share of the last velocity and moves by the new one", () => {
    const rule: ServerRule = { ...plain, momentum: { numerator: 1, denominatorBits: 1 } };
    const next = nextModel(state([100], [-3]), Int32Array.of(10), 1, rule);
    assert.deepEqual([...next.velocity], [9]);
    assert.deepEqual([...next.weights], [109]);
  });

  it("does not change its arguments", () => {
    const base = state([1], [1]);
    nextModel(base, Int32Array.of(5), 1, { ...plain, momentum: ONE });
    assert.deepEqual(base, state([1], [1]));
  });

  it("reaches the ends of the fixed-point range and goes no further", () => {
    assert.equal(nextModel(state([MAX - 1]), Int32Array.of(1), 1, plain).weights[0], MAX);
    assert.equal(nextModel(state([1 - MAX]), Int32Array.of(-1), 1, plain).weights[0], -MAX);
    throwsCode(() => nextModel(state([MAX]), Int32Array.of(1), 1, plain), "MODEL_OVERFLOW");
    throwsCode(() => nextModel(state([-MAX]), Int32Array.of(-1), 1, plain), "MODEL_OVERFLOW");
    throwsCode(
      () => nextModel(state([-MAX], [MAX]), Int32Array.of(1), 1, { ...plain, momentum: ONE }),
      "MODEL_OVERFLOW",
    );
  });

  it("refuses lengths that differ and a total weight without a mean", () => {
    throwsCode(() => nextModel(state([1, 2]), Int32Array.of(1), 1, plain), "UPDATE_LENGTH");
    throwsCode(() => nextModel(state([1, 2], [1]), Int32Array.of(1, 2), 1, plain), "UPDATE_LENGTH");
    for (const weight of [0, -1, 1.5, NaN])
      throwsCode(() => nextModel(state([1]), Int32Array.of(1), weight, plain), "PARAMETERS_INVALID");
  });
});

describe("the model's state", () => {
  it("starts at the nearest fixed-point weights, at rest", () => {
    const start = initialState(Float32Array.of(1, -1, 0.5, 2 ** -17, -(2 ** -17), -0), 16);
    assert.deepEqual([...start.weights], [65536, -65536, 32768, 1, 0, 0]);
    assert.deepEqual([...start.velocity], [0, 0, 0, 0, 0, 0]);
  });

  it("refuses weights that are not finite or leave the range", () => {
    for (const value of [NaN, Infinity, -Infinity])
      throwsCode(() => initialState(Float32Array.of(0, value), 16), "UPDATE_NOT_FINITE");
    for (const value of [32768, -32768, 3.4e38])
      throwsCode(() => initialState(Float32Array.of(value), 16), "MODEL_OVERFLOW");
  });

  it("derives floats that give the same integers again", () => {
    check(fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 }), { maxLength: 20 }), (weights) => {
      assert.deepEqual(initialState(floatWeights(state(weights), 16), 16).weights, Int32Array.from(weights));
    });
  });

  it("is written as little-endian weights, then velocity, and read back", () => {
    const bytes = encodeModelState(state([1, -2], [3, -4]));
    assert.deepEqual([...bytes], [1, 0, 0, 0, 254, 255, 255, 255, 3, 0, 0, 0, 252, 255, 255, 255]);
    assert.deepEqual(decodeModelState(bytes, 2), state([1, -2], [3, -4]));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    assert.deepEqual(decodeModelState(shifted.subarray(1), 2), state([1, -2], [3, -4]));
  });

  it("refuses truncated and trailing bytes", () => {
    const bytes = encodeModelState(state([1, 2]));
    throwsCode(() => decodeModelState(bytes.subarray(1), 2), "ENCODING_LENGTH");
    throwsCode(() => decodeModelState(Uint8Array.of(...bytes, 0), 2), "ENCODING_LENGTH");
    throwsCode(() => decodeModelState(bytes, 1), "ENCODING_LENGTH");
  });
});

describe("digests over leaves", () => {
  it("equal keccak over the tag, the length and each leaf's sha-256, by another library", () => {
    for (const length of [
      0,
      1,
      DIGEST_LEAF_BYTES - 1,
      DIGEST_LEAF_BYTES,
      DIGEST_LEAF_BYTES + 1,
      3 * DIGEST_LEAF_BYTES,
    ]) {
      const bytes = seededRandom("leaves")(length);
      const leaves = Array.from({ length: Math.ceil(length / DIGEST_LEAF_BYTES) }, (_, i) =>
        sha256(bytes.subarray(i * DIGEST_LEAF_BYTES, (i + 1) * DIGEST_LEAF_BYTES)),
      );
      assert.equal(
        leafDigest("model", bytes),
        keccak256(concat([id("verisum.v1.model"), zeroPadValue(toBeHex(length), 32), ...leaves])),
      );
    }
  });

  it("differ between a model and an aggregate of the same bytes, and with any byte or length", () => {
    const bytes = new Uint8Array(DIGEST_LEAF_BYTES + 5);
    const digest = leafDigest("model", bytes);
    assert.notEqual(leafDigest("aggregate", bytes), digest);
    assert.notEqual(leafDigest("share", bytes), digest);
    assert.notEqual(leafDigest("model", bytes.subarray(1)), digest);
    for (const at of [0, DIGEST_LEAF_BYTES - 1, DIGEST_LEAF_BYTES, DIGEST_LEAF_BYTES + 4]) {
      const flipped = bytes.slice();
      flipped[at] = 1;
      assert.notEqual(leafDigest("model", flipped), digest);
    }
  });

  it("hold for the golden vectors", () => {
    const { digests } = JSON.parse(readFileSync(new URL("../vectors/transcript.json", import.meta.url), "utf8")) as {
      digests: { kind: string; count: number; digest: string }[];
    };
    assert.equal(digests.length, 6);
    for (const { kind, count, digest } of digests) {
      const indexes = Array.from({ length: count }, (_, i) => i);
      if (kind === "model")
        assert.equal(
          modelDigest(
            state(
              indexes.map((i) => i * (-1) ** i),
              indexes.map((i) => 3 * i - count),
            ),
          ),
          digest,
        );
      else
        assert.equal(aggregateDigest(indexes.map((i) => (i % 2 === 0 ? BigInt(i) : FIELD_ORDER - BigInt(i)))), digest);
    }
  });

  it("cover the velocity as well as the weights", () => {
    assert.notEqual(modelDigest(state([1], [2])), modelDigest(state([1], [3])));
    assert.notEqual(modelDigest(state([1], [2])), modelDigest(state([2], [2])));
  });
});
