import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { LEVEL_BITS, nextLevel, SCALE_BITS, scaleFactor, stepScaleOf } from "../../protocol/clip-level.ts";
import type { AdaptiveClip } from "../../protocol/clip-level.ts";
import type { ModelState } from "../../protocol/model.ts";
import { nextModel } from "../../protocol/next-model.ts";
import type { ServerStep } from "../../protocol/next-model.ts";
import { normSquared } from "../../protocol/packing.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { encodedClipSteps, normBoundSquared, quantiseUpdate } from "../../protocol/quantise.ts";
import { check } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const OCTAVE = 2 ** LEVEL_BITS;
const median: AdaptiveClip = {
  quantile: { numerator: 1, denominatorBits: 1 },
  octavesPerRound: { numerator: 1, denominatorBits: 0 },
  maxOctaves: 8,
  voteSteps: 10,
};
/** A vector of the wanted norm in 20 coordinates. */
const ofNorm = (norm: number): Float64Array => new Float64Array(20).fill(norm / Math.sqrt(20));

describe("the scale of a step", () => {
  it("has the four mantissas of quarter octaves, each the nearest integer", () => {
    for (let quarter = 0; quarter < 4; quarter++) {
      const { mantissa, octaves } = stepScaleOf((quarter * OCTAVE) / 4);
      assert.equal(octaves, 0);
      // (2m ± 1)^4 on either side of 2^(4·(SCALE_BITS + 1) + quarter).
      const target = 1n << BigInt(4 * (SCALE_BITS + 1) + quarter);
      assert.ok(
        BigInt(2 * mantissa - 1) ** 4n < target && target < BigInt(2 * mantissa + 1) ** 4n,
        `quarter ${quarter}: ${mantissa}`,
      );
    }
  });

  it("is 2^level within a quarter of an octave, never above it by more than its rounding, for levels of either sign", () => {
    for (let level = -8 * OCTAVE; level <= 8 * OCTAVE; level += 4093) {
      const octaves = Math.log2(scaleFactor(stepScaleOf(level)));
      assert.ok(octaves <= level / OCTAVE + 2e-5 && octaves > level / OCTAVE - 0.25 - 2e-5, `${level}: ${octaves}`);
    }
    for (const octaves of [-8, -1, 0, 3, 8]) assert.equal(scaleFactor(stepScaleOf(octaves * OCTAVE)), 2 ** octaves);
  });
});

describe("the next level", () => {
  it("falls when more updates pass than the quantile asks for, and rises when fewer do", () => {
    // Six of eight pass: a share of 3/4, a quarter above the median.
    assert.equal(nextLevel(0, 4 * 10, 8, median), -OCTAVE / 4);
    assert.equal(nextLevel(0, -4 * 10, 8, median), OCTAVE / 4);
    assert.equal(nextLevel(123, 0, 8, median), 123);
    assert.equal(nextLevel(0, 0, 1, { ...median, quantile: { numerator: 3, denominatorBits: 2 } }), OCTAVE / 4);
  });

  it("is the rational rule rounded to nearest, halves up", () => {
    const dyadic = fc.record({ numerator: fc.integer({ min: 1, max: 255 }), denominatorBits: fc.constant(8) });
    const integer = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
    check(
      fc.tuple(integer(-OCTAVE, OCTAVE), integer(-5000, 5000), integer(1, 511), integer(1, 2047), dyadic, dyadic),
      ([level, votes, weight, voteSteps, quantile, octavesPerRound]) => {
        const next = nextLevel(level, votes, weight, { quantile, octavesPerRound, maxOctaves: 8, voteSteps });
        const share = (Math.max(-1, Math.min(1, votes / (voteSteps * weight))) + 1) / 2;
        const exact = level - OCTAVE * (octavesPerRound.numerator / 256) * (share - quantile.numerator / 256);
        assert.ok(Math.abs(next - exact) <= 0.5 + 1e-6, `${next}, ${exact}`);
      },
    );
  });

  it("moves by no more than votes can, however large their sum", () => {
    for (const votes of [81, 2047 * 8, 2 ** 31 - 1])
      assert.equal(nextLevel(0, votes, 8, median), nextLevel(0, 80, 8, median));
    for (const votes of [-81, -(2 ** 31 - 1)]) assert.equal(nextLevel(0, votes, 8, median), OCTAVE / 2);
  });

  it("is turned by a corrupt client as by as many as its vote holds, so that votes should not be small", () => {
    const against = (corrupt: number, voteSteps: number): number =>
      nextLevel(0, (100 - corrupt) * voteSteps - corrupt * 2 ** 11, 100, { ...median, voteSteps });
    // 2048 steps are 21 votes of 96 steps, and two of 1024.
    assert.ok(against(4, 96) < 0 && against(5, 96) > 0);
    assert.ok(against(33, 1024) < 0 && against(34, 1024) > 0);
  });

  it("stays within the document's octaves", () => {
    const narrow = { ...median, maxOctaves: 1 };
    assert.equal(nextLevel(OCTAVE - 5, -80, 8, narrow), OCTAVE);
    assert.equal(nextLevel(-OCTAVE + 5, 80, 8, narrow), -OCTAVE);
  });
});

describe("a model with an adaptive clip norm", () => {
  const step: ServerStep = {
    fractionalBits: 20,
    stepBits: 7,
    learningRate: { numerator: 3, denominatorBits: 1 },
    momentum: { numerator: 1, denominatorBits: 2 },
    adaptiveClip: median,
  };
  const at = (level: number): ModelState => ({
    weights: Int32Array.of(1000, -7, level),
    kept: [Int32Array.of(40, 0, 0)],
  });

  it("moves as if the sums were of the document's steps, times the scale", () => {
    const { adaptiveClip: _, ...fixed } = step;
    const sums = Int32Array.of(640, -96, 0);
    for (const octaves of [-3, -1, 0, 2]) {
      const adaptive = nextModel(at(octaves * OCTAVE), sums, 4, step);
      const plain = nextModel(
        { weights: Int32Array.of(1000, -7), kept: [Int32Array.of(40, 0)] },
        sums.subarray(0, 2),
        4,
        { ...fixed, stepBits: 7 - octaves },
      );
      assert.deepEqual([...adaptive.weights.subarray(0, 2)], [...plain.weights]);
      assert.deepEqual([...adaptive.kept[0]!], [...plain.kept[0]!, 0]);
    }
    const quarter = nextModel(at(OCTAVE / 4), Int32Array.of(65_536, 0, 0), 1, {
      ...step,
      fractionalBits: 16,
      stepBits: 16,
      learningRate: { numerator: 1, denominatorBits: 0 },
      momentum: { numerator: 0, denominatorBits: 0 },
    });
    assert.equal(quarter.weights[0], 1000 + 77_936);
  });

  it("counts a level beyond the document's octaves, as a genesis can have it, as the last within them", () => {
    for (const [level, last] of [
      [2 ** 31 - 1, 8],
      [-(2 ** 31), -8],
      [8 * OCTAVE + 1, 8],
    ] as const) {
      for (const votes of [-80, 0, 80])
        assert.deepEqual(
          nextModel(at(level), Int32Array.of(640, -96, votes), 8, step),
          nextModel(at(last * OCTAVE), Int32Array.of(640, -96, votes), 8, step),
        );
    }
  });

  it("takes its next level from the last sum, and has no momentum there", () => {
    const next = nextModel(at(OCTAVE), Int32Array.of(0, 0, 4 * 10), 8, step);
    assert.equal(next.weights[2], OCTAVE - OCTAVE / 4);
    assert.equal(next.kept[0]![2], 0);
  });

  it("finds the quantile of the norms, from far below and from far above it", () => {
    const clients = 60;
    // Norms from 1 to 60 of the document's steps of clip norm 10: the median is 30.5.
    for (const start of [-6, 6]) {
      const random = seededRandom(`convergence ${start}`);
      const quantisation = { stepBits: 0, clipSteps: 10, adaptive: median };
      let state: ModelState = { weights: new Int32Array(21), kept: [new Int32Array(21)] };
      state.weights[20] = start * OCTAVE;
      for (let round = 0; round < 30; round++) {
        const scale = scaleFactor(stepScaleOf(state.weights[20]!));
        const sums = new Int32Array(21);
        for (let client = 0; client < clients; client++)
          quantiseUpdate(PRESETS.standard, quantisation, ofNorm(client + 1), random, scale).forEach(
            (value, i) => (sums[i] = sums[i]! + value),
          );
        state = nextModel(state, sums, clients, { ...step, momentum: { numerator: 0, denominatorBits: 0 } });
      }
      const clipNorm = 10 * scaleFactor(stepScaleOf(state.weights[20]!));
      assert.ok(clipNorm > 22 && clipNorm < 40, `from ${start} octaves: ${clipNorm}`);
    }
  });
});

describe("a client's vote", () => {
  const quantisation = { stepBits: 2, clipSteps: 40, adaptive: { ...median, voteSteps: 9 } };
  const vote = (norm: number, scale: number): number =>
    quantiseUpdate(PRESETS.standard, quantisation, ofNorm(norm), seededRandom("vote"), scale).at(-1)!;

  it("says whether the update passes unclipped at the round's scale", () => {
    assert.equal(vote(9.99, 1), 9);
    assert.equal(vote(10.01, 1), -9);
    assert.equal(vote(19.9, 2), 9);
    assert.equal(vote(5.1, 0.5), -9);
    assert.equal(vote(0, 1), 9);
    const clamped = quantiseUpdate(
      PRESETS.tiny,
      { ...quantisation, clipSteps: 1000 },
      Float64Array.of(40, 0),
      seededRandom("clamped"),
      1,
    );
    assert.deepEqual([clamped[0], clamped[2]], [127, -9], "a clamped coordinate is lost, too");
  });

  it("is part of the norm that is bounded, over 5,000 vectors and scales", () => {
    const random = seededRandom("bounded votes");
    assert.equal(encodedClipSteps(quantisation), 41);
    for (let run = 0; run < 5000; run++) {
      const dimension = 1 + (run % 30);
      const q = quantiseUpdate(
        PRESETS.standard,
        quantisation,
        new Float64Array(dimension).fill((run % 17) * 0.7),
        random,
        2 ** ((run % 9) - 4),
      );
      assert.equal(q.length, dimension + 1);
      assert.ok(BigInt(normSquared(q)) <= normBoundSquared(quantisation, dimension + 1), `run ${run}`);
    }
  });

  it("shortens what is sent: a longer step makes fewer of it", () => {
    const atScale = (scale: number): number =>
      quantiseUpdate(
        PRESETS.standard,
        quantisation,
        Float64Array.of(4, 0),
        (length) => new Uint8Array(length),
        scale,
      )[0]!;
    assert.deepEqual([atScale(1), atScale(2), atScale(0.5)], [16, 8, 32]);
  });
});
