import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { evaluatePolynomial, multiply, power, toField } from "../../protocol/field.ts";
import { verifyOpening } from "../../protocol/kzg.ts";
import { layoutFor } from "../../protocol/layout.ts";
import { normSquared, tableRows, unpackSum } from "../../protocol/packing.ts";
import { FIELD_ORDER, PRESETS } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, equalG1, multiplyG1 } from "../../protocol/points.ts";
import type { ChunkChallenge, ChunkProver, ChunkWires, ChunkWitness } from "../../protocol/ports.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";
import { checkShare, interpolate, linearCombination } from "../../protocol/sharing.ts";
import { chunkBound, commitUpdate, openVector, proveUpdate, submissionEvaluation } from "../../protocol/submission.ts";
import type { SubmissionContext } from "../../protocol/submission.ts";
import { challengeOf, challengePoints, sharesDigest } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { knownTauCommitter } from "../support/in-memory-keys.ts";
import { seededRandom, word } from "../support/random.ts";

const layout = layoutFor(PRESETS.tiny, PRESETS.tiny.kinds[1]!.coordinates + 30);
const quantised = Int32Array.from({ length: layout.dimension }, (_, i) => ((i * 31) % 200) - 100);
const committee = { committeeSize: 4, threshold: 2 };
const committer = knownTauCommitter();
const context: SubmissionContext = {
  deployment: `0x${"11".repeat(32)}`,
  round: 4n,
  client: `0x${"22".repeat(20)}`,
  weight: 3,
  baseModelDigest: word("base"),
  base: 3n,
  normBoundSquared: 2n ** 40n,
};
const cid = word("bundle");

/** Evaluates what the chunk circuit evaluates, without a proof, and remembers what it was asked. */
function evaluatingProver(): ChunkProver & {
  readonly asked: { kindIndex: number; witness: ChunkWitness; challenge: ChunkChallenge }[];
  readonly wires: ChunkWires[];
} {
  const asked: { kindIndex: number; witness: ChunkWitness; challenge: ChunkChallenge }[] = [];
  const wires: ChunkWires[] = [];
  const offset = 2 ** (PRESETS.tiny.coordinateBits - 1);
  return {
    asked,
    wires,
    commitWires: async (_, chunkWires) => {
      wires.push(chunkWires);
      return multiplyG1(G1_GENERATOR, chunkWires.blinder);
    },
    prove: async (kindIndex, witness, challenge) => {
      asked.push({ kindIndex, witness, challenge });
      const block: bigint[] = [];
      for (let at = 0; at < witness.rows.length; at += 12) {
        let element = 0n;
        for (let l = 0; l < 12; l++) element += BigInt(witness.rows[at + l]! - offset) << BigInt(21 * l);
        block.push(toField(element));
      }
      const y = evaluatePolynomial([...block, ...witness.masks], challenge.z);
      const norm = witness.rows.reduce((sum, row) => sum + (row - offset) ** 2, 0);
      const h = poseidonPair(witness.accumulatedBefore + BigInt(norm), witness.salt);
      return { a: G1_GENERATOR, b: G2_GENERATOR, c: G1_GENERATOR, y, h };
    },
    close: async () => undefined,
  };
}

async function submit(
  seed = "submission",
  changes: Partial<SubmissionContext> = {},
): Promise<{
  committed: Awaited<ReturnType<typeof commitUpdate>>;
  submission: Awaited<ReturnType<typeof proveUpdate>>;
  prover: ReturnType<typeof evaluatingProver>;
}> {
  const prover = evaluatingProver();
  const committed = await commitUpdate(layout, committee, quantised, { committer, random: seededRandom(seed) });
  return {
    committed,
    submission: await proveUpdate(layout, { ...context, ...changes }, committed, cid, { committer, prover }),
    prover,
  };
}

describe("a client's submission", () => {
  it("has the challenge that its own fields give, so that the contract derives the same points", async () => {
    const { submission, prover } = await submit();
    const { alpha, z } = challengePoints(
      challengeOf({
        ...context,
        commitment: submission.commitment,
        sharesDigest: sharesDigest(submission.shareHashes),
        sharesCid: submission.sharesCid,
        shareEvaluationCount: submission.shareEvaluations.length,
        wireCommitments: submission.chunks.map(({ d }) => d),
      }),
    );
    for (const { challenge } of prover.asked) assert.deepEqual([challenge.alpha, challenge.z], [alpha, z]);
  });

  it("opens its commitment at z to the shifted sum of its chunks' evaluations", async () => {
    const { submission, committed, prover } = await submit();
    const { z } = prover.asked[0]!.challenge;
    const y = submissionEvaluation(
      layout,
      submission.chunks.map((chunk) => chunk.y),
      z,
    );
    assert.equal(y, evaluatePolynomial(committed.vector, z));
    assert.ok(verifyOpening(committer.tau, submission.commitment, z, y, submission.opening));
    assert.ok(!verifyOpening(committer.tau, submission.commitment, z, toField(y + 1n), submission.opening));
    assert.ok(!verifyOpening(committer.tau, submission.commitment, toField(z + 1n), y, submission.opening));
    assert.ok(!verifyOpening(committer.tau, multiplyG1(G1_GENERATOR, 3n), z, y, submission.opening));
  });

  it("shifts chunk j by z to the number of elements before it", () => {
    const values = layout.chunks.map((_, j) => BigInt(j + 2));
    const expected =
      values.reduce((sum, value, j) => sum + multiply(value, power(5n, BigInt(layout.chunks[j]!.elementStart))), 0n) %
      FIELD_ORDER;
    assert.equal(submissionEvaluation(layout, values, 5n), expected);
  });

  it("carries shares that every member accepts and any two of them interpolate", async () => {
    const { submission, committed, prover } = await submit();
    const { z } = prover.asked[0]!.challenge;
    const y = submissionEvaluation(
      layout,
      submission.chunks.map((chunk) => chunk.y),
      z,
    );
    committed.shares.forEach((share, i) =>
      checkShare(i + 1, share, { hash: submission.shareHashes[i]!, z, y, evaluations: submission.shareEvaluations }),
    );
    assert.equal(submission.shareEvaluations.length, committee.threshold - 1);
    const vector = interpolate(2, [4, 2], [committed.shares[3]!, committed.shares[1]!]);
    assert.deepEqual(vector, committed.vector);
    assert.deepEqual(
      unpackSum(layout, linearCombination([vector], [3n])),
      quantised.map((value) => 3 * value),
    );
  });

  it("commits to the wires that it proves, masks being those of the packed vector", async () => {
    const { committed, prover } = await submit();
    layout.chunks.forEach((chunk, j) => {
      const { witness, kindIndex } = prover.asked[j]!;
      assert.equal(prover.wires[j], witness);
      assert.equal(kindIndex, chunk.kindIndex);
      assert.deepEqual(witness.rows, tableRows(layout, j, quantised));
      assert.deepEqual(
        committed.vector.slice(chunk.elementStart + chunk.elementCount - 3, chunk.elementStart + chunk.elementCount),
        witness.masks,
      );
    });
  });

  it("chains salted partial norms from zero and bounds the last chunk by B squared", async () => {
    const { prover } = await submit();
    assert.equal(prover.asked.length, layout.chunks.length);
    let accumulated = 0n;
    let salt = 0n;
    prover.asked.forEach(({ witness, challenge }, j) => {
      assert.equal(witness.accumulatedBefore, accumulated);
      assert.equal(witness.saltBefore, salt);
      assert.equal(challenge.bound, j === layout.chunks.length - 1 ? context.normBoundSquared : 2n ** 48n - 1n);
      const { coordinateStart, kind } = layout.chunks[j]!;
      accumulated += BigInt(normSquared(quantised.subarray(coordinateStart, coordinateStart + kind.coordinates)));
      salt = witness.salt;
    });
    assert.equal(accumulated, BigInt(normSquared(quantised)));
    assert.equal(chunkBound(0, 1, 7n), 7n);
  });

  it("draws every secret afresh: no mask, salt, blinder or coefficient occurs twice", async () => {
    const { committed } = await submit();
    const secrets = [
      ...committed.witnesses.flatMap(({ masks, salt, blinder }) => [...masks, salt, blinder]),
      ...committed.sharing.coefficients.flat(),
    ];
    assert.equal(new Set(secrets).size, secrets.length);
    const again = (await submit("another seed")).committed;
    assert.ok(!equalG1(again.commitment, committed.commitment));
    assert.notDeepEqual(again.shareHashes, committed.shareHashes);
  });

  it("is evaluated elsewhere as soon as client, round, weight or deployment changes", async () => {
    const points = new Set<bigint>();
    for (const changes of [
      {},
      { client: `0x${"33".repeat(20)}` as const },
      { round: 5n },
      { weight: 4 },
      { deployment: word("elsewhere") },
    ])
      points.add((await submit("submission", changes)).prover.asked[0]!.challenge.z);
    assert.equal(points.size, 5);
  });

  it("reports its stages in order", async () => {
    const stages: string[] = [];
    const onStage = (stage: string): void => void stages.push(stage);
    const committed = await commitUpdate(layout, committee, quantised, {
      committer,
      random: seededRandom("stages"),
      onStage,
    });
    await proveUpdate(layout, context, committed, cid, { committer, prover: evaluatingProver(), onStage });
    assert.deepEqual([...new Set(stages)], ["pack", "commit", "share", "wires", "prove", "open"]);
  });

  it("refuses coordinates beyond the width before anything is drawn out", async () => {
    await rejectsCode(
      commitUpdate(layout, committee, quantised.with(0, 128), { committer, random: seededRandom("x") }),
      "UPDATE_OVER_BOUND",
    );
    await rejectsCode(
      commitUpdate(layout, committee, quantised.subarray(1), { committer, random: seededRandom("x") }),
      "UPDATE_LENGTH",
    );
    await rejectsCode(
      commitUpdate(layout, { committeeSize: 4, threshold: 1 }, quantised, { committer, random: seededRandom("x") }),
      "PARAMETERS_INVALID",
    );
  });

  /** 31 coordinates of the update in place of the hash, as a circuit of somebody else could put them out. */
  const leaked = ({ rows }: ChunkWitness): bigint =>
    rows.slice(0, 31).reduce((sum, row, i) => sum + (BigInt(row) << BigInt(8 * i)), 0n);
  for (const [what, change] of Object.entries({
    "writes the update into h": (witness: ChunkWitness) => ({ h: leaked(witness) }),
    "writes the update into y": (witness: ChunkWitness) => ({ y: leaked(witness) }),
  })) {
    it(`is not made with keys whose circuit ${what}`, async () => {
      const honest = evaluatingProver();
      const prover: ChunkProver = {
        ...honest,
        prove: async (kindIndex, witness, challenge) => ({
          ...(await honest.prove(kindIndex, witness, challenge)),
          ...change(witness),
        }),
      };
      const committed = await commitUpdate(layout, committee, quantised, { committer, random: seededRandom("leak") });
      await rejectsCode(proveUpdate(layout, context, committed, cid, { committer, prover }), "KEY_REFUSED", {
        rule: "circuit-output",
      });
    });
  }
});

describe("opening a vector", () => {
  it("gives its value at the point and a proof of it", async () => {
    const { value, opening } = await openVector([1n, 2n, 3n], 10n, committer);
    assert.equal(value, 321n);
    assert.ok(verifyOpening(committer.tau, await committer.commit([1n, 2n, 3n]), 10n, value, opening));
  });
});
