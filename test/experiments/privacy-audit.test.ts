/** Runs of the real mechanisms never prove more than is stated, and would notice half the noise. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { auditClients, auditExamples } from "../../experiments/privacy/audit-mechanisms.ts";
import { epsilonLowerBound, lowerProbability, upperProbability } from "../../experiments/privacy/epsilon-bound.ts";
import { seededStream } from "../support/random.ts";

const CONFIDENCE = 0.95;
const DELTA = 0.01;
/** As a part of the standard deviation that is stated. */
const HALF = 0.5;
/** Four rows of two classes, all alike: only the canary moves the statistic. */
const ROWS = {
  features: new Float32Array(16).fill(0.1),
  labels: Int32Array.of(0, 1, 0, 1),
  exampleCount: 4,
  featureShape: [4],
  classCount: 2,
};

describe("the audit of client-level noise", function () {
  this.timeout(30_000);
  for (const [epsilon, rounds] of [
    [1, 1],
    [2, 2],
  ] as const) {
    const measure = (noisePart: number): { stated: number; measured: number } => {
      const setting = { clients: 3, dimension: 8, clipSteps: 60, rounds, epsilon, delta: DELTA };
      const { statedEpsilon, observations } = auditClients(setting, {
        trials: 16_000,
        noisePart,
        random: seededStream(`audit ${epsilon} ${rounds} ${noisePart}`),
      });
      return { stated: statedEpsilon, measured: epsilonLowerBound(observations, DELTA, CONFIDENCE).epsilon };
    };
    it(`proves no more than epsilon ${epsilon} of ${rounds} rounds, and more with half the noise`, () => {
      const right = measure(1);
      assert.ok(right.measured <= right.stated && right.measured > right.stated / 4, JSON.stringify(right));
      const wrong = measure(HALF);
      assert.ok(wrong.measured > wrong.stated, JSON.stringify(wrong));
    });
  }
});

describe("the audit of example-level noise", function () {
  this.timeout(30_000);
  it("proves no more than epsilon 1 of a step, and more with half the noise", async () => {
    const measure = async (noisePart: number): Promise<{ stated: number; measured: number }> => {
      const setting = { data: ROWS, samplingRate: 1, steps: 1, epsilon: 1, delta: DELTA };
      const { statedEpsilon, observations } = await auditExamples(setting, {
        trials: 5_000,
        noisePart,
        random: seededStream(`audit of examples ${noisePart}`),
      });
      return { stated: statedEpsilon, measured: epsilonLowerBound(observations, DELTA, CONFIDENCE).epsilon };
    };
    const right = await measure(1);
    assert.ok(right.measured <= right.stated && right.measured > 0, JSON.stringify(right));
    const wrong = await measure(HALF);
    assert.ok(wrong.measured > wrong.stated, JSON.stringify(wrong));
  });
});

describe("the bound of an audit", () => {
  it("takes the probabilities' limits of Clopper and Pearson", () => {
    // Two-sided 95 %, as tabulated: 10 of 100, 0 of 100, 50 of 100.
    for (const [successes, low, high] of [
      [10, 0.0490047, 0.1762226],
      [0, 0, 0.0362167],
      [50, 0.3983211, 0.6016789],
    ] as const) {
      assert.ok(Math.abs(lowerProbability(successes, 100, 0.025) - low) < 1e-6);
      assert.ok(Math.abs(upperProbability(successes, 100, 0.025) - high) < 1e-6);
    }
    assert.equal(upperProbability(100, 100, 0.025), 1);
    assert.ok(upperProbability(20_000, 40_000, 0.025) < 0.505 && lowerProbability(20_000, 40_000, 0.025) > 0.495);
  });

  it("is zero where both neighbours look alike, and grows with the runs where they never do", () => {
    const ramp = (count: number, from: number): Float64Array =>
      Float64Array.from({ length: count }, (_, i) => from + ((i * 7919) % count) / count);
    assert.equal(epsilonLowerBound({ with: ramp(1_000, 0), without: ramp(1_000, 0) }, DELTA, CONFIDENCE).epsilon, 0);
    const apart = [100, 1_000, 10_000].map(
      (count) => epsilonLowerBound({ with: ramp(count, 5), without: ramp(count, 0) }, DELTA, CONFIDENCE).epsilon,
    );
    assert.ok(apart[0]! > 0 && apart[1]! > apart[0]! && apart[2]! > apart[1]!, apart.join());
    assert.throws(() => epsilonLowerBound({ with: ramp(3, 0), without: ramp(3, 0) }, DELTA, CONFIDENCE), RangeError);
  });
});
