import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { normSquared } from "../../protocol/packing.ts";
import { MAX_CHUNKS, PRESETS } from "../../protocol/parameters.ts";
import { normBoundSquared, quantiseUpdate } from "../../protocol/quantise.ts";
import type { Quantisation } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const unit: Quantisation = { stepBits: 0, clipSteps: 100 };
const always =
  (byte: number): RandomBytes =>
  (length) =>
    new Uint8Array(length).fill(byte);

/** A repeatable stream of doubles in [0, 1). */
function doubles(seed: string): () => number {
  const random = seededRandom(seed);
  return () => new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
}

/** Vectors that try to round outwards: fractions just above and below a half, one-sided, sparse, huge, tiny. */
function adversarialUpdate(kind: number, dimension: number, next: () => number): Float64Array {
  const sign = (): number => (next() < 0.5 ? -1 : 1);
  const shapes: readonly (() => number)[] = [
    () => 0.5 - 1e-9,
    () => sign() * (0.5 + 1e-9),
    () => sign() * next() * 200,
    () => (next() < 0.05 ? sign() * 1e6 : 0),
    () => Number.EPSILON * sign(),
    () => 1e-300 * sign(),
    () => 10 ** (600 * next() - 300) * sign(),
    () => sign() * (Math.floor(next() * 5) + 1e-12),
    () => 1e308,
    () => sign() * 5e-324,
  ];
  return Float64Array.from({ length: dimension }, shapes[kind % shapes.length]!);
}

describe("normBoundSquared", () => {
  it("is c^2 + d/4 + 2c + sqrt(d), each term rounded up", () => {
    for (const dimension of [1, 2, 3, 4, 5, 16, 17, 1000, 1_199_882]) {
      for (const clipSteps of [1, 7, 100, 2 ** 23]) {
        const bound = normBoundSquared({ stepBits: 3, clipSteps }, dimension);
        const exact = clipSteps ** 2 + dimension / 4 + 2 * clipSteps + Math.sqrt(dimension);
        assert.ok(Number(bound) >= exact && Number(bound) < exact + 2, `${dimension}, ${clipSteps}`);
      }
    }
    assert.equal(normBoundSquared(unit, 16), 10_000n + 4n + 200n + 4n);
    assert.equal(normBoundSquared(unit, 17), 10_000n + 5n + 200n + 5n);
  });

  it("fits the accumulator for every clip norm and dimension allowed", () => {
    assert.ok(
      normBoundSquared({ stepBits: 0, clipSteps: 2 ** 23 }, MAX_CHUNKS * PRESETS.standard.kinds.at(-1)!.coordinates) <
        2n ** 48n,
    );
  });

  for (const broken of [
    { stepBits: -1, clipSteps: 1 },
    { stepBits: 0.5, clipSteps: 1 },
    { stepBits: 31, clipSteps: 1 },
    { stepBits: 0, clipSteps: 0 },
    { stepBits: 0, clipSteps: 1.5 },
    { stepBits: 0, clipSteps: NaN },
    { stepBits: 0, clipSteps: 2 ** 23 + 1 },
  ]) {
    it(`refuses ${JSON.stringify(broken)}`, () => {
      throwsCode(() => normBoundSquared(broken, 10), "PARAMETERS_INVALID");
      throwsCode(() => quantiseUpdate(PRESETS.tiny, broken, Float64Array.of(1), always(0)), "PARAMETERS_INVALID");
    });
  }
});

describe("quantiseUpdate", () => {
  it("never leaves the norm bound or the coordinate range, over 12,000 adversarial vectors", () => {
    const next = doubles("adversarial");
    const random = seededRandom("rounding");
    for (let run = 0; run < 12_000; run++) {
      const preset = run % 2 === 0 ? PRESETS.tiny : PRESETS.standard;
      const quantisation = { stepBits: run % 5, clipSteps: 1 + Math.floor(next() * (run % 3 === 0 ? 5 : 3000)) };
      const update = adversarialUpdate(run, 1 + Math.floor(next() * 40), next);
      const q = quantiseUpdate(preset, quantisation, update, random);
      assert.ok(BigInt(normSquared(q)) <= normBoundSquared(quantisation, update.length), `run ${run}`);
      const offset = 2 ** (preset.coordinateBits - 1);
      assert.ok(
        q.every((value) => value > -offset && value < offset),
        `run ${run}`,
      );
    }
  });

  it("rounds again when an attempt exceeds the bound, and gives up in the end", () => {
    const update = new Float64Array(400).fill(0.5);
    const quantisation = { stepBits: 0, clipSteps: 10 };
    let attempts = 0;
    const upwards: RandomBytes = (length) => {
      attempts++;
      return new Uint8Array(length);
    };
    throwsCode(() => quantiseUpdate(PRESETS.tiny, quantisation, update, upwards), "UPDATE_NOISE_OVER_BOUND");
    assert.equal(attempts, 100);
    let calls = 0;
    const secondTry: RandomBytes = (length) => new Uint8Array(length).fill(calls++ === 0 ? 0 : 255);
    assert.deepEqual(quantiseUpdate(PRESETS.tiny, quantisation, update, secondTry), new Int32Array(400));
    assert.equal(calls, 2);
  });

  it("takes the finest step and the largest clip norm", () => {
    assert.deepEqual(
      [
        ...quantiseUpdate(
          PRESETS.standard,
          { stepBits: 30, clipSteps: 2 ** 23 },
          Float64Array.of(2 ** -30, -(2 ** -21)),
          always(7),
        ),
      ],
      [1, -512],
    );
  });

  it("keeps integers within the clip norm as they are, whatever the random bytes", () => {
    const update = Float64Array.of(3, -4, 0, -0, 7, -1);
    for (const byte of [0, 255])
      assert.deepEqual([...quantiseUpdate(PRESETS.standard, unit, update, always(byte))], [3, -4, 0, 0, 7, -1]);
  });

  it("scales by the step before it rounds", () => {
    assert.deepEqual(
      [...quantiseUpdate(PRESETS.standard, { stepBits: 10, clipSteps: 4096 }, Float32Array.of(0.5, -0.25), always(9))],
      [512, -256],
    );
  });

  it("clips to the norm and keeps the direction", () => {
    assert.deepEqual(
      [...quantiseUpdate(PRESETS.standard, unit, Float64Array.of(3e5, -4e5), always(255))].map((value) =>
        Math.round(value / 10),
      ),
      [6, -8],
    );
  });

  it("clamps a coordinate that the width cannot hold", () => {
    assert.deepEqual(
      [...quantiseUpdate(PRESETS.tiny, { stepBits: 0, clipSteps: 5000 }, Float64Array.of(5000, 0, -200), always(0))],
      [127, 0, -127],
    );
  });

  it("keeps the direction of updates whose squares overflow or vanish", () => {
    assert.deepEqual(
      [...quantiseUpdate(PRESETS.standard, unit, Float64Array.of(1e308, -1e308, 0, 1e308, 1e308), always(9))],
      [50, -50, 0, 50, 50],
    );
    assert.deepEqual([...quantiseUpdate(PRESETS.standard, unit, Float64Array.of(1e308, 1), always(9))], [100, 0]);
    assert.deepEqual([...quantiseUpdate(PRESETS.standard, unit, Float64Array.of(5e-324, 1e-200), always(255))], [0, 0]);
  });

  it("returns zeros for zeros of either sign, and nothing for nothing", () => {
    assert.deepEqual([...quantiseUpdate(PRESETS.tiny, unit, Float64Array.of(0, -0), always(0))], [0, 0]);
    assert.equal(quantiseUpdate(PRESETS.tiny, unit, new Float64Array(0), always(0)).length, 0);
  });

  for (const value of [NaN, Infinity, -Infinity]) {
    it(`refuses ${value} anywhere`, () => {
      throwsCode(
        () => quantiseUpdate(PRESETS.tiny, unit, Float64Array.of(1, 2, value), seededRandom("x")),
        "UPDATE_NOT_FINITE",
      );
      throwsCode(
        () => quantiseUpdate(PRESETS.tiny, unit, Float32Array.of(value, 2), seededRandom("x")),
        "UPDATE_NOT_FINITE",
      );
    });
  }

  it("rounds without bias", () => {
    const count = 40_000;
    for (const fraction of [0.1, 0.5, 0.75, -0.3]) {
      const update = new Float64Array(count).fill(fraction);
      const q = quantiseUpdate(
        PRESETS.tiny,
        { stepBits: 0, clipSteps: 1000 },
        update,
        seededRandom(`bias ${fraction}`),
      );
      const mean = q.reduce((a, b) => a + b, 0) / count;
      assert.ok(Math.abs(mean - fraction) < 5 * Math.sqrt(0.25 / count), `${fraction}: ${mean}`);
    }
  });

  it("draws four bytes for each coordinate and attempt, also beyond one draw's size", () => {
    let drawn = 0;
    const dimension = 40_000;
    quantiseUpdate(PRESETS.tiny, { stepBits: 0, clipSteps: 1000 }, new Float64Array(dimension).fill(0.5), (length) => {
      drawn += length;
      return new Uint8Array(length).fill(255);
    });
    assert.equal(drawn, 4 * dimension);
  });
});
