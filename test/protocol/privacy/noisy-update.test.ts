import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { normSquared } from "../../../protocol/packing.ts";
import {
  noisyUpdateBounds,
  ROUNDING_BETA,
  roundedNorm,
  roundedNormBoundSquared,
  totalVariationOf,
} from "../../../protocol/privacy/noise-bounds.ts";
import { ceilRoot } from "../../../protocol/integers.ts";
import { drawNoise, noiseTable } from "../../../protocol/privacy/noise-table.ts";
import { addNoise, roundConditionally } from "../../../protocol/privacy/noisy-update.ts";
import { throwsCode } from "../../support/errors.ts";
import { seededStream } from "../../support/random.ts";

const VECTORS = 100_000;

/** Doubles in [0, 1) from a repeatable stream. */
function doubles(seed: string): () => number {
  const stream = seededStream(seed);
  let pool = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at === pool.length) [pool, at] = [new Uint32Array(stream(65_536).slice().buffer), 0];
    return pool[at++]! / 2 ** 32;
  };
}

/** Vectors that try to round outwards, of norms below, at and above the clip norm. */
function adversarial(kind: number, dimension: number, clip: number, next: () => number): Float64Array {
  const sign = (): number => (next() < 0.5 ? -1 : 1);
  const even = clip / Math.sqrt(dimension);
  const hot = Math.floor(next() * dimension);
  const shapes: readonly ((index: number) => number)[] = [
    () => 0.5 - 1e-9,
    () => sign() * (0.5 + 1e-9),
    () => Math.floor(even) + 0.5,
    () => even,
    () => sign() * even * 1.001,
    (index) => (index === hot ? clip : 0),
    (index) => (index === hot ? clip - 0.5 : 1e-9),
    () => (next() < 0.05 ? sign() * clip : 0),
    () => sign() * Number.EPSILON,
    () => sign() * next() * 2 * even,
    () => 1e308,
    (index) => (index % 2 === 0 ? 0.5 : clip),
  ];
  return Float64Array.from({ length: dimension }, (_, index) => shapes[kind % shapes.length]!(index));
}

describe("conditional rounding", function () {
  this.timeout(120_000);

  it("never leaves the integer norm bound or the coordinates' limit, over 100,000 adversarial vectors", () => {
    const next = doubles("adversarial");
    const stream = seededStream("rounding");
    for (let run = 0; run < VECTORS; run++) {
      const clipSteps = 1 + Math.floor(next() * (run % 3 === 0 ? 4 : 2000));
      const dimension = run % 1000 === 0 ? 10_000 : 1 + Math.floor(next() * 64);
      const coordinateLimit = run % 5 === 0 ? 7 : 2047;
      const roundedNormSquared = roundedNormBoundSquared(clipSteps, dimension);
      const update = adversarial(Math.floor(run / 7), dimension, clipSteps, next);
      const rounded = roundConditionally(
        { stepBits: 0, clipSteps },
        { roundedNormSquared, coordinateLimit },
        update,
        stream,
      );
      assert.ok(BigInt(normSquared(rounded)) <= roundedNormSquared, `run ${run}`);
      assert.ok(
        rounded.every((value) => Math.abs(value) <= coordinateLimit),
        `run ${run}`,
      );
    }
  });

  it("succeeds after few attempts, at the worst vector too", () => {
    const stream = seededStream("attempts");
    for (const [dimension, clipSteps] of [
      [1, 3],
      [400, 10],
      [10_000, 50],
      [10_000, 1000],
    ] as const) {
      let drawn = 0;
      const runs = 50;
      const update = new Float64Array(dimension).fill(clipSteps / Math.sqrt(dimension));
      for (let run = 0; run < runs; run++) {
        roundConditionally(
          { stepBits: 0, clipSteps },
          { roundedNormSquared: roundedNormBoundSquared(clipSteps, dimension), coordinateLimit: 2047 },
          update,
          (length) => {
            drawn += length;
            return stream(length);
          },
        );
      }
      assert.ok(drawn <= 2.5 * runs * dimension * 4, `dimension ${dimension}: ${drawn}`);
    }
  });

  it("gives up with a code rather than leave the bound", () => {
    throwsCode(
      () =>
        roundConditionally(
          { stepBits: 0, clipSteps: 10 },
          { roundedNormSquared: 0n, coordinateLimit: 7 },
          Float64Array.of(3, 4),
          seededStream("none"),
        ),
      "UPDATE_NOISE_OVER_BOUND",
    );
  });
});

describe("roundedNormBoundSquared", () => {
  it("is the smaller of both bounds of Theorem 1, rounded up", () => {
    for (const dimension of [1, 2, 3, 7, 64, 650, 4910, 1_199_882]) {
      for (const clip of [1, 2, 10, 1000, 2 ** 23]) {
        const exact = Math.min(
          (clip + Math.sqrt(dimension)) ** 2,
          clip ** 2 + dimension / 4 + clip + Math.sqrt(dimension) / 2,
        );
        const bound = Number(roundedNormBoundSquared(clip, dimension));
        assert.ok(bound >= exact * (1 - 1e-15) && bound <= exact + 3, `${dimension}, ${clip}: ${bound}, ${exact}`);
        assert.ok(Math.abs(roundedNorm(clip, dimension, ROUNDING_BETA) ** 2 - exact) <= 1e-12 * exact);
      }
    }
    assert.equal(roundedNormBoundSquared(1, 1), 4n);
  });

  it("refuses what is not an integer in range", () => {
    for (const [clip, dimension] of [
      [0, 1],
      [1.5, 1],
      [2 ** 23 + 1, 1],
      [1, 0],
      [1, 1.5],
    ] as const)
      throwsCode(() => roundedNormBoundSquared(clip, dimension), "PRIVACY_PARAMETERS_INVALID");
  });
});

describe("noisy updates", function () {
  this.timeout(60_000);

  for (const [dimension, clipSteps, noiseVariance] of [
    [1, 5, 400],
    [64, 30, 2500],
    [650, 400, 12_000],
    [4910, 600, 10_000],
    [100_000, 2000, 900],
  ] as const) {
    it(`fit their bounds with room to spare, dimension ${dimension}, variance ${noiseVariance}`, () => {
      const bounds = noisyUpdateBounds({ clipSteps, dimension, noiseVariance, coordinateBits: 12 });
      const table = noiseTable(BigInt(noiseVariance));
      const stream = seededStream(`noisy ${dimension}`);
      const rounded = roundConditionally(
        { stepBits: 0, clipSteps },
        bounds,
        new Float64Array(dimension).fill(clipSteps),
        stream,
      );
      for (let run = 0; run < 20; run++) {
        const noisy = addNoise(rounded, drawNoise(table, dimension, stream), bounds);
        assert.ok(
          noisy.every((value) => Math.abs(value) <= 2047) && BigInt(normSquared(noisy)) <= bounds.noisyNormSquared,
        );
      }
      // Not idle either: the bound on the squared norm is near what noise needs when there are many coordinates.
      const needed = Number(bounds.roundedNormSquared) + dimension * noiseVariance;
      if (dimension > 1000)
        assert.ok(Number(bounds.noisyNormSquared) < 1.4 * needed, `${Number(bounds.noisyNormSquared) / needed}`);
    });
  }

  it("are refused, and not drawn again, where the noise does not fit", () => {
    const bounds = { noisyNormSquared: 100n, noisyCoordinateLimit: 8 };
    assert.deepEqual(addNoise(Int32Array.of(3, -4), Int32Array.of(5, -2), bounds), Int32Array.of(8, -6));
    throwsCode(() => addNoise(Int32Array.of(3, -4), Int32Array.of(5, -3), bounds), "UPDATE_NOISE_OVER_BOUND");
    throwsCode(() => addNoise(Int32Array.of(3, 0), Int32Array.of(6, 0), bounds), "UPDATE_NOISE_OVER_BOUND");
    throwsCode(() => addNoise(Int32Array.of(-3, 0), Int32Array.of(-6, 0), bounds), "UPDATE_NOISE_OVER_BOUND");
    throwsCode(() => addNoise(Int32Array.of(1), Int32Array.of(1, 2), bounds), "UPDATE_LENGTH");
  });

  it("have bounds only if the noise leaves room in the coordinates", () => {
    throwsCode(
      () => noisyUpdateBounds({ clipSteps: 10, dimension: 100, noiseVariance: 60_000, coordinateBits: 12 }),
      "PRIVACY_PARAMETERS_INVALID",
    );
    throwsCode(
      () => noisyUpdateBounds({ clipSteps: 10, dimension: 100, noiseVariance: 0.5, coordinateBits: 12 }),
      "PRIVACY_PARAMETERS_INVALID",
    );
    assert.ok(
      noisyUpdateBounds({ clipSteps: 10, dimension: 100, noiseVariance: 10_000, coordinateBits: 12 }).coordinateLimit >
        900,
    );
  });

  it("leave their rare exits to delta: 10^−13 for 256 clients, a million coordinates and a thousand rounds", () => {
    const { exitProbability } = noisyUpdateBounds({
      clipSteps: 2000,
      dimension: 2 ** 20,
      noiseVariance: 400,
      coordinateBits: 12,
    });
    const total = totalVariationOf(exitProbability, {
      clients: 256,
      rounds: 1000,
      dimension: 2 ** 20,
      perSample: noiseTable(400n).totalVariationBound,
    });
    assert.ok(total > 0 && total < 1e-13, `${total}`);
  });

  it("rest on roots that are exact", () => {
    for (const value of [0n, 1n, 2n, 3n, 4n, 99n, 100n, 101n, (1n << 96n) - 1n, 1n << 96n, (1n << 96n) + 1n]) {
      const root = ceilRoot(value);
      assert.ok(root * root >= value && (root === 0n || (root - 1n) * (root - 1n) < value), `${value}`);
    }
  });
});
