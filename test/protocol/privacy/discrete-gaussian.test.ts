import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { discreteGaussian, MAX_STD_DEV } from "../../../protocol/privacy/discrete-gaussian.ts";
import { throwsCode } from "../../support/errors.ts";
import { seededRandom } from "../../support/random.ts";

const SAMPLES = 20_000;

/**
 * Chi-squared statistic of samples against the discrete Gaussian, and its degrees of freedom; sparse tails are pooled.
 */
function chiSquared(samples: Iterable<number>, variance: number): { statistic: number; freedom: number } {
  const reach = Math.ceil(8 * Math.sqrt(variance));
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * variance)));
  const total = weights.reduce((a, b) => a + b, 0);
  const counts = Array<number>(weights.length).fill(0);
  let n = 0;
  for (const value of samples) {
    counts[value + reach]!++;
    n++;
  }
  let [statistic, cells, pooledCount, pooledExpected] = [0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    pooledCount += counts[i]!;
    pooledExpected += (n * weights[i]!) / total;
    if (pooledExpected < 10) continue;
    statistic += (pooledCount - pooledExpected) ** 2 / pooledExpected;
    [pooledCount, pooledExpected] = [0, 0];
    cells++;
  }
  return { statistic, freedom: cells - 1 };
}

/** Five standard deviations of a chi-squared variable above its mean: false alarms below 1 in 10^5. */
const looksRight = ({ statistic, freedom }: { statistic: number; freedom: number }): boolean =>
  statistic < freedom + 5 * Math.sqrt(2 * freedom) + 8;

describe("discrete Gaussian sampler", () => {
  for (const variance of [1, 2, 9, 30, 400, 1000]) {
    it(`draws from the right distribution for variance ${variance}`, () => {
      assert.ok(
        looksRight(chiSquared(discreteGaussian(variance, SAMPLES, seededRandom(`gaussian ${variance}`)), variance)),
      );
    });
  }

  it("is told apart from samplers that are slightly wrong, so that the test has power", () => {
    const samples = discreteGaussian(9, 150_000, seededRandom("planted"));
    assert.ok(looksRight(chiSquared(samples, 9)));
    assert.ok(!looksRight(chiSquared(samples, 9 * 1.0625)), "variance off by a sixteenth");
    assert.ok(
      !looksRight(
        chiSquared(
          Array.from(samples, (value, i) => (i % 15 === 0 ? value + 1 : value)),
          9,
        ),
      ),
      "mean off by a fifteenth",
    );
    assert.ok(
      !looksRight(
        chiSquared(
          Array.from(samples, (value) => (value === 0 ? 1 : value)),
          9,
        ),
      ),
      "zero missing",
    );
  });

  it("has the mean, variance and fourth moment of a wide Gaussian", () => {
    const stdDev = MAX_STD_DEV;
    const samples = discreteGaussian(stdDev ** 2, SAMPLES, seededRandom("wide"));
    const moment = (order: number): number =>
      samples.reduce((sum, value) => sum + (value / stdDev) ** order, 0) / SAMPLES;
    assert.ok(Math.abs(moment(1)) < 5 / Math.sqrt(SAMPLES));
    assert.ok(Math.abs(moment(2) - 1) < 5 * Math.sqrt(2 / SAMPLES));
    assert.ok(Math.abs(moment(4) - 3) < 5 * Math.sqrt(96 / SAMPLES));
  });

  it("leaves no gaps in the low bits of wide samples", () => {
    const residues = new Array<number>(16).fill(0);
    for (const value of discreteGaussian(MAX_STD_DEV ** 2, SAMPLES, seededRandom("gaps")))
      residues[((value % 16) + 16) % 16]!++;
    const expected = SAMPLES / 16;
    const statistic = residues.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    assert.ok(looksRight({ statistic, freedom: 15 }));
  });

  it("gives the same samples for the same bytes and other samples for other bytes", () => {
    assert.deepEqual(discreteGaussian(100, 50, seededRandom("a")), discreteGaussian(100, 50, seededRandom("a")));
    assert.notDeepEqual(discreteGaussian(100, 50, seededRandom("a")), discreteGaussian(100, 50, seededRandom("b")));
  });

  it("refuses variances for which its integers would not be exact", () => {
    for (const variance of [0, -1, 0.5, NaN, Infinity, 2 ** 20 + 1, (2 ** 20 + 1) ** 2]) {
      throwsCode(() => discreteGaussian(variance, 1, seededRandom("bad")), "PRIVACY_PARAMETERS_INVALID");
    }
  });
});
