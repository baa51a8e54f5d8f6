import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { trainingNoise } from "../../../learning/training-noise.ts";
import { discreteGaussian } from "../../../protocol/privacy/discrete-gaussian.ts";
import { drawNoise, noiseTable } from "../../../protocol/privacy/noise-table.ts";
import { drawWideNoise } from "../../../protocol/privacy/wide-noise.ts";
import type { RandomBytes } from "../../../protocol/random.ts";
import { correlation, rankCorrelation, winsorised } from "../../support/correlation.ts";
import { seededStream } from "../../support/random.ts";

/**
 * A coefficient of independent series has a standard deviation of 0.005, so that what is not above 0.05 at all exceeds
 * it with probability below 10^−20.
 */
const DRAWS = 40_000;
const WARM_UP = 5_000;
const LARGEST_CORRELATION = 0.05;
const VARIANCE = 100;
/** What a busy machine spoils is measured again; a sampler whose time tells of its values fails each time. */
const ATTEMPTS = 3;

type Sampler = (random: RandomBytes) => number;

const tableSampler = (variance: bigint): Sampler => {
  const table = noiseTable(variance);
  return (random) => drawNoise(table, 1, random)[0]!;
};
const exact: Sampler = (random) => discreteGaussian(VARIANCE, 1, random)[0]!;
/** Counts up to its value, as geometric samplers do. */
const counting: Sampler = (random) => {
  let value = 0;
  while (random(4)[0]! >= 24) value++;
  return value;
};
/** Bytes cut from a block that is there already, so that the generator's own time does not hide the sampler's. */
function cut(seed: string): RandomBytes {
  const block = seededStream(seed)(2 ** 22);
  let at = 0;
  return (length) => {
    if (at + length > block.length) at = 0;
    at += length;
    return block.subarray(at - length, at);
  };
}

/**
 * The correlation of the samples' magnitudes with the nanoseconds that each took: of their ranks, or of winsorised
 * times if that is larger.
 */
function timed(sampler: Sampler, seed: string): number {
  const random = cut(seed);
  const [magnitudes, nanoseconds] = [new Float64Array(DRAWS), new Float64Array(DRAWS)];
  for (let i = -WARM_UP; i < DRAWS; i++) {
    const start = process.hrtime.bigint();
    const sample = sampler(random);
    const end = process.hrtime.bigint();
    if (i < 0) continue;
    magnitudes[i] = Math.abs(sample);
    nanoseconds[i] = Number(end - start);
  }
  return Math.max(
    Math.abs(rankCorrelation(magnitudes, nanoseconds)),
    Math.abs(correlation(magnitudes, winsorised(nanoseconds, 0.02))),
  );
}

const attempts = (sampler: Sampler, name: string): number[] =>
  Array.from({ length: ATTEMPTS }, (_, attempt) => timed(sampler, `${name} ${attempt}`));

describe("the time that noise takes", function () {
  this.timeout(60_000);

  for (const variance of [1n, BigInt(VARIANCE), 40_000n]) {
    it(`tells nothing of its magnitude, variance ${variance}`, () => {
      const found = attempts(tableSampler(variance), `table ${variance}`);
      assert.ok(Math.min(...found) < LARGEST_CORRELATION, found.join(", "));
    });
  }

  it("tells nothing of its magnitude in the sums that private training adds", () => {
    const found = attempts((random) => drawWideNoise(trainingNoise(), 1, random)[0]!, "training");
    assert.ok(Math.min(...found) < LARGEST_CORRELATION, found.join(", "));
  });

  it("is told apart by the same test where a sampler counts up to its value, and in the exact sampler, which rejects", () => {
    assert.ok(Math.min(...attempts(counting, "counting")) > 0.5);
    assert.ok(Math.max(...attempts(exact, "exact")) > LARGEST_CORRELATION);
  });

  it("is spent on the same bytes whatever is drawn: zero, the largest values and all between", () => {
    const table = noiseTable(BigInt(VARIANCE));
    const drawn = new Set<number>();
    for (let row = 0; row < 2 ** table.rowBits; row++) {
      for (const rest of [0, 0xff]) {
        const lengths: number[] = [];
        const [sample] = drawNoise(table, 1, (length) => {
          lengths.push(length);
          const bytes = new Uint8Array(length).fill(rest);
          const view = new DataView(bytes.buffer);
          view.setUint32(0, ((row << (32 - table.rowBits)) | (view.getUint32(0, true) >>> table.rowBits)) >>> 0, true);
          return bytes;
        });
        assert.deepEqual(lengths, [12]);
        drawn.add(sample!);
      }
    }
    const largest = Math.max(...drawn);
    assert.ok(largest > 11 * Math.sqrt(VARIANCE), `${largest}`);
    assert.deepEqual(
      [...drawn].sort((a, b) => a - b),
      Array.from({ length: 2 * largest + 1 }, (_, i) => i - largest),
    );
  });
});
