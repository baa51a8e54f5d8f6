import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { openCurve } from "../../../proving/node/open-curve.ts";
import { chunkProver } from "../../../proving/groth16/chunk-prover.ts";
import type { KeySet } from "../../../proving/groth16/key-set.ts";
import { evaluatePolynomial, randomElement } from "../../../protocol/field.ts";
import { VerisumError } from "../../../protocol/errors.ts";
import { FIRST_ACCUMULATOR_HASH, verifyChunkProof } from "../../../protocol/groth16.ts";
import { layoutOf } from "../../../protocol/layout.ts";
import { packUpdate } from "../../../protocol/packing.ts";
import { coordinateOffset, FIELD_ORDER, MASKS_PER_CHUNK, PRESETS } from "../../../protocol/parameters.ts";
import {
  addG1,
  equalG1,
  G1_GENERATOR,
  fromNobleG2,
  multiplyG1,
  multiplyG2,
  negateG1,
  negateG2,
  toNobleG2,
} from "../../../protocol/points.ts";
import type { G1, G2 } from "../../../protocol/points.ts";
import type { ChunkChallenge, ChunkProofPoints, ChunkProver, ChunkWitness } from "../../../protocol/ports.ts";
import { poseidonPair } from "../../../protocol/poseidon.ts";
import type { RandomBytes } from "../../../protocol/random.ts";
import { rejectsCode } from "../../support/errors.ts";
import { closeEngine, devKeys } from "../../support/proving.ts";
import { seededRandom } from "../../support/random.ts";

/** Coordinates within ±8, masks, blinder and salt from the seed. */
function witnessFor(keys: KeySet, kindIndex: number, random: RandomBytes): ChunkWitness {
  const offset = coordinateOffset(keys.preset);
  return {
    rows: Uint16Array.from(random(keys.preset.kinds[kindIndex]!.coordinates), (byte) => offset + (byte % 17) - 8),
    masks: Array.from({ length: MASKS_PER_CHUNK }, () => randomElement(random)),
    blinder: randomElement(random),
    accumulatedBefore: 0n,
    saltBefore: 0n,
    salt: randomElement(random),
  };
}

function normOf(keys: KeySet, witness: ChunkWitness): bigint {
  const offset = coordinateOffset(keys.preset);
  return witness.rows.reduce((sum, row) => sum + BigInt((row - offset) ** 2), 0n);
}

describe("chunk prover", function () {
  this.timeout(120_000);
  const random = seededRandom("chunk prover");
  let keys: KeySet;
  let prover: ChunkProver;
  let witness: ChunkWitness;
  let challenge: ChunkChallenge;
  let d: G1;
  let proof: ChunkProofPoints;
  before(async () => {
    keys = await devKeys();
    prover = chunkProver(await openCurve(), keys, random);
    witness = witnessFor(keys, 0, random);
    d = await prover.commitWires(0, witness);
    challenge = { alpha: randomElement(random), z: randomElement(random), bound: normOf(keys, witness) };
    proof = await prover.prove(0, witness, challenge);
  });
  after(closeEngine);

  const verifies = (
    wires: G1,
    points: ChunkProofPoints,
    inputs = challenge,
    hPrevious = FIRST_ACCUMULATOR_HASH,
  ): boolean => verifyChunkProof(keys.verificationKeys, 0, wires, points, { ...inputs, hPrevious });

  it("proves each kind of the preset, with y and h as the protocol defines them", async () => {
    for (const [kindIndex, kind] of keys.preset.kinds.entries()) {
      const mine = witnessFor(keys, kindIndex, random);
      const wires = await prover.commitWires(kindIndex, mine);
      const made = await prover.prove(kindIndex, mine, (challenge = { ...challenge, bound: 1n << 40n }));
      assert.ok(
        verifyChunkProof(keys.verificationKeys, kindIndex, wires, made, {
          ...challenge,
          hPrevious: FIRST_ACCUMULATOR_HASH,
        }),
      );
      const offset = coordinateOffset(keys.preset);
      const block = packUpdate(
        layoutOf(keys.preset, kind.coordinates, [kindIndex]),
        Int32Array.from(mine.rows, (row) => row - offset),
        mine.masks,
      );
      assert.equal(made.y, evaluatePolynomial(block, challenge.z));
      assert.equal(made.h, poseidonPair(normOf(keys, mine), mine.salt));
    }
    challenge = { ...challenge, bound: normOf(keys, witness) };
    assert.ok(verifies(d, proof));
  });

  it("refuses keys that are not there ahead of the first proof, and with it again", async () => {
    const missing = (): Promise<never> => Promise.reject(new VerisumError("KEY_ARTIFACT_CORRUPT", "it is not there"));
    const lacking = chunkProver(await openCurve(), { ...keys, provingFiles: missing }, random);
    await chunkProver(await openCurve(), keys, random).preload([0, 1]);
    await rejectsCode(lacking.preload([0]), "KEY_ARTIFACT_CORRUPT");
    await rejectsCode(lacking.prove(0, witness, challenge), "KEY_ARTIFACT_CORRUPT");
  });

  it("links a second chunk to the first", async () => {
    const second = {
      ...witnessFor(keys, 0, random),
      accumulatedBefore: normOf(keys, witness),
      saltBefore: witness.salt,
    };
    const inputs = { ...challenge, bound: normOf(keys, witness) + normOf(keys, second) };
    const wires = await prover.commitWires(0, second);
    const made = await prover.prove(0, second, inputs);
    assert.ok(verifies(wires, made, inputs, proof.h));
    assert.ok(!verifies(wires, made, inputs));
  });

  it("makes another proof each time, and D hides equal wires behind the blinder", async () => {
    const again = await prover.prove(0, witness, challenge);
    assert.ok(!equalG1(again.a, proof.a) && verifies(d, again));
    const blinded = await prover.commitWires(0, { ...witness, blinder: witness.blinder + 1n });
    assert.ok(!equalG1(blinded, d), "the blinder does not change D");
    assert.ok(!verifies(blinded, proof));
  });

  it("refuses to prove a norm one above the bound, a row outside the table and inputs of the wrong form", async () => {
    await rejectsCode(prover.prove(0, witness, { ...challenge, bound: challenge.bound - 1n }), "UPDATE_OVER_BOUND");
    await rejectsCode(prover.prove(0, { ...witness, rows: witness.rows.with(3, 256) }, challenge), "UPDATE_OVER_BOUND");
    await rejectsCode(prover.commitWires(0, { ...witness, rows: witness.rows.with(3, 256) }), "UPDATE_OVER_BOUND");
    await rejectsCode(prover.commitWires(0, { ...witness, rows: witness.rows.slice(1) }), "ENCODING_LENGTH");
    await rejectsCode(prover.commitWires(0, { ...witness, masks: witness.masks.slice(1) }), "ENCODING_LENGTH");
    await rejectsCode(prover.commitWires(0, { ...witness, blinder: FIELD_ORDER }), "ENCODING_NOT_CANONICAL");
    await rejectsCode(prover.prove(0, { ...witness, accumulatedBefore: -1n }, challenge), "WITNESS_UNSATISFIED");
    await rejectsCode(prover.prove(5, witness, challenge), "KEY_ARTIFACT_CORRUPT");
  });

  it("gives proofs that no changed input verifies", () => {
    for (const name of ["alpha", "z", "bound"] as const) {
      for (const value of [0n, 1n, challenge[name] + 1n, challenge[name] + FIELD_ORDER, -1n, FIELD_ORDER - 1n]) {
        assert.ok(!verifies(d, proof, { ...challenge, [name]: value }), `${name} = ${value}`);
      }
    }
    for (const output of ["y", "h"] as const)
      for (const value of [0n, proof[output] + 1n, proof[output] + FIELD_ORDER])
        assert.ok(!verifies(d, { ...proof, [output]: value }), output);
    assert.ok(!verifies(d, proof, challenge, proof.h));
    assert.ok(
      !verifyChunkProof(keys.verificationKeys, 1, d, proof, { ...challenge, hPrevious: FIRST_ACCUMULATOR_HASH }),
      "another kind's key",
    );
  });

  it("gives proofs that no changed point verifies", () => {
    assert.ok(!verifies(addG1(d, G1_GENERATOR), proof));
    assert.ok(!verifies(d, { ...proof, a: negateG1(proof.a) }));
    assert.ok(!verifies(d, { ...proof, b: negateG2(proof.b) }));
    assert.ok(!verifies(d, { ...proof, c: addG1(proof.c, G1_GENERATOR) }));
    assert.ok(!verifies(d, { ...proof, a: d }));
  });

  it("does not let D carry a component in the bases of the public inputs", () => {
    const { publicBases } = keys.verificationKeys.kinds[0]!;
    // Under a key whose D shares gamma this shift would pass for another bound.
    const shift = 1000n;
    for (const sign of [1n, -1n]) {
      const shifted = addG1(d, multiplyG1(publicBases[5]!, sign * shift));
      assert.ok(!verifies(shifted, proof, { ...challenge, bound: challenge.bound - sign * shift }));
    }
  });

  it("is malleable as Groth16 is, which changes D or nothing that is bound: D is in the challenge", () => {
    const minus = { ...proof, a: negateG1(proof.a), b: negateG2(proof.b) };
    assert.ok(verifies(d, minus), "(−A, −B)");
    const b = 12345n;
    const sigma = keys.verificationKeys.kinds[0]!.sigma;
    const moved = addG1(d, multiplyG1(proof.a, b));
    assert.ok(verifies(moved, { ...proof, b: addG2(proof.b, multiplyG2(sigma, b)) }), "(B + b·sigma, D + b·A)");
    assert.ok(!equalG1(moved, d), "the other D leads to another alpha and z");
  });

  it("proves and refuses at a production size", async () => {
    const standard = await devKeys(PRESETS.standard, 1);
    const large = chunkProver(await openCurve(), standard, random);
    const mine = witnessFor(standard, 0, random);
    const inputs = { ...challenge, bound: normOf(standard, mine) };
    const wires = await large.commitWires(0, mine);
    const made = await large.prove(0, mine, inputs);
    assert.ok(
      verifyChunkProof(standard.verificationKeys, 0, wires, made, { ...inputs, hPrevious: FIRST_ACCUMULATOR_HASH }),
    );
    assert.ok(
      !verifyChunkProof(standard.verificationKeys, 0, wires, made, {
        ...inputs,
        bound: inputs.bound - 1n,
        hPrevious: FIRST_ACCUMULATOR_HASH,
      }),
    );
    await rejectsCode(large.prove(0, mine, { ...inputs, bound: inputs.bound - 1n }), "UPDATE_OVER_BOUND");
    await rejectsCode(large.prove(0, { ...mine, rows: mine.rows.with(0, 4096) }, inputs), "UPDATE_OVER_BOUND");
  });
});

function addG2(a: G2, b: G2): G2 {
  return fromNobleG2(toNobleG2(a).add(toNobleG2(b)));
}
