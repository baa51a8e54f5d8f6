import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { bn254 } from "@noble/curves/bn254.js";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import {
  G1_GENERATOR,
  G1_INFINITY,
  G2_GENERATOR,
  addG1,
  equalG1,
  equalG2,
  fromNobleG1,
  fromNobleG2,
  isInfinity,
  multiplyG1,
  multiplyG2,
  negateG1,
  negateG2,
  pairingProductIsOne,
  toNobleG1,
  toNobleG2,
  weightedSumG1,
} from "../../protocol/points.ts";
import type { G2 } from "../../protocol/points.ts";
import { throwsCode } from "../support/errors.ts";
import { check, element } from "../support/properties.ts";

const p = BASE_FIELD_ORDER;
const G2_INFINITY: G2 = { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };

/** A point of the twist that is not in the subgroup of order r: its cofactor is not 1. */
function outsideSubgroup(): G2 {
  const { Fp2 } = bn254.fields;
  const b = Fp2.div({ c0: 3n, c1: 0n }, { c0: 9n, c1: 1n });
  for (let c0 = 1n; ; c0++) {
    const x = { c0, c1: 0n };
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
      return { x, y: { c0: y.c0, c1: y.c1 } };
    } catch {
      continue;
    }
  }
}

describe("points of G1", () => {
  it("forms the group of multiples of the generator", () => {
    check(
      fc.tuple(element, element),
      ([a, b]) => {
        const sum = addG1(multiplyG1(G1_GENERATOR, a), multiplyG1(G1_GENERATOR, b));
        assert.deepEqual(sum, multiplyG1(G1_GENERATOR, a + b));
        assert.ok(equalG1(weightedSumG1([G1_GENERATOR, G1_GENERATOR], [a, b]), sum));
      },
      20,
    );
  });

  it("treats (0, 0) as infinity in every operation", () => {
    assert.ok(isInfinity(G1_INFINITY));
    assert.ok(!isInfinity(G1_GENERATOR));
    assert.deepEqual(addG1(G1_GENERATOR, G1_INFINITY), G1_GENERATOR);
    assert.deepEqual(addG1(G1_GENERATOR, negateG1(G1_GENERATOR)), G1_INFINITY);
    assert.deepEqual(negateG1(G1_INFINITY), G1_INFINITY);
    assert.deepEqual(multiplyG1(G1_GENERATOR, 0n), G1_INFINITY);
    assert.deepEqual(multiplyG1(G1_GENERATOR, FIELD_ORDER), G1_INFINITY);
    assert.deepEqual(multiplyG1(G1_INFINITY, 5n), G1_INFINITY);
    assert.deepEqual(weightedSumG1([], []), G1_INFINITY);
    assert.deepEqual(weightedSumG1([G1_GENERATOR, G1_GENERATOR], [3n, -3n]), G1_INFINITY);
    assert.deepEqual(fromNobleG1(toNobleG1(G1_INFINITY)), G1_INFINITY);
  });

  it("negates by the scalar -1", () => {
    assert.deepEqual(negateG1(G1_GENERATOR), { x: 1n, y: p - 2n });
    assert.deepEqual(multiplyG1(G1_GENERATOR, -1n), negateG1(G1_GENERATOR));
  });

  for (const [name, point] of Object.entries({
    "off the curve": { x: 1n, y: 3n },
    "with x = p + 1": { x: p + 1n, y: 2n },
    "with y = p + 2": { x: 1n, y: p + 2n },
    "with a negative coordinate": { x: 1n, y: -2n },
    "(0, p)": { x: 0n, y: p },
    "(p, 0)": { x: p, y: 0n },
    "(0, 1), snarkjs's infinity": { x: 0n, y: 1n },
  })) {
    it(`refuses a pair ${name}`, () => throwsCode(() => toNobleG1(point), "POINT_NOT_ON_CURVE"));
  }
});

describe("points of G2", () => {
  it("refuses points off the twist, outside the subgroup and not canonical", () => {
    throwsCode(
      () => toNobleG2({ x: G2_GENERATOR.x, y: { c0: G2_GENERATOR.y.c0, c1: G2_GENERATOR.y.c1 + 1n } }),
      "POINT_NOT_ON_CURVE",
    );
    throwsCode(() => toNobleG2(outsideSubgroup()), "POINT_NOT_ON_CURVE");
    throwsCode(
      () => toNobleG2({ x: { c0: G2_GENERATOR.x.c0 + p, c1: G2_GENERATOR.x.c1 }, y: G2_GENERATOR.y }),
      "POINT_NOT_ON_CURVE",
    );
  });

  it("checks a point once while it is in use, and each other point for itself", () => {
    const point = multiplyG2(G2_GENERATOR, 7n);
    const checked = toNobleG2(point);
    assert.equal(toNobleG2(structuredClone(point)), checked);
    const { x, y } = point;
    for (const [part, c] of [
      ["x", "c0"],
      ["x", "c1"],
      ["y", "c0"],
      ["y", "c1"],
    ] as const) {
      const other = structuredClone({ x, y }) as Record<"x" | "y", Record<"c0" | "c1", bigint>>;
      for (let i = 0; i < 2; i++) {
        other[part][c] = point[part][c] + p;
        throwsCode(() => toNobleG2(other), "POINT_NOT_ON_CURVE");
        other[part][c] = point[part][c] + 1n;
        throwsCode(() => toNobleG2(other), "POINT_NOT_ON_CURVE");
      }
    }
    for (let i = 0; i < 2; i++) throwsCode(() => toNobleG2(outsideSubgroup()), "POINT_NOT_ON_CURVE");
    // Strangers' points are many: they must not be kept for ever.
    for (let k = 100n; k < 170n; k++) toNobleG2(multiplyG2(G2_GENERATOR, k));
    assert.notEqual(toNobleG2(point), checked);
    assert.ok(toNobleG2(point).equals(checked));
  });

  it("takes nothing but all zeros for infinity", () => {
    const zero = { c0: 0n, c1: 0n };
    for (const point of [
      { x: { c0: 1n, c1: 0n }, y: zero },
      { x: { c0: 0n, c1: 1n }, y: zero },
      { x: zero, y: { c0: 1n, c1: 0n } },
      { x: zero, y: { c0: 0n, c1: 1n } },
    ]) {
      throwsCode(() => toNobleG2(point), "POINT_NOT_ON_CURVE");
    }
  });

  it("multiplies, negates and compares", () => {
    assert.ok(equalG2(multiplyG2(G2_GENERATOR, FIELD_ORDER + 1n), G2_GENERATOR));
    assert.ok(equalG2(negateG2(negateG2(G2_GENERATOR)), G2_GENERATOR));
    assert.ok(equalG2(multiplyG2(G2_GENERATOR, -1n), negateG2(G2_GENERATOR)));
    assert.ok(!equalG2(G2_GENERATOR, negateG2(G2_GENERATOR)));
    assert.deepEqual(multiplyG2(G2_GENERATOR, 0n), G2_INFINITY);
    assert.deepEqual(fromNobleG2(toNobleG2(G2_INFINITY)), G2_INFINITY);
  });
});

describe("pairing products", () => {
  it("is one exactly when the exponents cancel", () => {
    const pair = (a: bigint, b: bigint): { g1: typeof G1_GENERATOR; g2: G2 } => ({
      g1: multiplyG1(G1_GENERATOR, a),
      g2: multiplyG2(G2_GENERATOR, b),
    });
    assert.ok(pairingProductIsOne([pair(6n, 1n), pair(-2n, 3n)]));
    assert.ok(!pairingProductIsOne([pair(6n, 1n), pair(-2n, 4n)]));
    assert.ok(!pairingProductIsOne([pair(1n, 1n)]));
  });

  it("counts a pair with infinity as one", () => {
    assert.ok(pairingProductIsOne([]));
    assert.ok(
      pairingProductIsOne([
        { g1: G1_INFINITY, g2: G2_GENERATOR },
        { g1: G1_GENERATOR, g2: G2_INFINITY },
      ]),
    );
    assert.ok(
      !pairingProductIsOne([
        { g1: G1_INFINITY, g2: G2_GENERATOR },
        { g1: G1_GENERATOR, g2: G2_GENERATOR },
      ]),
    );
  });
});
