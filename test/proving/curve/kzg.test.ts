import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import {
  encodeScalars,
  G1_BYTES,
  g1FromEngine,
  g1ToEngine,
  G2_BYTES,
  g2FromEngine,
  g2ToEngine,
} from "../../../proving/curve/bn254.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import { generatorMultiples } from "../../../proving/node/fixed-base.ts";
import { kzgCommitter, powersAreConsistent } from "../../../proving/curve/kzg.ts";
import {
  divideByLinear,
  evaluatePolynomial,
  multiply,
  randomElement,
  randomElements,
} from "../../../protocol/field.ts";
import { verifyOpening } from "../../../protocol/kzg.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY, G2_GENERATOR, multiplyG1, multiplyG2 } from "../../../protocol/points.ts";
import { rejectsCode } from "../../support/errors.ts";
import { seededRandom } from "../../support/random.ts";

const POWERS = 64;

describe("curve engine", function () {
  this.timeout(60_000);
  const random = seededRandom("curve engine");
  const tau = randomElement(random);
  const tau2 = multiplyG2(G2_GENERATOR, tau);
  let curve: Curve;
  let powers: Uint8Array;
  before(async () => {
    curve = await openCurve();
    const exponents = [1n];
    while (exponents.length < POWERS) exponents.push(multiply(exponents.at(-1)!, tau));
    powers = await generatorMultiples("G1", exponents);
  });
  after(closeCurve);

  it("converts points both ways, infinity included", () => {
    for (const point of [G1_GENERATOR, G1_INFINITY, multiplyG1(G1_GENERATOR, 5n)])
      assert.deepEqual(g1FromEngine(curve, g1ToEngine(curve, point)), point);
    for (const point of [G2_GENERATOR, multiplyG2(G2_GENERATOR, 0n), tau2])
      assert.deepEqual(g2FromEngine(curve, g2ToEngine(curve, point)), point);
  });

  it("multiplies the generators as noble-curves does, at the ends of the field too", async () => {
    const scalars = [0n, 1n, 2n, 4095n, 4096n, 1n << 253n, FIELD_ORDER - 1n, ...randomElements(5, random)];
    const g1 = await generatorMultiples("G1", scalars);
    const g2 = await generatorMultiples("G2", scalars);
    scalars.forEach((scalar, i) => {
      assert.deepEqual(
        g1FromEngine(curve, g1.slice(i * G1_BYTES, (i + 1) * G1_BYTES)),
        multiplyG1(G1_GENERATOR, scalar),
        `G1, ${scalar}`,
      );
      assert.deepEqual(
        g2FromEngine(curve, g2.slice(i * G2_BYTES, (i + 1) * G2_BYTES)),
        multiplyG2(G2_GENERATOR, scalar),
        `G2, ${scalar}`,
      );
    });
  });

  it("gives the same points in several threads as in one", async () => {
    const scalars = randomElements(9000, random);
    const points = await generatorMultiples("G1", scalars);
    for (const i of [0, 1, 4499, 4500, 8999])
      assert.deepEqual(
        g1FromEngine(curve, points.slice(i * G1_BYTES, (i + 1) * G1_BYTES)),
        multiplyG1(G1_GENERATOR, scalars[i]!),
      );
  });

  it("commits to a vector and opens it at a point", async () => {
    const committer = kzgCommitter(curve, powers);
    assert.equal(committer.capacity, POWERS);
    for (const length of [1, 2, POWERS]) {
      const vector = randomElements(length, random);
      const z = randomElement(random);
      const commitment = await committer.commit(vector);
      assert.deepEqual(commitment, multiplyG1(G1_GENERATOR, evaluatePolynomial(vector, tau)));
      const value = evaluatePolynomial(vector, z);
      const opening = await committer.commit(divideByLinear(vector, z));
      assert.ok(verifyOpening(tau2, commitment, z, value, opening));
      assert.ok(!verifyOpening(tau2, commitment, z, value + 1n, opening));
      assert.ok(!verifyOpening(tau2, commitment, z + 1n, value, opening) || length === 1);
      assert.ok(!verifyOpening(tau2, addG1(commitment, G1_GENERATOR), z, value, opening));
    }
    assert.deepEqual(await committer.commit([]), G1_INFINITY);
    assert.deepEqual(await committer.commit([0n, 0n]), G1_INFINITY);
  });

  it("refuses a vector beyond the powers", () =>
    rejectsCode(kzgCommitter(curve, powers).commit(randomElements(POWERS + 1, random)), "ENCODING_LENGTH"));

  it("finds powers that are not of one tau", async () => {
    assert.ok(await powersAreConsistent(curve, powers, tau2, random));
    assert.ok(!(await powersAreConsistent(curve, powers, multiplyG2(G2_GENERATOR, tau + 1n), random)), "another tau");
    const other = g1ToEngine(curve, multiplyG1(G1_GENERATOR, 7n));
    for (const i of [0, 1, 2, POWERS - 1]) {
      const changed = powers.slice();
      changed.set(other, i * G1_BYTES);
      assert.ok(!(await powersAreConsistent(curve, changed, tau2, random)), `power ${i}`);
      changed.set(new Uint8Array(G1_BYTES), i * G1_BYTES);
      assert.ok(!(await powersAreConsistent(curve, changed, tau2, random)), `infinity at ${i}`);
      changed.set(encodeScalars([1n, 1n]), i * G1_BYTES);
      assert.ok(!(await powersAreConsistent(curve, changed, tau2, random)), `off the curve at ${i}`);
    }
    assert.ok(!(await powersAreConsistent(curve, powers.slice(1), tau2, random)), "half a point");
    assert.ok(!(await powersAreConsistent(curve, new Uint8Array(0), tau2, random)), "no points");
  });
});
