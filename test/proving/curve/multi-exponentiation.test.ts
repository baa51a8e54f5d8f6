import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { encodeScalars, G1_BYTES, g1FromEngine, g2FromEngine } from "../../../proving/curve/bn254.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import { generatorMultiples } from "../../../proving/node/fixed-base.ts";
import { baseTable, sparseMultiExponentiation } from "../../../proving/curve/multi-exponentiation.ts";
import { openPointAdder } from "../../../proving/curve/point-adder.ts";
import type { PointAdder } from "../../../proving/curve/point-adder.ts";
import { randomElement, randomElements, toField } from "../../../protocol/field.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2 } from "../../../protocol/points.ts";
import { seededRandom } from "../../support/random.ts";

describe("sparse multi-exponentiation", function () {
  this.timeout(60_000);
  const random = seededRandom("multi-exponentiation");
  /** Logarithms of the bases; zero is infinity. */
  const logs = [0n, 5n, 7n, 0n, ...randomElements(40, random), 0n];
  let curve: Curve;
  let adder: PointAdder;
  before(async () => {
    curve = await openCurve();
    adder = await openPointAdder();
  });
  after(closeCurve);

  const repeated = randomElement(random);
  const twin = repeated ^ (1n << 253n);
  const scalarSets: Readonly<Record<string, readonly bigint[]>> = {
    "all zero": logs.map(() => 0n),
    "all narrow": logs.map((_, i) => BigInt((i * 9001) % 65536)),
    "narrow and wide at the border": logs.map((_, i) => [65535n, 65536n, 65537n, 1n << 32n, 1n << 64n, 1n][i % 6]!),
    "one wide value many times": logs.map(() => FIELD_ORDER - 1n),
    "few wide values, one pair alike in the low bits": logs.map(
      (_, i) => [repeated, twin < FIELD_ORDER ? twin : repeated + 1n, 3n, 0n][i % 4]!,
    ),
    "all different": randomElements(logs.length, random),
  };
  for (const [name, scalars] of Object.entries(scalarSets)) {
    it(`equals the plain sum for scalars: ${name}`, async () => {
      const expected = toField(scalars.reduce((sum, scalar, i) => sum + scalar * logs[i]!, 0n));
      const witness = encodeScalars(scalars);
      const g1 = baseTable("G1", await generatorMultiples("G1", logs));
      assert.equal(g1.wires.length, logs.length - 3, "infinity takes part");
      assert.deepEqual(
        g1FromEngine(curve, await sparseMultiExponentiation(curve, g1, witness)),
        multiplyG1(G1_GENERATOR, expected),
      );
      assert.deepEqual(
        g1FromEngine(curve, await sparseMultiExponentiation(curve, g1, witness, adder)),
        multiplyG1(G1_GENERATOR, expected),
      );
      const g2 = baseTable("G2", await generatorMultiples("G2", logs));
      assert.deepEqual(
        g2FromEngine(curve, await sparseMultiExponentiation(curve, g2, witness)),
        multiplyG2(G2_GENERATOR, expected),
      );
    });
  }

  it("counts wires from the section's first", async () => {
    const table = baseTable("G1", await generatorMultiples("G1", [3n, 0n, 11n]), 2);
    assert.deepEqual([...table.wires], [2, 4]);
    const sum = await sparseMultiExponentiation(curve, table, encodeScalars([9n, 9n, 2n, 9n, 5n]), adder);
    assert.deepEqual(g1FromEngine(curve, sum), multiplyG1(G1_GENERATOR, 61n));
  });

  it("sums buckets whose points are equal, opposite or alone", async () => {
    const points = await generatorMultiples("G1", [4n, 4n, FIELD_ORDER - 4n, 9n]);
    const sums = adder.sumByBucket(points, Uint32Array.of(0, 1, 2, 3, 0, 2), Uint32Array.of(0, 0, 1, 2, 1, 3), 5);
    const expected = [8n, 0n, 9n, FIELD_ORDER - 4n, 0n];
    expected.forEach((log, k) =>
      assert.deepEqual(
        g1FromEngine(curve, sums.slice(k * G1_BYTES, (k + 1) * G1_BYTES)),
        multiplyG1(G1_GENERATOR, log),
        `bucket ${k}`,
      ),
    );
    assert.equal(adder.sumByBucket(points, new Uint32Array(0), new Uint32Array(0), 0).length, 0);
  });
});
