import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { ModelState } from "../../protocol/model.ts";
import { initialState, nextModel } from "../../protocol/next-model.ts";
import { fedAdam } from "../../protocol/server-rules/fedadam.ts";
import type { SettingsOf } from "../../protocol/server-rules/server-rule.ts";
import { throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";

type Settings = SettingsOf<typeof fedAdam.parameters>;

/** Moments are in sixteenths of a weight's unit, so tau is 2^(16 + 4 − 16) = 16 of them. */
const settings: Settings = {
  fractionalBits: 16,
  learningRate: { numerator: 1, denominatorBits: 10 },
  beta1: { numerator: 1, denominatorBits: 1 },
  beta2: { numerator: 3, denominatorBits: 2 },
  tauBits: 16,
};

function state(weight: number, firstMoment: number, secondMomentRoot: number): ModelState {
  return { weights: Int32Array.of(weight), kept: [Int32Array.of(firstMoment), Int32Array.of(secondMomentRoot)] };
}

/** The state after a round with this sum, in weights' units, of clients whose weights add up to `totalWeight`. */
function next(before: ModelState, sum: number, totalWeight = 1, changed: Partial<Settings> = {}): ModelState {
  const rule = { ...settings, ...changed };
  return nextModel(before, Int32Array.of(sum), totalWeight, {
    rule: "fedadam",
    stepBits: rule.fractionalBits,
    ...rule,
  });
}

describe("fedadam", () => {
  it("moves by the first moment over the root of the second, each rounded as it states", () => {
    // d = 160; m = 80; s = root(6400) = 80; 64·80/(80 + 16) = 53.3
    assert.deepEqual(next(state(100, 0, 0), 10), state(153, 80, 80));
    assert.deepEqual(next(state(100, 0, 0), -10), state(47, -80, 80));
    // d = 16·10/3 = 53.3, so 53; m = 26.5, so 27; s = root(702.25) = 26.5, so 27; 64·27/43 = 40.2
    assert.deepEqual(next(state(0, 0, 0), 10, 3), state(40, 27, 27));
    // d = −53; m = −26.5, so −26; 64·−26/43 = −38.7
    assert.deepEqual(next(state(0, 0, 0), -10, 3), state(-39, -26, 27));
    // d = 0; m = 40; s = root(4800) = 69.3, so 70; 64·40/86 = 29.8
    assert.deepEqual(next(state(0, 80, 80), 0), state(30, 40, 70));
    // s = root(3/4), so 1
    assert.deepEqual(next(state(0, 0, 1), 0), state(0, 0, 1));
  });

  it("has a divisor of at least one unit of the moments, however small tau is", () => {
    // m = round(1/2) = 1 and s = 0, in a state that only another sum could have left
    assert.deepEqual(next(state(0, 1, 0), 0, 1, { tauBits: 24 }), state(64, 1, 0));
  });

  it("counts the rounding of the first moment in how far it says that a round moves", () => {
    // d = 2^15; m = 1/2, so 1; s = 2^15/2^8 = 128; 2^16/(128 + 1) = 508, where the exact m would move half as far
    const slow = { numerator: 65_535, denominatorBits: 16 };
    const changed = { learningRate: { numerator: 1, denominatorBits: 0 }, beta1: slow, beta2: slow, tauBits: 24 };
    const moved = next(state(0, 0, 0), 2 ** 11, 1, changed);
    assert.deepEqual(moved, state(508, 1, 128));
    assert.ok(fedAdam.largestMove(2 ** 11, { ...settings, ...changed }) >= 508);
  });

  it("follows the published rule in real numbers, over many rounds", () => {
    const learningRate = { numerator: 1, denominatorBits: 5 };
    const fine: Settings = { ...settings, fractionalBits: 20, tauBits: 8, learningRate };
    const update = fc.integer({ min: -(2 ** 18), max: 2 ** 18 });
    check(fc.array(update, { minLength: 1, maxLength: 30 }), (updates) => {
      let integers = state(0, 0, 0);
      let [weight, first, second] = [0, 0, 0];
      for (const sum of updates) {
        integers = next(integers, sum, 1, fine);
        const mean = sum / 2 ** 20;
        first = first / 2 + mean / 2;
        second = (3 * second) / 4 + mean ** 2 / 4;
        weight += first / (Math.sqrt(second) + 2 ** -8) / 32;
      }
      assert.ok(Math.abs(integers.weights[0]! / 2 ** 20 - weight) < updates.length * 2 ** -19);
    });
  });

  it("moves weights by the learning rate in each round, long or short as the updates are", () => {
    for (const sum of [2 ** 12, 2 ** 20]) {
      let before = initialState(Float32Array.of(0), { rule: "fedadam", ...settings });
      for (let round = 0; round < 50; round++) before = next(before, sum);
      assert.equal(next(before, sum).weights[0]! - before.weights[0]!, 64);
    }
  });

  it("refuses a weight and moments that leave int32", () => {
    throwsCode(() => next(state(2 ** 31 - 1, 0, 0), 10), "MODEL_OVERFLOW");
    const forgetful = { numerator: 0, denominatorBits: 0 };
    const slow = { numerator: 65_535, denominatorBits: 16 };
    assert.equal(next(state(0, 0, 0), 2 ** 27 - 1, 1, { beta1: forgetful }).kept[0]![0], 2 ** 31 - 16);
    throwsCode(() => next(state(0, 0, 0), 2 ** 27, 1, { beta1: forgetful, beta2: slow }), "MODEL_OVERFLOW");
    throwsCode(() => next(state(0, 0, 0), 2 ** 27, 1, { beta1: slow, beta2: forgetful }), "MODEL_OVERFLOW");
  });
});
