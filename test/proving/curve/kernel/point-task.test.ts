import assert from "node:assert/strict";
import { bn254 } from "@noble/curves/bn254.js";
import { after, before, describe, it } from "mocha";
import {
  encodeScalars,
  G1_BYTES,
  g1FromEngine,
  g1ToEngine,
  G2_BYTES,
  g2FromEngine,
  g2ToEngine,
} from "../../../../proving/curve/bn254.ts";
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
import { fromNobleG2, G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2 } from "../../../../protocol/points.ts";
import type { G1, G2 } from "../../../../protocol/points.ts";
import type { GroupName } from "../../../../proving/curve/fixed-base-kernel.ts";
import { seededRandom } from "../../../support/random.ts";

const SEED = "point kernel";
const MOST_POINTS = 5000;

/** A group's points in plain coordinates: the multiple of the generator by noble-curves, and the engine's bytes. */
interface GroupCase {
  readonly group: GroupName;
  readonly pointBytes: number;
  readonly multiple: (factor: bigint) => G1 | G2;
  readonly read: (curve: Curve, point: Uint8Array) => G1 | G2;
  readonly write: (curve: Curve, factor: bigint) => Uint8Array;
}

const GROUPS: readonly GroupCase[] = [
  {
    group: "G1",
    pointBytes: G1_BYTES,
    multiple: (factor) => multiplyG1(G1_GENERATOR, toField(factor)),
    read: g1FromEngine,
    write: (curve, factor) => g1ToEngine(curve, multiplyG1(G1_GENERATOR, toField(factor))),
  },
  {
    group: "G2",
    pointBytes: G2_BYTES,
    multiple: (factor) => multiplyG2(G2_GENERATOR, toField(factor)),
    read: g2FromEngine,
    write: (curve, factor) => g2ToEngine(curve, multiplyG2(G2_GENERATOR, toField(factor))),
  },
];

for (const { group, pointBytes, multiple, read, write } of GROUPS) {
  describe(`point kernel in ${group}`, function () {
    this.timeout(120_000);
    const random = seededRandom(SEED);
    const logs = randomElements(MOST_POINTS, random);
    let curve: Curve;
    let bases: Uint8Array;
    let tasks: PointTasks;
    before(async () => {
      curve = await openCurve();
      bases = await generatorMultiples(group, logs);
      tasks = new PointTasks(new PointMemory(compileKernel(pointModule(group)), group));
    });
    after(closeCurve);

    /** The sum of a task's points by bits, in plain coordinates. */
    const total = (bits: Uint8Array): G1 | G2 => read(curve, sumOfBits(curve[group], bits));
    const scalarAt = (scalars: Uint8Array, scalarBytes: number, i: number): bigint =>
      scalars
        .subarray(i * scalarBytes, (i + 1) * scalarBytes)
        .reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    const product = (factors: readonly bigint[], scalars: Uint8Array, scalarBytes: number): G1 | G2 =>
      multiple(factors.reduce((sum, factor, i) => sum + factor * scalarAt(scalars, scalarBytes, i), 0n));
    const pointsOf = (factors: readonly bigint[]): Promise<Uint8Array> =>
      generatorMultiples(
        group,
        factors.map((factor) => toField(factor)),
      );

    it("multiplies exactly on this machine, which the other tests need", () => {
      assert.ok(new PointMemory(compileKernel(pointModule(group)), group).multipliesExactly());
    });

    for (const scalarBytes of [1, 2, 3, 16, 32]) {
      it(`sums what noble-curves and the engine sum, with random ${scalarBytes}-byte scalars, most above r at 32`, async () => {
        for (const count of [1, 2, 3, 4, 5, 7, 31, 63, 64, 65, 127, 129, 1000, 2049, MOST_POINTS]) {
          const scalars = random(count * scalarBytes);
          const points = bases.slice(0, count * pointBytes);
          const sum = total(tasks.run({ points, scalars, scalarBytes }));
          assert.deepEqual(sum, product(logs.slice(0, count), scalars, scalarBytes), `${count} points, seed ${SEED}`);
          assert.deepEqual(
            sum,
            read(curve, await curve[group].multiExpAffine(points, scalars)),
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
            total(tasks.run({ points: bases.slice(0, count * pointBytes), scalars, scalarBytes: 32 })),
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
      assert.deepEqual(total(bits), multiple(8n * 3n + 9n * 5n - 4n * (FIELD_ORDER - 2n)));
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
      const small = Array.from({ length: 9 }, (_, i) => BigInt(i) - 4n);
      for (const a of small) {
        for (const b of small) {
          const points = new Uint8Array(2 * pointBytes);
          points.set(write(curve, a));
          points.set(write(curve, b), pointBytes);
          const bits = tasks.run({ points, scalars: Uint8Array.of(1), scalarBytes: 1, groups: Uint32Array.of(0, 0) });
          assert.deepEqual(total(bits), multiple(a + b));
        }
      }
    });

    it("gives the same in the caller's thread alone, and there without the kernel", async () => {
      const scalars = random(MOST_POINTS * 32);
      const expected = product(logs, scalars, 32);
      const here = await openCurveHere();
      assert.ok(here.kernel !== undefined);
      for (const alone of [here, { ...here, kernel: undefined }])
        assert.deepEqual(read(alone, await multiExponentiation(alone, bases, scalars, group)), expected);
    });

    it("gives the same in several threads, with several calls under way, and after closing", async () => {
      const scalars = random(MOST_POINTS * 32);
      const expected = product(logs, scalars, 32);
      for (let repeat = 0; repeat < 2; repeat++) {
        const sums = await Promise.all(
          Array.from({ length: 4 }, () => multiExponentiation(curve, bases, scalars, group)),
        );
        for (const sum of sums) assert.deepEqual(read(curve, sum), expected);
        await closeCurve();
        curve = await openCurve();
      }
      assert.deepEqual(
        read(curve, await multiExponentiation(curve, new Uint8Array(0), new Uint8Array(0), group)),
        multiple(0n),
      );
    });
  });
}

describe("point kernel on the whole curve of G2", function () {
  this.timeout(60_000);
  const { Fp2 } = bn254.fields;
  const { Point } = bn254.G2;
  type NobleG2 = ReturnType<typeof Point.fromAffine>;

  /** Points of the curve whose x has this first component, and their opposites. */
  const pointsAt = (c0: bigint, wanted: number): NobleG2[] => {
    const points: NobleG2[] = [];
    for (let c1 = 0n; points.length < 2 * wanted; c1++) {
      const x = Fp2.create({ c0, c1 });
      const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), Point.CURVE().b);
      if (!isSquare(square)) continue;
      const point = Point.fromAffine({ x, y: Fp2.sqrt(square) });
      points.push(point, point.negate());
    }
    return points;
  };
  const isSquare = (value: ReturnType<typeof Fp2.create>): boolean => {
    try {
      return Fp2.eql(Fp2.sqr(Fp2.sqrt(value)), value);
    } catch {
      return false;
    }
  };

  it("tells points apart whose coordinates differ in one component, beside equal and opposite ones", async () => {
    const curve = await openCurve();
    const tasks = new PointTasks(new PointMemory(compileKernel(pointModule("G2")), "G2"));
    const points = [...pointsAt(3n, 3), ...pointsAt(0n, 3)];
    for (const a of points) {
      for (const b of points) {
        const doubled = [points[0]!, points[0]!, a, b];
        const bytes = doubled.map((point) => g2ToEngine(curve, fromNobleG2(point)));
        const bits = tasks.run({
          points: new Uint8Array(Buffer.concat(bytes)),
          scalars: Uint8Array.of(0, 1),
          scalarBytes: 1,
          groups: Uint32Array.of(0, 0, 1, 1),
        });
        assert.deepEqual(g2FromEngine(curve, sumOfBits(curve.G2, bits)), fromNobleG2(a.add(b)));
      }
    }
    await closeCurve();
  });
});
