import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { decodeModelState, encodeModelState } from "../../protocol/model.ts";
import type { ModelState } from "../../protocol/model.ts";
import { initialState, nextModel } from "../../protocol/next-model.ts";
import type { ServerStep } from "../../protocol/next-model.ts";
import { DEFAULT_RULE, ruleOf, SERVER_RULES } from "../../protocol/server-rules/registry.ts";
import type { ServerSettings } from "../../protocol/server-rules/registry.ts";
import type { Parameter } from "../../protocol/server-rules/server-rule.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { check } from "../support/properties.ts";

const MAX = 2 ** 31 - 1;
const DIMENSION = 5;
const STEP_BITS = 10;

function values(parameter: Parameter): fc.Arbitrary<unknown> {
  if (parameter.kind === "integer") return fc.integer({ min: parameter.least, max: parameter.most });
  return fc.record({
    numerator: fc.integer({ min: 0, max: parameter.kind === "fraction" ? 255 : 65_535 }),
    denominatorBits: fc.integer({ min: 8, max: 16 }),
  });
}

/** Any settings that a document can have for this rule, with learning rates and the like that do not leave int32. */
function stepsOf({ name, parameters }: (typeof SERVER_RULES)[number]): fc.Arbitrary<ServerStep> {
  const numbers = Object.entries(parameters).map(([key, parameter]) => [key, values(parameter)] as const);
  return fc
    .record({ fractionalBits: fc.integer({ min: 8, max: 16 }), ...Object.fromEntries(numbers) })
    .map((settings) => ({ ...settings, rule: name, stepBits: STEP_BITS }) as unknown as ServerStep);
}

const vector = (bound: number): fc.Arbitrary<Int32Array> =>
  fc.int32Array({ min: -bound, max: bound, minLength: DIMENSION, maxLength: DIMENSION });
const totalWeight = fc.integer({ min: 1, max: 511 });

describe("the server's rules", () => {
  it("have names of their own, and numbers that hide none of a document's", () => {
    assert.equal(new Set(SERVER_RULES.map(({ name }) => name)).size, SERVER_RULES.length);
    for (const { parameters } of SERVER_RULES)
      for (const taken of ["rule", "fractionalBits", "stepBits", "adaptiveClip"]) assert.ok(!(taken in parameters));
  });

  it("are the default one where a document names none", () => {
    const half = { numerator: 1, denominatorBits: 1 };
    const server: ServerSettings = { fractionalBits: 16, learningRate: half, momentum: half };
    assert.equal(SERVER_RULES[0], DEFAULT_RULE);
    assert.deepEqual(ruleOf(server).keeps, DEFAULT_RULE.keeps);
  });

  for (const rule of SERVER_RULES) {
    describe(rule.name, () => {
      const steps = stepsOf(rule);
      const stateOf = (bound: number): fc.Arbitrary<ModelState> =>
        fc.record({ weights: vector(bound), kept: fc.tuple(...rule.keeps.map(() => vector(bound / 16))) });

      it("gives equal results for equal arguments, and leaves them as they are", () => {
        check(fc.tuple(stateOf(2 ** 20), vector(2 ** 10), totalWeight, steps), ([state, sums, weight, step]) => {
          const before = encodeModelState(state);
          const [first, second] = [nextModel(state, sums, weight, step), nextModel(state, sums, weight, step)];
          assert.deepEqual(first, second);
          assert.deepEqual(encodeModelState(state), before);
        });
      });

      it("keeps the vectors that it names, which are read back from what is published", () => {
        check(fc.tuple(stateOf(2 ** 20), vector(2 ** 10), totalWeight, steps), ([state, sums, weight, step]) => {
          const next = nextModel(state, sums, weight, step);
          assert.deepEqual(
            next.kept.map(({ length }) => length),
            rule.keeps.map(() => DIMENSION),
          );
          assert.deepEqual(decodeModelState(encodeModelState(next), DIMENSION, rule.keeps.length), next);
        });
      });

      it("stays where it is at rest, when the clients' sum is zero", () => {
        check(fc.tuple(vector(MAX), totalWeight, steps), ([weights, weight, step]) => {
          const { kept } = initialState(new Float32Array(DIMENSION), step);
          assert.deepEqual(nextModel({ weights, kept }, new Int32Array(DIMENSION), weight, step).weights, weights);
        });
      });

      it("moves a weight from rest no further than it says, and never around the end of int32", () => {
        const anySum = fc.int32Array({ min: -MAX, max: MAX, minLength: DIMENSION, maxLength: DIMENSION });
        const edges = fc.constantFrom(MAX, -MAX, MAX - 1, 0).map((value) => new Int32Array(DIMENSION).fill(value));
        check(fc.tuple(edges, anySum, totalWeight, steps), ([weights, sums, weight, step]) => {
          const { kept } = initialState(new Float32Array(DIMENSION), step);
          const largestSum = sums.reduce((most, sum) => Math.max(most, Math.abs(sum)), 0);
          const most = ruleOf(step).largestMove((largestSum / weight) * 2 ** (step.fractionalBits - STEP_BITS));
          let next: ModelState;
          try {
            next = nextModel({ weights, kept }, sums, weight, step);
          } catch (error) {
            assert.ok(isVerisumError(error, "MODEL_OVERFLOW"));
            assert.ok(Math.abs(weights[0]!) + most >= MAX, "nothing left the range");
            return;
          }
          next.weights.forEach((value, i) => assert.ok(Math.abs(value - weights[i]!) <= most + 1, `${value}`));
        });
      });
    });
  }
});
