import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { rememberingVerifier } from "../../auditor/remembering-verifier.ts";
import type { SubmissionClaim, SubmissionVerifier } from "../../protocol/batch-verification.ts";
import { G1_GENERATOR, G2_GENERATOR } from "../../protocol/points.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";

const keys = {} as VerificationKeys;

/** The claim whose opening has this value; a fresh object each time. */
const claimOf = (value: bigint): SubmissionClaim => ({
  proofs: [
    {
      kindIndex: 0,
      wires: G1_GENERATOR,
      proof: { a: G1_GENERATOR, b: { x: { ...G2_GENERATOR.x }, y: { ...G2_GENERATOR.y } }, c: G1_GENERATOR },
      publicSignals: [1n, 2n],
    },
  ],
  opening: { commitment: G1_GENERATOR, z: 3n, value, opening: G1_GENERATOR },
});

/** Refuses odd values, and notes what it was asked. */
function asked(): { readonly verifier: SubmissionVerifier; readonly values: () => bigint[] } {
  const seen: bigint[] = [];
  const verifier: SubmissionVerifier = {
    failing: async (_, claims) => {
      seen.push(...claims.map(({ opening }) => opening.value));
      return claims.flatMap(({ opening }, i) => (opening.value % 2n === 1n ? [i] : []));
    },
  };
  return { verifier: rememberingVerifier(verifier), values: () => seen.splice(0) };
}

describe("a verifier that remembers", () => {
  it("passes on what did not hold in the call before, and names what fails by its place", async () => {
    const { verifier, values } = asked();
    assert.deepEqual(await verifier.failing(keys, [2n, 3n, 4n].map(claimOf)), [1]);
    assert.deepEqual(values(), [2n, 3n, 4n]);
    assert.deepEqual(await verifier.failing(keys, [4n, 6n, 3n, 2n, 5n].map(claimOf)), [2, 4]);
    assert.deepEqual(values(), [6n, 3n, 5n]);
  });

  it("takes no claim for another that differs in any value", async () => {
    const { verifier, values } = asked();
    const claim = claimOf(2n);
    const [proof] = claim.proofs as [SubmissionClaim["proofs"][number]];
    const others: SubmissionClaim[] = [
      { ...claim, proofs: [] },
      { ...claim, proofs: [proof, proof] },
      { ...claim, proofs: [{ ...proof, kindIndex: 1 }] },
      { ...claim, proofs: [{ ...proof, publicSignals: [12n] }] },
      { ...claim, proofs: [{ ...proof, wires: { x: 1n, y: 3n } }] },
      { ...claim, opening: { ...claim.opening, z: 4n } },
    ];
    for (const other of others) {
      await verifier.failing(keys, [claim]);
      values();
      await verifier.failing(keys, [other]);
      assert.equal(values().length, 1);
    }
  });

  it("remembers one call, and nothing under other keys", async () => {
    const { verifier, values } = asked();
    await verifier.failing(keys, [claimOf(2n)]);
    await verifier.failing(keys, [claimOf(4n)]);
    values();
    await verifier.failing(keys, [claimOf(2n)]);
    await verifier.failing({} as VerificationKeys, [claimOf(2n)]);
    assert.deepEqual(values(), [2n, 2n]);
  });
});
