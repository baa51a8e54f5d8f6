import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { DyadicRational } from "../../protocol/integers.ts";
import type { ModelState } from "../../protocol/model.ts";
import { initialState, nextModel } from "../../protocol/next-model.ts";
import type { ServerStep } from "../../protocol/next-model.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";

const ONE: DyadicRational = { numerator: 1, denominatorBits: 0 };
const ZERO: DyadicRational = { numerator: 0, denominatorBits: 0 };
const plain: ServerStep = { fractionalBits: 16, stepBits: 16, learningRate: ONE, momentum: ZERO };
const MAX = 2 ** 31 - 1;

function state(weights: readonly number[], velocity: readonly number[] = weights.map(() => 0)): ModelState {
  return { weights: Int32Array.from(weights), kept: [Int32Array.from(velocity)] };
}

/** floor(a/b + 1/2) for b > 0 by search: the definition, not the formula. */
function nearest(a: bigint, b: bigint): bigint {
  let candidate = a / b - 2n;
  while (2n * (candidate + 1n) * b <= 2n * a + b) candidate++;
  return candidate;
}

describe("the model after a round", () => {
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
      ([rows, totalWeight, serverStep]) => {
        const next = nextModel(
          state(
            rows.map(([weight]) => weight),
            rows.map(([, velocity]) => velocity),
          ),
          Int32Array.from(rows, ([, , sum]) => sum),
          totalWeight,
          serverStep,
        );
        rows.forEach(([weight, velocity, sum], i) => {
          const numerator =
            BigInt(sum) * BigInt(serverStep.learningRate.numerator) * 2n ** BigInt(serverStep.fractionalBits);
          const denominator =
            BigInt(totalWeight) * 2n ** BigInt(serverStep.stepBits + serverStep.learningRate.denominatorBits);
          const step = nearest(numerator, denominator);
          const kept = nearest(
            BigInt(velocity) * BigInt(serverStep.momentum.numerator),
            2n ** BigInt(serverStep.momentum.denominatorBits),
          );
          assert.equal(BigInt(next.kept[0]![i]!), step + kept);
          assert.equal(BigInt(next.weights[i]!), BigInt(weight) + step + kept);
        });
      },
      300,
    );
  });

  it("keeps a share of the last velocity and moves by the new one", () => {
    const step: ServerStep = { ...plain, momentum: { numerator: 1, denominatorBits: 1 } };
    const next = nextModel(state([100], [-3]), Int32Array.of(10), 1, step);
    assert.deepEqual([...next.kept[0]!], [9]);
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

describe("a task's first model", () => {
  it("starts at the nearest fixed-point weights, at rest", () => {
    const start = initialState(Float32Array.of(1, -1, 0.5, 2 ** -17, -(2 ** -17), -0), plain);
    assert.deepEqual([...start.weights], [65536, -65536, 32768, 1, 0, 0]);
    assert.deepEqual([...start.kept[0]!], [0, 0, 0, 0, 0, 0]);
  });

  it("refuses weights that are not finite or leave the range", () => {
    for (const value of [NaN, Infinity, -Infinity])
      throwsCode(() => initialState(Float32Array.of(0, value), plain), "MODEL_NOT_FINITE");
    for (const value of [32768, -32768, 3.4e38])
      throwsCode(() => initialState(Float32Array.of(value), plain), "MODEL_OVERFLOW");
  });
});
