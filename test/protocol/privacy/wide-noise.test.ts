import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { trainingNoise, NOISE_STD_DEV_STEPS } from "../../../learning/training-noise.ts";
import { discreteGaussian } from "../../../protocol/privacy/discrete-gaussian.ts";
import { drawNoise, LARGEST_TABLE_ERROR, noiseTable } from "../../../protocol/privacy/noise-table.ts";
import { combinationError, drawWideNoise, wideNoise } from "../../../protocol/privacy/wide-noise.ts";
import type { Combination } from "../../../protocol/privacy/wide-noise.ts";
import { throwsCode } from "../../support/errors.ts";
import { seededStream } from "../../support/random.ts";

/** Probabilities of −reach … reach, reach being the same number of integers on both sides. */
type Pmf = Float64Array;

function gaussian(variance: number): Pmf {
  const reach = Math.ceil(9 * Math.sqrt(variance));
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * variance)),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / total);
}

/** Of scale·x + y, by definition. */
function combined(x: Pmf, y: Pmf, scale: number): Pmf {
  const result = new Float64Array(scale * (x.length - 1) + y.length);
  x.forEach((p, i) => y.forEach((q, j) => (result[scale * i + j]! += p * q)));
  return result;
}

function totalVariation(a: Pmf, b: Pmf): number {
  const reach = (Math.max(a.length, b.length) - 1) / 2;
  const at = (pmf: Pmf, x: number): number => pmf[x + (pmf.length - 1) / 2] ?? 0;
  let sum = 0;
  for (let x = -reach; x <= reach; x++) sum += Math.abs(at(a, x) - at(b, x)) / 2;
  return sum;
}

/** Between the combination, samples multiplied by `multiplier`, and the discrete Gaussian that it should be. */
function exactError({ variance, scale, terms }: Combination, multiplier = scale): number {
  const table = gaussian(
    Number(variance) / Array.from({ length: terms }, (_, i) => scale ** (2 * i)).reduce((a, b) => a + b, 0),
  );
  let sum = table;
  for (let term = 1; term < terms; term++) sum = combined(sum, table, multiplier);
  return totalVariation(sum, gaussian(Number(variance)));
}

/** Five standard deviations of a chi-squared variable above its mean. */
function isUniform(counts: readonly number[]): boolean {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  const freedom = counts.length - 1;
  return (
    counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) <
    freedom + 5 * Math.sqrt(2 * freedom) + 8
  );
}

function residues(samples: Int32Array, modulus: number): number[] {
  const counts = new Array<number>(modulus).fill(0);
  for (const sample of samples) counts[((sample % modulus) + modulus) % modulus]!++;
  return counts;
}

const NARROW: readonly Combination[] = [
  { variance: 20n, scale: 2, terms: 2 },
  { variance: 36n, scale: 3, terms: 2 },
  { variance: 64n, scale: 3, terms: 2 },
  { variance: 401n, scale: 5, terms: 2 },
  { variance: 2000n, scale: 8, terms: 2 },
  { variance: 70n, scale: 2, terms: 3 },
  { variance: 500n, scale: 3, terms: 3 },
  { variance: 1801n, scale: 4, terms: 3 },
  { variance: 130n, scale: 2, terms: 4 },
];

describe("combination of discrete Gaussians", () => {
  for (const combination of NARROW) {
    const { variance, scale, terms } = combination;
    it(`is not farther from the discrete Gaussian than stated, nor much closer, for variance ${variance}, scale ${scale}, ${terms} terms`, () => {
      const [stated, exact] = [combinationError(combination), exactError(combination)];
      assert.ok(exact <= stated, `${exact} > ${stated}`);
      assert.ok(exact > stated / 100, `${stated} says little about ${exact}`);
      assert.ok(stated < 0.05);
    });

    it(`is told from one multiplied by ${scale + 1} in place of ${scale}, variance ${variance}, ${terms} terms`, () => {
      assert.ok(exactError(combination, scale + 1) > 2 * combinationError(combination));
    });
  }

  it("has no bound where samples are too narrow for one", () => {
    const tooNarrow = { variance: 64n, scale: 7, terms: 2 };
    assert.equal(combinationError(tooNarrow), 1);
    assert.ok(exactError(tooNarrow) > 0.1);
  });

  it("is refused where it would be worse than a table", () => {
    for (const combination of NARROW) throwsCode(() => wideNoise(combination), "PRIVACY_PARAMETERS_INVALID");
    for (const variance of [70n, 71n, 72n]) {
      const combination = { variance, scale: 2, terms: 2 };
      if (combinationError(combination) <= LARGEST_TABLE_ERROR) wideNoise(combination);
      else throwsCode(() => wideNoise(combination), "PRIVACY_PARAMETERS_INVALID");
    }
    assert.ok(
      combinationError({ variance: 70n, scale: 2, terms: 2 }) > LARGEST_TABLE_ERROR &&
        combinationError({ variance: 72n, scale: 2, terms: 2 }) < LARGEST_TABLE_ERROR,
    );
  });

  it("is refused for wrong scales and terms, and where a sum could exceed 32 bits", () => {
    const good = { variance: 1n << 40n, scale: 80, terms: 3 };
    for (const change of [
      { scale: 1 },
      { scale: 0 },
      { scale: -80 },
      { scale: 80.5 },
      { scale: NaN },
      { scale: 2 ** 17 },
      { terms: 1 },
      { terms: 9 },
      { terms: 2.5 },
      { variance: 0n },
      { variance: -1n },
      { variance: 1n << 60n },
    ]) {
      throwsCode(() => wideNoise({ ...good, ...change }), "PRIVACY_PARAMETERS_INVALID");
    }
    throwsCode(() => wideNoise({ variance: 1n << 56n, scale: 100, terms: 4 }), "PRIVACY_PARAMETERS_INVALID");
  });

  it("counts every sample of the table and every combination", () => {
    const { table, totalVariationBound } = wideNoise({ variance: 400n, scale: 2, terms: 3 });
    assert.equal(
      totalVariationBound,
      3 * table.totalVariationBound + combinationError({ variance: 400n, scale: 2, terms: 3 }),
    );
    assert.equal(table.reach, noiseTable(400n, 21n).reach);
  });

  it("draws multiples of the scale and the narrow samples between them, from 12 bytes a sample and term", () => {
    const noise = wideNoise({ variance: 400n, scale: 2, terms: 3 });
    const sizes: number[] = [];
    const stream = seededStream("sizes");
    const samples = drawWideNoise(noise, 5000, (length) => {
      sizes.push(length);
      return stream(length);
    });
    assert.equal(
      sizes.reduce((a, b) => a + b, 0),
      5000 * 36,
    );
    const again = seededStream("sizes");
    const expected = [4096, 904].flatMap((count) => {
      const [first, second, third] = [0, 1, 2].map(() => drawNoise(noise.table, count, again)) as [
        Int32Array,
        Int32Array,
        Int32Array,
      ];
      return Array.from(third, (value, i) => 4 * first[i]! + 2 * second[i]! + value);
    });
    assert.deepEqual([...samples], expected);
    assert.ok(samples.every((value) => Math.abs(value) <= noise.reach));
  });
});

describe("the noise of private training", () => {
  const COUNT = 1_000_000;
  const samples = drawWideNoise(trainingNoise(), COUNT, seededStream("training"));

  it("is within 2^−80 of a discrete Gaussian, a weight and step", () => {
    assert.ok(trainingNoise().totalVariationBound < LARGEST_TABLE_ERROR);
  });

  it("has the moments of a Gaussian of its standard deviation", () => {
    const moment = (order: number): number =>
      samples.reduce((sum, value) => sum + (value / NOISE_STD_DEV_STEPS) ** order, 0) / COUNT;
    assert.ok(Math.abs(moment(1)) < 5 / Math.sqrt(COUNT));
    assert.ok(Math.abs(moment(2) - 1) < 5 * Math.sqrt(2 / COUNT));
    assert.ok(Math.abs(moment(4) - 3) < 5 * Math.sqrt(96 / COUNT));
    assert.ok(Math.abs(moment(6) - 15) < 5 * Math.sqrt(10_170 / COUNT));
  });

  it("is not told from exact samples in cells of a quarter of a standard deviation, and a variance 3 % larger is", () => {
    const counts = (values: Int32Array, stretch = 1): number[] => {
      const cells = new Array<number>(26).fill(0);
      for (const value of values)
        cells[Math.min(25, Math.max(0, Math.floor((4 * stretch * value) / NOISE_STD_DEV_STEPS) + 13))]!++;
      return cells;
    };
    const exact = counts(discreteGaussian(NOISE_STD_DEV_STEPS ** 2, COUNT / 4, seededStream("exact")));
    // Chi-squared test of homogeneity of samples of sizes 4 and 1.
    const isSame = (ours: readonly number[]): boolean =>
      ours.reduce((sum, count, i) => sum + (count / 2 - 2 * exact[i]!) ** 2 / (count + exact[i]!), 0) <
      25 + 5 * Math.sqrt(50) + 8;
    assert.ok(isSame(counts(samples)));
    assert.ok(!isSame(counts(samples, Math.sqrt(1.03))));
  });

  it("has no gaps or ripples, be it at the distance of the scale, of its square, or of powers of two", () => {
    for (const modulus of [2, 16, 79, 80, 81, 1024, 6400])
      assert.ok(isUniform(residues(samples, modulus)), `${modulus}`);
  });

  it("would have ripples with a last sample of less than half of the scale, and they would be found", () => {
    const [coarse, fine] = [noiseTable((1n << 40n) - 1600n, 1n << 22n), noiseTable(1600n / 2n)];
    const [x, y] = [drawNoise(coarse, COUNT, seededStream("coarse")), drawNoise(fine, COUNT, seededStream("fine"))];
    assert.ok(
      !isUniform(
        residues(
          x.map((value, i) => value * 80 + y[i]!),
          80,
        ),
      ),
    );
  });
});
