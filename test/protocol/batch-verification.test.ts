import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { verifyTogether } from "../../protocol/batch-verification.ts";
import type { OpeningStatement, ProofStatement } from "../../protocol/batch-verification.ts";
import { invert, multiply, toField } from "../../protocol/field.ts";
import { verifyProof } from "../../protocol/groth16.ts";
import { verifyOpening } from "../../protocol/kzg.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2, negateG1 } from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { throwsCode } from "../support/errors.ts";

/** Keys of two kinds with known logarithms, so that a proof is one solved equation. */
const secret = {
  alpha: 11n,
  beta: 13n,
  tau: 37n,
  kinds: [
    { delta: 17n, sigma: 19n, bases: [2n, 3n, 5n] },
    { delta: 53n, sigma: 59n, bases: [61n, 67n, 71n] },
  ],
};
const g1 = (scalar: bigint): G1 => multiplyG1(G1_GENERATOR, scalar);
const g2 = (scalar: bigint): G2 => multiplyG2(G2_GENERATOR, scalar);
const keys: VerificationKeys = {
  alpha: g1(secret.alpha),
  beta: g2(secret.beta),
  tau: g2(secret.tau),
  kinds: secret.kinds.map(({ delta, sigma, bases }) => ({
    delta: g2(delta),
    sigma: g2(sigma),
    publicBases: bases.map(g1),
  })),
};

/** A and D at will, then the C that satisfies the equation. */
function statementFor(kindIndex: number, publicSignals: readonly bigint[], a: bigint): ProofStatement {
  const { delta, sigma, bases } = secret.kinds[kindIndex]!;
  const d = 47n;
  const inputs = publicSignals.reduce((sum, signal, i) => sum + signal * bases[i + 1]!, bases[0]!);
  const c = multiply(toField(a * 43n - secret.alpha * secret.beta - inputs - d * sigma), invert(delta));
  return { kindIndex, wires: g1(d), proof: { a: g1(a), b: g2(43n), c: g1(c) }, publicSignals };
}

const proofs = [
  statementFor(0, [100n, FIELD_ORDER - 1n], 41n),
  statementFor(1, [0n, 7n], 1001n),
  statementFor(0, [5n, 6n], FIELD_ORDER - 2n),
];
/** p(X) = 5 + 3X, so that C = 5 + 3·tau and W = 3. */
const opening: OpeningStatement = { commitment: g1(5n + 3n * secret.tau), z: 10n, value: 35n, opening: g1(3n) };
const holds = (changed: readonly ProofStatement[], at = opening): boolean => verifyTogether(keys, changed, at);
const withProof = (i: number, change: Partial<ProofStatement>): ProofStatement[] =>
  proofs.with(i, { ...proofs[i]!, ...change });

describe("proofs and an opening verified together", () => {
  it("are accepted as each of them is", () => {
    for (const { kindIndex, wires, proof, publicSignals } of proofs)
      assert.ok(verifyProof(keys, kindIndex, wires, proof, publicSignals));
    assert.ok(verifyOpening(keys.tau, opening.commitment, opening.z, opening.value, opening.opening));
    assert.ok(holds(proofs));
    for (const proof of proofs) assert.ok(holds([proof]));
    assert.ok(holds([]));
  });

  it("are refused if anything in any of them is changed", () => {
    proofs.forEach(({ proof, wires, publicSignals, kindIndex }, i) => {
      const changes: Partial<ProofStatement>[] = [
        { wires: addG1(wires, G1_GENERATOR) },
        { kindIndex: 1 - kindIndex },
        { proof: { ...proof, a: negateG1(proof.a) } },
        { proof: { ...proof, b: g2(44n) } },
        { proof: { ...proof, c: addG1(proof.c, G1_GENERATOR) } },
        ...publicSignals.map((_, k) => ({ publicSignals: publicSignals.with(k, 8n) })),
      ];
      for (const change of changes)
        assert.ok(!holds(withProof(i, change)), `proof ${i}, ${Object.keys(change).join()}`);
    });
    const changes: Partial<OpeningStatement>[] = [
      { commitment: g1(1n) },
      { z: 11n },
      { value: 36n },
      { opening: g1(4n) },
    ];
    for (const change of changes) assert.ok(!holds(proofs, { ...opening, ...change }), Object.keys(change).join());
  });

  it("are refused if two are wrong by amounts that cancel", () => {
    const shifted = (i: number, by: bigint): ProofStatement => ({
      ...proofs[i]!,
      proof: { ...proofs[i]!.proof, c: addG1(proofs[i]!.proof.c, g1(by)) },
    });
    assert.ok(!holds([shifted(0, 1n), proofs[1]!, shifted(2, FIELD_ORDER - 1n)]));
    // The first proof is off by delta, which the opening's value takes back.
    assert.ok(
      !holds([shifted(0, 1n), proofs[1]!, proofs[2]!], { ...opening, value: opening.value + secret.kinds[0]!.delta }),
    );
  });

  it("are refused for an unknown kind, and for signals that are not canonical or not as many as the key takes", () => {
    assert.ok(!holds(withProof(0, { kindIndex: 2 })));
    assert.ok(!holds(withProof(0, { publicSignals: [100n] })));
    assert.ok(!holds(withProof(0, { publicSignals: [100n, FIELD_ORDER - 1n, 0n] })));
    assert.ok(!holds(withProof(2, { publicSignals: [5n + FIELD_ORDER, 6n] })));
    assert.ok(!holds(withProof(2, { publicSignals: [5n - FIELD_ORDER, 6n] })));
  });

  it("throw on points off the curve", () => {
    throwsCode(() => holds(withProof(0, { wires: { x: 1n, y: 3n } })), "POINT_NOT_ON_CURVE");
    throwsCode(() => holds(proofs, { ...opening, opening: { x: 2n, y: 2n } }), "POINT_NOT_ON_CURVE");
  });
});
