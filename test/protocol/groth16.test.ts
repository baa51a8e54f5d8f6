import assert from "node:assert/strict";
import { buildPoseidonReference } from "circomlibjs";
import fc from "fast-check";
import { describe, it } from "mocha";
import { invert, multiply, toField } from "../../protocol/field.ts";
import {
  FIRST_ACCUMULATOR_HASH,
  publicInputCommitment,
  verifyChunkProof,
  verifyProof,
} from "../../protocol/groth16.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import {
  G1_GENERATOR,
  G1_INFINITY,
  G2_GENERATOR,
  addG1,
  fromNobleG2,
  multiplyG1,
  multiplyG2,
  toNobleG2,
} from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { throwsCode } from "../support/errors.ts";
import { check, element } from "../support/properties.ts";

/** Keys with known logarithms, so that a proof is one solved equation: no circuit is needed to test the verifier. */
const secret = { alpha: 11n, beta: 13n, delta: 17n, sigma: 19n, bases: [2n, 3n, 5n, 7n, 23n, 29n, 31n] };
const g1 = (scalar: bigint): G1 => multiplyG1(G1_GENERATOR, scalar);
const g2 = (scalar: bigint): G2 => multiplyG2(G2_GENERATOR, scalar);
const keys: VerificationKeys = {
  alpha: g1(secret.alpha),
  beta: g2(secret.beta),
  tau: g2(37n),
  kinds: [{ delta: g2(secret.delta), sigma: g2(secret.sigma), publicBases: secret.bases.map(g1) }],
};
const signals = [100n, 200n, 300n, 400n, 500n, 600n];

/** A and D at will, then the C that satisfies the equation. */
function proofFor(
  publicSignals: readonly bigint[],
  a = 41n,
  b = 43n,
  d = 47n,
): { wires: G1; proof: { a: G1; b: G2; c: G1 } } {
  const inputs = publicSignals.reduce((sum, signal, i) => sum + signal * secret.bases[i + 1]!, secret.bases[0]!);
  const c = multiply(toField(a * b - secret.alpha * secret.beta - inputs - d * secret.sigma), invert(secret.delta));
  return { wires: g1(d), proof: { a: g1(a), b: g2(b), c: g1(c) } };
}

describe("verification of a chunk's proof", () => {
  const { wires, proof } = proofFor(signals);

  it("accepts points that satisfy the equation", () => assert.ok(verifyProof(keys, 0, wires, proof, signals)));

  it("accepts the ends of the field as signals", () => {
    const ends = [0n, FIELD_ORDER - 1n, 0n, 1n, 0n, FIELD_ORDER - 1n];
    const made = proofFor(ends);
    assert.ok(verifyProof(keys, 0, made.wires, made.proof, ends));
  });

  it("takes a chunk's outputs and the verifier's inputs in the circuit's order", () => {
    const [y, h, alpha, z, bound, hPrevious] = signals as [bigint, bigint, bigint, bigint, bigint, bigint];
    assert.ok(verifyChunkProof(keys, 0, wires, { ...proof, y, h }, { alpha, z, bound, hPrevious }));
    assert.ok(!verifyChunkProof(keys, 0, wires, { ...proof, y: h, h: y }, { alpha, z, bound, hPrevious }));
    assert.ok(!verifyChunkProof(keys, 0, wires, { ...proof, y, h }, { alpha: z, z: alpha, bound, hPrevious }));
    assert.ok(!verifyChunkProof(keys, 0, wires, { ...proof, y, h }, { alpha, z, bound: bound + 1n, hPrevious }));
  });

  it("rejects a change in any signal, and signals in another order", () => {
    signals.forEach((_, i) => assert.ok(!verifyProof(keys, 0, wires, proof, signals.with(i, 1n)), `signal ${i}`));
    assert.ok(!verifyProof(keys, 0, wires, proof, [...signals].reverse()));
  });

  it("rejects a change in any point", () => {
    assert.ok(!verifyProof(keys, 0, addG1(wires, G1_GENERATOR), proof, signals));
    assert.ok(!verifyProof(keys, 0, wires, { ...proof, a: addG1(proof.a, G1_GENERATOR) }, signals));
    assert.ok(!verifyProof(keys, 0, wires, { ...proof, b: g2(44n) }, signals));
    assert.ok(!verifyProof(keys, 0, wires, { ...proof, c: G1_INFINITY }, signals));
  });

  it("rejects a D that is shifted by a public input's base, which a key over gamma would take for that input", () => {
    const shifted = addG1(wires, multiplyG1(keys.kinds[0]!.publicBases[1]!, 5n));
    assert.ok(!verifyProof(keys, 0, shifted, proof, signals.with(0, toField(signals[0]! - 5n))));
  });

  it("is false for signals that are not as many canonical elements as the key takes, and for an unknown kind", () => {
    assert.ok(!verifyProof(keys, 0, wires, proof, signals.with(2, signals[2]! + FIELD_ORDER)));
    assert.ok(!verifyProof(keys, 0, wires, proof, signals.with(2, signals[2]! - FIELD_ORDER)));
    assert.ok(!verifyProof(keys, 0, wires, proof, signals.slice(1)));
    assert.ok(!verifyProof(keys, 0, wires, proof, [...signals, 0n]));
    assert.ok(!verifyProof(keys, 1, wires, proof, signals));
    assert.equal(publicInputCommitment(keys.kinds[0]!.publicBases, [FIELD_ORDER, 0n, 0n, 0n, 0n, 0n]), undefined);
  });

  it("throws for points of no group", () => {
    throwsCode(() => verifyProof(keys, 0, { x: 1n, y: 1n }, proof, signals), "POINT_NOT_ON_CURVE");
    throwsCode(() => verifyProof(keys, 0, wires, { ...proof, a: { x: 0n, y: 1n } }, signals), "POINT_NOT_ON_CURVE");
  });

  it("is malleable, so nothing may be identified by proof bytes: (-A, -B, C), and B + b sigma with D + b A", () => {
    const negated = { ...proof, a: g1(-41n), b: g2(-43n) };
    assert.ok(verifyProof(keys, 0, wires, negated, signals));
    const moved = { ...proof, b: fromNobleG2(toNobleG2(proof.b).add(toNobleG2(g2(2n * secret.sigma)))) };
    assert.ok(verifyProof(keys, 0, addG1(wires, multiplyG1(proof.a, 2n)), moved, signals));
  });
});

describe("poseidonPair", () => {
  it("equals circomlib's Poseidon(2)", () => {
    assert.equal(poseidonPair(1n, 2n), 7853200120776062878684798364095072458815029376092732009249414926327459813530n);
    assert.equal(poseidonPair(0n, 0n), FIRST_ACCUMULATOR_HASH);
  });

  it("equals circomlibjs's, which reads the constants that are generated here", async () => {
    const reference = await buildPoseidonReference();
    check(fc.tuple(element, element), ([a, b]) =>
      assert.equal(poseidonPair(a, b), reference.F.toObject(reference([a, b]))),
    );
  });
});
