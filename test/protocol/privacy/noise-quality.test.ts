import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { discreteGaussian } from "../../../protocol/privacy/discrete-gaussian.ts";
import { drawNoise, noiseTable } from "../../../protocol/privacy/noise-table.ts";
import { seededStream } from "../../support/random.ts";

const SAMPLES = 1_000_000;
const VOTES = 9;
const VARIANCE = 4;
const REACH = 20;

/** Probabilities of −REACH … REACH. */
type Distribution = readonly number[];

const overSupport = (weight: (x: number) => number): Distribution => {
  const weights = Array.from({ length: 2 * REACH + 1 }, (_, i) => weight(i - REACH));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((value) => value / total);
};

const gaussian = (variance: number, mean = 0): Distribution => overSupport((x) => Math.exp(-((x - mean) ** 2) / (2 * variance)));

/** A continuous Gaussian rounded to the nearest integer: the density's integral over each unit interval, by Simpson's rule. */
const roundedGaussian = overSupport((x) => {
  const density = (z: number): number => Math.exp(-(z * z) / (2 * VARIANCE));
  let sum = 0;
  for (let i = 0; i < 32; i++) {
    const left = x - 0.5 + i / 32;
    sum += (density(left) + 4 * density(left + 1 / 64) + density(left + 1 / 32)) / 6;
  }
  return sum;
});

const WRONG: Readonly<Record<string, Distribution>> = {
  "a variance 6 % too large": gaussian(VARIANCE * 1.06),
  "a variance 6 % too small": gaussian(VARIANCE / 1.06),
  "a mean off by 0.04 deviations": gaussian(VARIANCE, 0.04 * Math.sqrt(VARIANCE)),
  "a rounded continuous Gaussian": roundedGaussian,
};

function histogram(samples: Int32Array): number[] {
  const counts = new Array<number>(2 * REACH + 1).fill(0);
  for (const sample of samples) counts[sample + REACH]!++;
  return counts;
}

/** Chi-squared test at five standard deviations, cells with fewer than ten expected samples pooled with their neighbours. */
function fits(counts: readonly number[], distribution: Distribution): boolean {
  const samples = counts.reduce((a, b) => a + b, 0);
  let [statistic, cells, pooledCount, pooledExpected] = [0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    pooledCount += counts[i]!;
    pooledExpected += samples * distribution[i]!;
    if (pooledExpected < 10) continue;
    statistic += (pooledCount - pooledExpected) ** 2 / pooledExpected;
    [pooledCount, pooledExpected] = [0, 0];
    cells++;
  }
  return statistic < cells - 1 + 5 * Math.sqrt(2 * (cells - 1));
}

const table = noiseTable(BigInt(VARIANCE));
const samplers = {
  "the table sampler": (seed: string) => drawNoise(table, SAMPLES, seededStream(seed)),
  "the exact sampler": (seed: string) => discreteGaussian(VARIANCE, SAMPLES, seededStream(seed)),
};

for (const [name, sample] of Object.entries(samplers)) {
  describe(`${name} over nine votes of a million samples`, function () {
    this.timeout(120_000);
    const votes: number[][] = [];
    before(() => {
      for (let vote = 0; vote < VOTES; vote++) votes.push(histogram(sample(`vote ${vote}`)));
    });

    it("draws the discrete Gaussian, by every vote", () => {
      assert.equal(votes.filter((counts) => fits(counts, gaussian(VARIANCE))).length, VOTES);
    });

    for (const [fault, distribution] of Object.entries(WRONG)) {
      it(`does not draw ${fault}, by every vote`, () => {
        assert.equal(votes.filter((counts) => fits(counts, distribution)).length, 0);
      });
    }
  });
}

describe("the vote", () => {
  it("refuses samples of the faulty distributions, each drawn by inversion", () => {
    for (const [fault, distribution] of Object.entries(WRONG)) {
      const words = new DataView(seededStream(fault)(4 * SAMPLES).slice().buffer);
      const cumulative = distribution.map((_, i) => distribution.slice(0, i + 1).reduce((a, b) => a + b, 0) * 2 ** 32);
      const samples = Int32Array.from({ length: SAMPLES }, (_, i) => cumulative.findIndex((limit) => words.getUint32(4 * i) < limit) - REACH);
      assert.ok(fits(histogram(samples), distribution), `${fault} is drawn as meant`);
      assert.ok(!fits(histogram(samples), gaussian(VARIANCE)), fault);
    }
  });
});
