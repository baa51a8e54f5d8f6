import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { drawNoise, LARGEST_TABLE_ERROR, noiseTable } from "../../../protocol/privacy/noise-table.ts";
import type { NoiseTable } from "../../../protocol/privacy/noise-table.ts";
import { throwsCode } from "../../support/errors.ts";
import { seededStream } from "../../support/random.ts";

/** What the table draws, exactly: each value's probability as a multiple of 2^−96, from thresholds and values alone. */
function massesOf(table: NoiseTable): Map<number, bigint> {
  const capacity = 1n << BigInt(96 - table.rowBits);
  const masses = new Map<number, bigint>();
  const add = (value: number, mass: bigint): void => void masses.set(value, (masses.get(value) ?? 0n) + mass);
  for (let row = 0; row < 2 ** table.rowBits; row++) {
    const [high, middle, low] = table.thresholds.map((limbs) => BigInt(limbs[row]!));
    const threshold = (high! << 64n) | (middle! << 32n) | low!;
    assert.ok(threshold < capacity);
    add(table.values[2 * row]!, threshold);
    add(table.values[2 * row + 1]!, capacity - threshold);
  }
  return masses;
}

describe("noise table", () => {
  for (const [numerator, denominator] of [
    [1n, 4n],
    [1n, 1n],
    [7n, 3n],
    [400n, 1n],
    [40_000n, 1n],
  ] as const) {
    it(`is the discrete Gaussian within its bound, variance ${numerator}/${denominator}`, () => {
      const table = noiseTable(numerator, denominator);
      const masses = massesOf(table);
      assert.equal(
        [...masses.values()].reduce((a, b) => a + b, 0n),
        1n << 96n,
      );
      const variance = Number(numerator) / Number(denominator);
      let total = 0;
      for (let x = -table.reach; x <= table.reach; x++) total += Math.exp(-(x * x) / (2 * variance));
      for (const [x, mass] of masses) {
        if (mass === 0n) continue;
        assert.ok(Math.abs(x) <= table.reach);
        const expected = Math.exp(-(x * x) / (2 * variance)) / total;
        assert.ok(
          Math.abs(Number(mass) * 2 ** -96 - expected) <= 1e-12 * expected + 2 * table.totalVariationBound,
          `${x}`,
        );
        assert.ok(x === 0 || mass === masses.get(-x), `${x} and ${-x}`);
      }
      // Beyond its reach there is less than the bound.
      assert.ok(Math.exp(-((table.reach + 1) ** 2) / (2 * variance)) < table.totalVariationBound * total);
      assert.ok(table.totalVariationBound < LARGEST_TABLE_ERROR);
    });
  }

  it("compares all 96 bits with a row's threshold", () => {
    const table = noiseTable(9n);
    const inside = (value: number, limb: number): boolean =>
      value > 0 && value < (limb === 0 ? 2 ** (32 - table.rowBits) : 2 ** 32) - 1;
    const row = table.thresholds[0].findIndex((_, row) =>
      table.thresholds.every((limbs, limb) => inside(limbs[row]!, limb)),
    );
    const threshold = table.thresholds.map((limbs) => limbs[row]!);
    const drawAt = (offsets: readonly number[]): number => {
      const words = Uint32Array.from(threshold, (limb, i) => limb + offsets[i]!);
      words[0]! += row * 2 ** (32 - table.rowBits);
      return drawNoise(table, 1, () => new Uint8Array(words.buffer))[0]!;
    };
    const [below, above] = [table.values[2 * row], table.values[2 * row + 1]];
    assert.notEqual(below, above);
    for (const [offsets, expected] of [
      [[0, 0, 0], above],
      [[0, 0, -1], below],
      [[0, 0, 1], above],
      [[0, -1, 1], below],
      [[0, 1, -1], above],
      [[-1, 1, 1], below],
      [[1, -1, -1], above],
    ] as const) {
      assert.equal(drawAt(offsets), expected, offsets.join());
    }
  });

  it("draws 12 bytes a sample, whatever its value, also from bytes that are not aligned", () => {
    const sizes: number[] = [];
    const stream = seededStream("sizes");
    const table = noiseTable(100n);
    const samples = drawNoise(table, 10_000, (length) => {
      sizes.push(length);
      const room = new Uint8Array(length + 1);
      room.set(stream(length), 1);
      return room.subarray(1);
    });
    assert.equal(
      sizes.reduce((a, b) => a + b, 0),
      120_000,
    );
    assert.deepEqual(samples, drawNoise(table, 10_000, seededStream("sizes")));
  });

  it("has the moments of a wide Gaussian", () => {
    const count = 200_000;
    const samples = drawNoise(noiseTable(1_000_000n), count, seededStream("wide"));
    const moment = (order: number): number => samples.reduce((sum, value) => sum + (value / 1000) ** order, 0) / count;
    assert.ok(Math.abs(moment(1)) < 5 / Math.sqrt(count));
    assert.ok(Math.abs(moment(2) - 1) < 5 * Math.sqrt(2 / count));
    assert.ok(Math.abs(moment(4) - 3) < 5 * Math.sqrt(96 / count));
  });

  it("states the largest error of any table", () => {
    const { totalVariationBound } = noiseTable(1n << 22n);
    assert.ok(totalVariationBound <= LARGEST_TABLE_ERROR && totalVariationBound > LARGEST_TABLE_ERROR / 2);
  }).timeout(30_000);

  it("refuses variances for which it has no table", () => {
    for (const [numerator, denominator] of [
      [0n, 1n],
      [1n, 5n],
      [-1n, 1n],
      [1n, 0n],
      [(1n << 22n) + 1n, 1n],
    ] as const) {
      throwsCode(() => noiseTable(numerator, denominator), "PRIVACY_PARAMETERS_INVALID");
    }
  });
});
