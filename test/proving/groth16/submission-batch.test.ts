import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { invert, multiply, toField } from "../../../protocol/field.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G2_GENERATOR, multiplyG1, multiplyG2, negateG1 } from "../../../protocol/points.ts";
import type { G1, G2 } from "../../../protocol/points.ts";
import type { VerificationKeys } from "../../../protocol/verification-key.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { failingClaims } from "../../../proving/groth16/submission-batch.ts";
import type { SubmissionClaim } from "../../../protocol/batch-verification.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import { pointOutsideG2 } from "../../support/points.ts";
import { seededRandom } from "../../support/random.ts";

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
const g1 = (scalar: bigint): G1 => multiplyG1(G1_GENERATOR, toField(scalar));
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

type Proof = SubmissionClaim["proofs"][number];

/** A, B and D at will, then the C that satisfies the equation. */
function proofOf(kindIndex: number, publicSignals: readonly bigint[], a: bigint): Proof {
  const { delta, sigma, bases } = secret.kinds[kindIndex]!;
  const [b, d] = [43n + a, 47n + a];
  const inputs = publicSignals.reduce((sum, signal, i) => sum + signal * bases[i + 1]!, bases[0]!);
  const c = multiply(toField(a * b - secret.alpha * secret.beta - inputs - d * sigma), invert(delta));
  return { kindIndex, wires: g1(d), proof: { a: g1(a), b: g2(b), c: g1(c) }, publicSignals };
}

/** A submission of two chunks with p(X) = n + 3X, so that W = 3. */
function claimOf(n: bigint): SubmissionClaim {
  return {
    proofs: [proofOf(0, [100n + n, FIELD_ORDER - 1n], 41n + n), proofOf(1, [0n, n], 1001n)],
    opening: { commitment: g1(n + 3n * secret.tau), z: 10n + n, value: n + 3n * (10n + n), opening: g1(3n) },
  };
}

const claims = Array.from({ length: 7 }, (_, i) => claimOf(BigInt(5 + i)));
const [first] = claims as [SubmissionClaim];
const [proof] = first.proofs as [Proof];

const withProof = (change: Partial<Proof["proof"]>): SubmissionClaim => ({
  ...first,
  proofs: [{ ...proof, proof: { ...proof.proof, ...change } }, ...first.proofs.slice(1)],
});
const withStatement = (change: Partial<Proof>): SubmissionClaim => ({
  ...first,
  proofs: [{ ...proof, ...change }, ...first.proofs.slice(1)],
});
const withOpening = (change: Partial<SubmissionClaim["opening"]>): SubmissionClaim => ({
  ...first,
  opening: { ...first.opening, ...change },
});

const FALSE_CLAIMS: Readonly<Record<string, SubmissionClaim>> = {
  "another A": withProof({ a: negateG1(proof.proof.a) }),
  "another B": withProof({ b: g2(7n) }),
  "another C": withProof({ c: addG1(proof.proof.c, G1_GENERATOR) }),
  "another D": withStatement({ wires: g1(48n) }),
  "another kind": withStatement({ kindIndex: 1 }),
  "a kind that is not there": withStatement({ kindIndex: 2 }),
  "another public signal": withStatement({ publicSignals: [1n, 2n] }),
  "a signal that is not reduced": withStatement({
    publicSignals: [proof.publicSignals[0]! + FIELD_ORDER, proof.publicSignals[1]!],
  }),
  "a signal too few": withStatement({ publicSignals: [100n] }),
  "another commitment": withOpening({ commitment: g1(9n) }),
  "another z": withOpening({ z: 11n }),
  "another value": withOpening({ value: first.opening.value + 1n }),
  "a value that is not reduced": withOpening({ value: first.opening.value + FIELD_ORDER }),
  "another opening": withOpening({ opening: g1(4n) }),
  "A off the curve": withProof({ a: { x: 1n, y: 3n } }),
  "A at infinity": withProof({ a: { x: 0n, y: 0n } }),
  "a coordinate that is not reduced": withProof({ a: { ...proof.proof.a, x: proof.proof.a.x + BASE_FIELD_ORDER } }),
  "B outside of the group": withProof({ b: pointOutsideG2() }),
  "B off the curve": withProof({ b: { ...proof.proof.b, x: { ...proof.proof.b.x, c0: 5n } } }),
};

describe("the submissions of a round in one product", function () {
  this.timeout(30_000);
  const random = seededRandom("submission batch");
  let curve: Curve;
  before(async () => {
    curve = await openCurve();
  });
  after(closeCurve);

  it("hold where each of them does, in any number", async () => {
    assert.deepEqual(await failingClaims(curve, keys, claims, random), []);
    assert.deepEqual(await failingClaims(curve, keys, [], random), []);
    for (const claim of claims) assert.deepEqual(await failingClaims(curve, keys, [claim], random), []);
  });

  for (const [index, [what, claim]] of Object.entries(FALSE_CLAIMS).entries()) {
    // Each at another place, so that every path of the search is taken.
    const at = index % claims.length;
    it(`name the one with ${what}, at place ${at}`, async () => {
      assert.deepEqual(await failingClaims(curve, keys, claims.with(at, claim), random), [at]);
    });
  }

  it("name all that fail", async () => {
    const changed = claims
      .with(1, FALSE_CLAIMS["another value"]!)
      .with(2, FALSE_CLAIMS["another C"]!)
      .with(6, FALSE_CLAIMS["another A"]!);
    assert.deepEqual(await failingClaims(curve, keys, changed, random), [1, 2, 6]);
  });

  it("do not hold by errors that cancel: with equal weights these two would", async () => {
    const shift = (claim: SubmissionClaim, by: bigint): SubmissionClaim => ({
      ...claim,
      proofs: claim.proofs.map((item, i) =>
        i === 0 ? { ...item, proof: { ...item.proof, c: addG1(item.proof.c, g1(by)) } } : item,
      ),
    });
    const changed = claims.with(2, shift(claims[2]!, 7n)).with(5, shift(claims[5]!, -7n));
    assert.deepEqual(await failingClaims(curve, keys, changed, random), [2, 5]);
  });

  it("are weighed with fresh random numbers of 128 bits", async () => {
    const drawn: number[] = [];
    const counting = (length: number): Uint8Array => {
      drawn.push(length);
      return random(length);
    };
    await failingClaims(curve, keys, claims, counting);
    assert.deepEqual(drawn.slice(-2), [14 * 16, 7 * 16]);
  });
});
