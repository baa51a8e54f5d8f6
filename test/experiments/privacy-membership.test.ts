/** Guesses about coins never prove more than is true, and real training on real records gives away what it should. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { selectExamples } from "../../learning/examples.ts";
import type { Dataset } from "../../learning/examples.ts";
import { DIGITS_MLP } from "../../learning/model.ts";
import { composedEpsilon } from "../../protocol/privacy/rdp-accountant.ts";
import { estimateCoefficients } from "../../experiments/privacy/linear-estimate.ts";
import { auditMembership, mislabelled, rightGuesses } from "../../experiments/privacy/membership-attack.ts";
import { epsilonFromGuesses, guessProbability } from "../../experiments/privacy/one-run-bound.ts";
import { seededStream } from "../support/random.ts";

const CONFIDENCE = 0.95;
const DELTA = 1e-5;
const LINEAR = { ...DIGITS_MLP, hidden: [] };

describe("the bound of one run", () => {
  it("gives the values that its authors print", () => {
    // Appendix D and section 7 of arXiv 2305.08846.
    assert.ok(Math.abs(epsilonFromGuesses({ coins: 1_000, guesses: 100, right: 75 }, 1e-4, CONFIDENCE) - 0.673) < 1e-3);
    assert.ok(
      Math.abs(epsilonFromGuesses({ coins: 100_000, guesses: 1_510, right: 1_439 }, 1e-5, CONFIDENCE) - 2.675) < 1e-3,
    );
  });

  it("is the enumeration of all answers and of what delta adds", () => {
    for (const [guesses, epsilon, delta] of [
      [1, 0, 0],
      [5, 0.7, 0],
      [7, 1.3, 0.01],
      [10, 3, 1e-3],
    ] as const) {
      const coins = guesses + 3;
      const probability = (from: number, to: number): number => {
        let sum = 0;
        for (let answers = 0; answers < 2 ** guesses; answers++) {
          const right = answers.toString(2).replaceAll("0", "").length;
          if (right >= from && right < to) sum += Math.exp(epsilon * right) / (1 + Math.exp(epsilon)) ** guesses;
        }
        return sum;
      };
      for (let right = 0; right <= guesses; right++) {
        const steepest = Math.max(
          0,
          ...Array.from({ length: right }, (_, i) => probability(right - i - 1, right) / (i + 1)),
        );
        const expected = Math.min(1, probability(right, Infinity) + 2 * coins * delta * steepest);
        assert.ok(
          Math.abs(guessProbability({ coins, guesses, right }, epsilon, delta) - expected) < 1e-12,
          `${right} of ${guesses}`,
        );
      }
    }
  });

  it("proves more with more right guesses, and less with more coins, delta or confidence", () => {
    const proven = (right: number, coins: number, delta: number, confidence: number): number =>
      epsilonFromGuesses({ coins, guesses: 200, right }, delta, confidence);
    const grows = (values: readonly number[]): void =>
      values.slice(1).forEach((value, i) => assert.ok(value > values[i]!, values.join()));
    grows([120, 140, 160, 180, 200].map((right) => proven(right, 1_000, DELTA, CONFIDENCE)));
    grows([100_000, 10_000, 200].map((coins) => proven(160, coins, DELTA, CONFIDENCE)));
    grows([1e-3, 1e-4, 0].map((delta) => proven(160, 200, delta, CONFIDENCE)));
    grows([0.999, 0.99, 0.9].map((confidence) => proven(160, 200, 0, confidence)));
    assert.equal(proven(100, 1_000, DELTA, CONFIDENCE), 0);
    assert.equal(proven(0, 1_000, DELTA, CONFIDENCE), 0);
    for (const counted of [
      { coins: 1, guesses: 2, right: 1 },
      { coins: 2, guesses: 1, right: 2 },
      { coins: 2, guesses: 2, right: 0.5 },
    ])
      assert.throws(() => guessProbability(counted, 1, 0), RangeError);
  });

  it("is above the truth of randomised response no more often than it says, and hardly less often", () => {
    for (const [trials, epsilon] of [
      [50, 1],
      [400, 0.5],
      [400, 4],
    ] as const) {
      const truth = 1 / (1 + Math.exp(-epsilon));
      let wrong = 0;
      let logTerm = trials * Math.log1p(-truth);
      for (let right = 0; right <= trials; right++) {
        if (epsilonFromGuesses({ coins: trials, guesses: trials, right }, 0, CONFIDENCE) > epsilon + 1e-9)
          wrong += Math.exp(logTerm);
        logTerm += Math.log((trials - right) / (right + 1)) + epsilon;
      }
      assert.ok(
        wrong <= 1 - CONFIDENCE && wrong > (1 - CONFIDENCE) / 5,
        `${trials} trials, epsilon ${epsilon}: ${wrong}`,
      );
    }
  });
});

describe("membership inference", function () {
  this.timeout(30_000);

  it("takes the highest scores for records that are in and the lowest for those that are out", () => {
    const scores = Float64Array.of(0.5, 3, -2, 2, -1, 0);
    assert.equal(rightGuesses(scores, Uint8Array.of(0, 1, 0, 1, 0, 1), 4), 4);
    assert.equal(rightGuesses(scores, Uint8Array.of(0, 0, 1, 1, 0, 1), 4), 2);
  });

  it("finds how often vectors are in a sum without noise, and nothing where all is noise", () => {
    const vectors = [Float64Array.of(1, 2, 0), Float64Array.of(0, 1, 1)];
    const sum = Float64Array.of(3, 6 - 2, -2);
    const priors = vectors.map(() => ({ mean: 1, variance: 4 }));
    [2, -3].forEach((expected, i) =>
      assert.ok(Math.abs(estimateCoefficients(sum, vectors, priors, 1e-9)[i]! - expected) < 1e-6),
    );
    for (const value of estimateCoefficients(sum, vectors, priors, 1e9)) assert.ok(Math.abs(value) < 1e-6);
  });

  it("gives every mislabelled record another class, and keeps its pixels", async () => {
    const { train } = await loadDataset("digits");
    const wrong = mislabelled(train, seededStream("labels"));
    assert.ok(wrong.labels.every((label, i) => label !== train.labels[i] && label >= 0 && label < train.classCount));
    assert.equal(wrong.features, train.features);
  });

  for (const [noisePart, verdict] of [
    [1, "no more than"],
    [0.02, "more than"],
  ] as const) {
    it(`proves ${verdict} what is stated with ${noisePart} of the noise`, async () => {
      const samplingRate = 0.5;
      const steps = 20;
      const stated = { noiseMultiplier: 5.5, samplingRate, steps };
      const { epsilon } = composedEpsilon([stated], DELTA);
      assert.ok(epsilon > 1.5 && epsilon < 2);
      const random = seededStream(`membership ${noisePart}`);
      const options = {
        learningRate: 1,
        momentum: 0,
        batchSize: 50,
        localEpochs: 1,
        seed: 0,
        privacy: { ...stated, clipNorm: 1, noiseMultiplier: stated.noiseMultiplier * noisePart, random },
      };
      const counted = await auditMembership(
        { model: LINEAR, records: await wrongDigits(200), options, guesses: 40, runs: 5 },
        random,
      );
      const proven = epsilonFromGuesses(counted, DELTA, CONFIDENCE);
      assert.ok(noisePart === 1 ? proven <= epsilon : proven > epsilon, JSON.stringify({ ...counted, proven }));
    });
  }

  it("proves more than one where a network learns wrong labels by heart", async () => {
    const options = { learningRate: 0.03, momentum: 0.9, batchSize: 20, localEpochs: 300, seed: 0 };
    const counted = await auditMembership(
      { model: { ...DIGITS_MLP, hidden: [64] }, records: await wrongDigits(400), options, guesses: 100, runs: 2 },
      seededStream("by heart"),
    );
    assert.deepEqual({ coins: counted.coins, guesses: counted.guesses }, { coins: 800, guesses: 200 });
    assert.ok(epsilonFromGuesses(counted, DELTA, CONFIDENCE) > 1, JSON.stringify(counted));
  });
});

/** The first digits of one client of two, with labels that are not theirs. */
async function wrongDigits(count: number): Promise<Dataset> {
  const { train } = await loadDataset("digits?client=0&clients=2&seed=7");
  return mislabelled(
    selectExamples(
      train,
      Array.from({ length: count }, (_, row) => row),
    ),
    seededStream("wrong labels"),
  );
}
