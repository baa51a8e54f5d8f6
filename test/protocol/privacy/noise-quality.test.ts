import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { discreteGaussian } from "../../../protocol/privacy/discrete-gaussian.ts";
import { drawNoise, noiseTable } from "../../../protocol/privacy/noise-table.ts";
import { drawWideNoise, wideNoise } from "../../../protocol/privacy/wide-noise.ts";
import { seededStream } from "../../support/random.ts";

const SAMPLES = 1_000_000;
const VOTES = 9;
const VARIANCE = 4;
/** Of the narrowest combination of three samples, or nearly. */
const WIDE_VARIANCE = 400;
/** In standard deviations. */
const REACH = 10;

/** Probabilities of −reach … reach. */
type Distribution = readonly number[];

const overSupport = (variance: number, weight: (x: number) => number): Distribution => {
  const reach = REACH * Math.sqrt(variance);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => weight(i - reach));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((value) => value / total);
};

const gaussian =
  (variance: number, mean = 0): ((x: number) => number) =>
  (x) =>
    Math.exp(-((x - mean) ** 2) / (2 * variance));

/**
 * A continuous Gaussian rounded to the nearest integer: the density's integral over each unit interval, by Simpson's
 * rule.
 */
const roundedGaussian = overSupport(VARIANCE, (x) => {
  const density = gaussian(VARIANCE);
  let sum = 0;
  for (let i = 0; i < 32; i++) {
    const left = x - 0.5 + i / 32;
    sum += (density(left) + 4 * density(left + 1 / 64) + density(left + 1 / 32)) / 6;
  }
  return sum;
});

/** 8·X + Y of the variance stated, Y of standard deviation 3: too narrow to fill the gaps between multiples of 8. */
const ripples = overSupport(WIDE_VARIANCE, (z) => {
  let sum = 0;
  for (let x = -30; x <= 30; x++) sum += gaussian((WIDE_VARIANCE - 9) / 64)(x) * gaussian(9)(z - 8 * x);
  return sum;
});

const wrongMoments = (variance: number): Record<string, Distribution> => ({
  "a variance 6 % too large": overSupport(variance, gaussian(variance * 1.06)),
  "a variance 6 % too small": overSupport(variance, gaussian(variance / 1.06)),
  "a mean off by 0.04 standard deviations": overSupport(variance, gaussian(variance, 0.04 * Math.sqrt(variance))),
});

/** A wide Gaussian, rounded, is a discrete one for any million samples; a combination has faults of its own. */
const WRONG = {
  narrow: { ...wrongMoments(VARIANCE), "a rounded continuous Gaussian": roundedGaussian },
  wide: { ...wrongMoments(WIDE_VARIANCE), "a combination that leaves ripples": ripples },
} satisfies Record<string, Readonly<Record<string, Distribution>>>;

function histogram(samples: Int32Array, cells: number): number[] {
  const counts = new Array<number>(cells).fill(0);
  for (const sample of samples) counts[sample + (cells - 1) / 2]!++;
  return counts;
}

/**
 * Chi-squared test at five standard deviations, cells with fewer than ten expected samples pooled with their
 * neighbours.
 */
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

/** The histogram of samples drawn by inversion: uniform words in order, and the cell that each falls into. */
function inverted(distribution: Distribution, seed: string): number[] {
  const words = new Uint32Array(seededStream(seed)(4 * SAMPLES).slice().buffer).sort();
  const counts = new Array<number>(distribution.length).fill(0);
  let [cell, limit] = [0, distribution[0]! * 2 ** 32];
  for (const word of words) {
    while (word >= limit && cell < distribution.length - 1) limit += distribution[++cell]! * 2 ** 32;
    counts[cell]!++;
  }
  return counts;
}

interface Subject {
  readonly variance: number;
  readonly wrong: Readonly<Record<string, Distribution>>;
  readonly sample: (seed: string) => Int32Array;
}

const table = noiseTable(BigInt(VARIANCE));
const wide = wideNoise({ variance: BigInt(WIDE_VARIANCE), scale: 2, terms: 3 });
const SUBJECTS: Readonly<Record<string, Subject>> = {
  "the table sampler": {
    variance: VARIANCE,
    wrong: WRONG.narrow,
    sample: (seed) => drawNoise(table, SAMPLES, seededStream(seed)),
  },
  "the exact sampler": {
    variance: VARIANCE,
    wrong: WRONG.narrow,
    sample: (seed) => discreteGaussian(VARIANCE, SAMPLES, seededStream(seed)),
  },
  "the combining sampler": {
    variance: WIDE_VARIANCE,
    wrong: WRONG.wide,
    sample: (seed) => drawWideNoise(wide, SAMPLES, seededStream(seed)),
  },
};

for (const [name, { variance, wrong, sample }] of Object.entries(SUBJECTS)) {
  describe(`${name} over nine votes of a million samples`, function () {
    this.timeout(120_000);
    const right = overSupport(variance, gaussian(variance));
    const votes: number[][] = [];
    before(() => {
      for (let vote = 0; vote < VOTES; vote++) votes.push(histogram(sample(`vote ${vote}`), right.length));
    });

    it("draws the discrete Gaussian, by every vote", () => {
      assert.equal(votes.filter((counts) => fits(counts, right)).length, VOTES);
    });

    for (const [fault, distribution] of Object.entries(wrong)) {
      it(`does not draw ${fault}, by every vote`, () => {
        assert.equal(votes.filter((counts) => fits(counts, distribution)).length, 0);
      });
    }
  });
}

describe("the vote", () => {
  it("refuses samples of the faulty distributions, each drawn by inversion", () => {
    for (const [variance, wrong] of [
      [VARIANCE, WRONG.narrow],
      [WIDE_VARIANCE, WRONG.wide],
    ] as const) {
      for (const [fault, distribution] of Object.entries(wrong)) {
        const counts = inverted(distribution, fault);
        assert.ok(fits(counts, distribution), `${fault} is drawn as meant`);
        assert.ok(!fits(counts, overSupport(variance, gaussian(variance))), fault);
      }
    }
  });
});
