import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { encodeScalars, G1_BYTES, g1FromEngine, g1ToEngine } from "../../../../proving/curve/bn254.ts";
import { openCurveHere } from "../../../../proving/curve/curve.ts";
import type { Curve } from "../../../../proving/curve/curve.ts";
import { closeCurve, openCurve } from "../../../../proving/node/open-curve.ts";
import { generatorMultiples } from "../../../../proving/node/fixed-base.ts";
import { compileKernel } from "../../../../proving/curve/kernel/kernel-memory.ts";
import { PointMemory } from "../../../../proving/curve/kernel/point-memory.ts";
import { pointModule } from "../../../../proving/curve/kernel/point-module.ts";
import { PointTasks } from "../../../../proving/curve/kernel/point-task.ts";
import { multiExponentiation, sumOfBits } from "../../../../proving/curve/multi-exponentiation.ts";
import { randomElements, toField } from "../../../../protocol/field.ts";
import { FIELD_ORDER } from "../../../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY, multiplyG1 } from "../../../../protocol/points.ts";
import type { G1 } from "../../../../protocol/points.ts";
import { seededRandom } from "../../../support/random.ts";

const SEED = "point kernel";
const MOST_POINTS = 5000;

describe("point kernel", function () {
  this.timeout(120_000);
  const random = seededRandom(SEED);
  const logs = randomElements(MOST_POINTS, random);
  let curve: Curve;
  let bases: Uint8Array;
  let tasks: PointTasks;
  before(async () => {
    curve = await openCurve();
    bases = await generatorMultiples("G1", logs);
    tasks = new PointTasks(new PointMemory(compileKernel(pointModule())));
  });
  after(closeCurve);

  /** The sum of a task's points by bits, in plain coordinates. */
  const total = (bits: Uint8Array): G1 => g1FromEngine(curve, sumOfBits(curve, bits));
  const read = (scalars: Uint8Array, scalarBytes: number, i: number): bigint =>
    scalars
      .subarray(i * scalarBytes, (i + 1) * scalarBytes)
      .reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const product = (factors: readonly bigint[], scalars: Uint8Array, scalarBytes: number): G1 =>
    multiplyG1(
      G1_GENERATOR,
      toField(factors.reduce((sum, factor, i) => sum + factor * read(scalars, scalarBytes, i), 0n)),
    );
  const pointsOf = (factors: readonly bigint[]): Promise<Uint8Array> =>
    generatorMultiples(
      "G1",
      factors.map((factor) => toField(factor)),
    );

  it("multiplies exactly on this machine, which the other tests need", () => {
    assert.ok(new PointMemory(compileKernel(pointModule())).multipliesExactly());
  });

  for (const scalarBytes of [1, 2, 3, 16, 32]) {
    it(`sums what noble-curves and the engine sum, with random ${scalarBytes}-byte scalars, most above r at 32`, async () => {
      for (const count of [1, 2, 3, 4, 5, 7, 31, 64, 129, 1000, MOST_POINTS]) {
        const scalars = random(count * scalarBytes);
        const points = bases.slice(0, count * G1_BYTES);
        const sum = total(tasks.run({ points, scalars, scalarBytes }));
        assert.deepEqual(sum, product(logs.slice(0, count), scalars, scalarBytes), `${count} points, seed ${SEED}`);
        assert.deepEqual(
          sum,
          g1FromEngine(curve, await curve.G1.multiExpAffine(points, scalars)),
          `${count} points by the engine, seed ${SEED}`,
        );
      }
    });
  }

  const extremes: Readonly<Record<string, bigint>> = {
    "0": 0n,
    "1": 1n,
    "r - 1": FIELD_ORDER - 1n,
    r: FIELD_ORDER,
    "r + 1": FIELD_ORDER + 1n,
    "2^253": 1n << 253n,
    "2^256 - 1": (1n << 256n) - 1n,
    "alternating bits": BigInt(`0x${"55".repeat(32)}`),
  };
  for (const [name, scalar] of Object.entries(extremes)) {
    it(`multiplies one, three and 600 points by ${name}`, () => {
      for (const count of [1, 3, 600]) {
        const scalars = encodeScalars(Array.from({ length: count }, () => scalar));
        assert.deepEqual(
          total(tasks.run({ points: bases.slice(0, count * G1_BYTES), scalars, scalarBytes: 32 })),
          product(logs.slice(0, count), scalars, 32),
        );
      }
    });
  }

  const repeated: Readonly<Record<string, (i: number) => bigint>> = {
    "one point everywhere": () => 5n,
    "a point and its opposite in turn": (i) => (i % 2 === 0 ? 5n : -5n),
    "a point twice, then its opposite": (i) => (i % 3 === 2 ? -7n : 7n),
    "infinity everywhere": () => 0n,
    "infinity and one point": (i) => (i % 4 === 1 ? 3n : 0n),
    "few points, opposites and infinity": (i) => [1n, -1n, 2n, 0n, -2n, 3n, 1n][i % 7]!,
    "multiples in order, whose sums meet": (i) => BigInt(i) - 300n,
  };
  for (const [name, factorAt] of Object.entries(repeated)) {
    it(`is exact for bases of ${name}`, async () => {
      for (const count of [2, 3, 8, 601]) {
        const factors = Array.from({ length: count }, (_, i) => factorAt(i));
        const points = await pointsOf(factors);
        for (const scalarBytes of [1, 2, 32]) {
          for (const scalars of [
            random(count * scalarBytes),
            new Uint8Array(count * scalarBytes).fill(1),
            new Uint8Array(count * scalarBytes),
          ]) {
            assert.deepEqual(
              total(tasks.run({ points: points.slice(), scalars, scalarBytes })),
              product(factors, scalars, scalarBytes),
              `${count} points, ${scalarBytes} bytes, seed ${SEED}`,
            );
          }
        }
      }
    });
  }

  it("is exact for many equal points and scalars, whose every sum is a doubling", async () => {
    const factors = Array.from({ length: MOST_POINTS }, () => 11n);
    const scalars = encodeScalars(factors.map(() => logs[0]!));
    assert.deepEqual(
      total(tasks.run({ points: await pointsOf(factors), scalars, scalarBytes: 32 })),
      product(factors, scalars, 32),
    );
  });

  it("sums groups whose points are equal, opposite, alone or none", async () => {
    const factors = [4n, 4n, -4n, 9n, 4n, -4n, 0n];
    const scalars = encodeScalars([3n, 1n << 200n, 5n, FIELD_ORDER - 2n, 7n, 11n]);
    const bits = tasks.run({
      points: await pointsOf(factors),
      scalars,
      scalarBytes: 32,
      groups: Uint32Array.of(0, 0, 1, 2, 1, 3, 5),
    });
    assert.deepEqual(total(bits), multiplyG1(G1_GENERATOR, toField(8n * 3n + 9n * 5n - 4n * (FIELD_ORDER - 2n))));
  });

  it("sums random groups", () => {
    const groups = Uint32Array.from({ length: MOST_POINTS }, (_, i) => (i * 2654435761) % 97);
    const scalars = random(97 * 32);
    const factors = Array.from({ length: 97 }, () => 0n);
    groups.forEach((group, i) => (factors[group]! += logs[i]!));
    assert.deepEqual(
      total(tasks.run({ points: bases.slice(), scalars, scalarBytes: 32, groups })),
      product(factors, scalars, 32),
    );
  });

  it("adds every pair of small multiples of the generator, infinity included", () => {
    const small = Array.from({ length: 9 }, (_, i) => multiplyG1(G1_GENERATOR, toField(BigInt(i) - 4n)));
    for (const a of small) {
      for (const b of small) {
        const points = new Uint8Array(2 * G1_BYTES);
        points.set(g1ToEngine(curve, a));
        points.set(g1ToEngine(curve, b), G1_BYTES);
        const bits = tasks.run({ points, scalars: Uint8Array.of(1), scalarBytes: 1, groups: Uint32Array.of(0, 0) });
        assert.deepEqual(total(bits), addG1(a, b));
      }
    }
  });

  it("gives the same in the caller's thread alone, and there without the kernel", async () => {
    const scalars = random(MOST_POINTS * 32);
    const expected = product(logs, scalars, 32);
    const here = await openCurveHere();
    assert.ok(here.kernel !== undefined);
    for (const alone of [here, { ...here, kernel: undefined }])
      assert.deepEqual(g1FromEngine(alone, await multiExponentiation(alone, bases, scalars)), expected);
  });

  it("gives the same in several threads, with several calls under way, and after closing", async () => {
    const scalars = random(MOST_POINTS * 32);
    const expected = product(logs, scalars, 32);
    for (let repeat = 0; repeat < 2; repeat++) {
      const sums = await Promise.all(Array.from({ length: 4 }, () => multiExponentiation(curve, bases, scalars)));
      for (const sum of sums) assert.deepEqual(g1FromEngine(curve, sum), expected);
      await closeCurve();
      curve = await openCurve();
    }
    assert.deepEqual(
      g1FromEngine(curve, await multiExponentiation(curve, new Uint8Array(0), new Uint8Array(0))),
      G1_INFINITY,
    );
  });
});
