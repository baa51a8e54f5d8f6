import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { bn254 } from "@noble/curves/bn254.js";
import { encodeSubmission } from "../../chain/codec.ts";
import { invert, toField } from "../../protocol/field.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY, multiplyG1, negateG1, weightedSumG1 } from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { ChunkProof, Submission } from "../../protocol/submission.ts";
import { word } from "../support/random.ts";
import { reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  deployTask,
  makeSubmission,
  openChain,
  openRound,
  registerAll,
  roundOf,
  SECRETS,
  sendSubmission,
  snapshot,
  submitAs,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const WEIGHTS = [1, 2, 1, 1];
/** Three chunks of two kinds. */
const CHUNK_KINDS = [1, 0, 0];
const DIMENSION = 2472 + 588 + 1;
const OFF_CURVE: G1 = { x: 1n, y: 3n };

describe("submit", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let valid: Submission;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { chunkKinds: CHUNK_KINDS, dimension: DIMENSION });
    await registerAll(task, WEIGHTS);
    await openRound(task);
    valid = (await makeSubmission(task, task.clients[0]!, "valid")).submission;
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  const send = (submission: Submission): Promise<unknown> => sendSubmission(task, task.clients[0]!, submission);
  const withChunk = (index: number, change: Partial<ChunkProof>): Submission => ({
    ...valid,
    chunks: valid.chunks.map((chunk, i) => (i === index ? { ...chunk, ...change } : chunk)),
  });

  it("accepts valid submissions and keeps the weighted sum of their commitments", async () => {
    const made = [await submitAs(task, 0), await submitAs(task, 1), await submitAs(task, 2)];
    const state = await roundOf(task);
    assert.equal(state.submitted, 3n);
    assert.equal(state.totalWeight, 4n);
    const expected = weightedSumG1(
      made.map(({ submission }) => submission.commitment),
      [1n, 2n, 1n],
    );
    assert.deepEqual({ x: state.sum.x, y: state.sum.y }, expected);
  });

  it("emits the submission as it was sent", async () => {
    const { submission, receipt } = await submitAs(task, 1);
    const event = VERISUM_INTERFACE.parseLog(receipt.logs[0]!)!;
    assert.equal(event.name, "Submitted");
    assert.deepEqual(
      [event.args["round"], event.args["client"], event.args["index"], event.args["weight"]],
      [1n, task.clients[1]!.address, 0n, 2n],
    );
    const reencoded = VERISUM_INTERFACE.encodeFunctionData("submit", [1n, event.args["submission"]]);
    assert.equal(reencoded, VERISUM_INTERFACE.encodeFunctionData("submit", [1n, encodeSubmission(submission)]));
  });

  it("moves to Attesting with the last expected submission", async () => {
    for (const i of [0, 1, 2, 3]) await submitAs(task, i);
    assert.equal((await roundOf(task)).phase, 2n);
  });

  describe("refuses a submission with one thing changed:", () => {
    const other = multiplyG1(G1_GENERATOR, 12345n);
    const otherG2 = (b: G2): G2 => ({ x: b.x, y: { c0: BASE_FIELD_ORDER - b.y.c0, c1: BASE_FIELD_ORDER - b.y.c1 } });
    const changes: Record<string, () => Submission> = {
      commitment: () => ({ ...valid, commitment: other }),
      "negated commitment": () => ({ ...valid, commitment: negateG1(valid.commitment) }),
      "shifted commitment": () => ({ ...valid, commitment: addG1(valid.commitment, G1_GENERATOR) }),
      sharesCid: () => ({ ...valid, sharesCid: word("elsewhere") }),
      "a share hash": () => ({ ...valid, shareHashes: [word("share"), ...valid.shareHashes.slice(1)] }),
      "the order of share hashes": () => ({ ...valid, shareHashes: valid.shareHashes.toReversed() }),
      opening: () => ({ ...valid, opening: other }),
      "opening at infinity": () => ({ ...valid, opening: G1_INFINITY }),
      "swapped chunks of one kind": () => ({
        ...valid,
        chunks: [valid.chunks[0]!, valid.chunks[2]!, valid.chunks[1]!],
      }),
      "swapped chunks of different kinds": () => ({
        ...valid,
        chunks: [valid.chunks[1]!, valid.chunks[0]!, valid.chunks[2]!],
      }),
      "a repeated chunk": () => ({ ...valid, chunks: [valid.chunks[0]!, valid.chunks[1]!, valid.chunks[1]!] }),
    };
    for (const index of [0, 1, 2]) {
      changes[`d of chunk ${index}`] = () => withChunk(index, { d: other });
      changes[`a of chunk ${index}`] = () => withChunk(index, { a: other });
      changes[`b of chunk ${index}`] = () => withChunk(index, { b: otherG2(valid.chunks[index]!.b) });
      changes[`c of chunk ${index}`] = () => withChunk(index, { c: other });
      changes[`c of chunk ${index} at infinity`] = () => withChunk(index, { c: G1_INFINITY });
      changes[`y of chunk ${index}`] = () => withChunk(index, { y: (valid.chunks[index]!.y + 1n) % FIELD_ORDER });
      changes[`h of chunk ${index}`] = () => withChunk(index, { h: (valid.chunks[index]!.h + 1n) % FIELD_ORDER });
    }
    for (const [name, change] of Object.entries(changes))
      it(name, () => reverts(send(change()), "VerisumProofInvalid"));
  });

  it("takes the sharing polynomials' evaluations as claims that members check", async () => {
    await send({ ...valid, shareEvaluations: [valid.shareEvaluations[0]! ^ 1n] });
  });

  it("refuses scalars that are not below the group order", async () => {
    const chunk = valid.chunks[1]!;
    await reverts(send(withChunk(1, { y: chunk.y + FIELD_ORDER })), "VerisumNotCanonical");
    await reverts(send(withChunk(1, { h: chunk.h + FIELD_ORDER })), "VerisumNotCanonical");
    await reverts(send(withChunk(0, { h: FIELD_ORDER })), "VerisumNotCanonical");
    await reverts(send(withChunk(2, { y: 2n ** 256n - 1n })), "VerisumNotCanonical");
    await reverts(send({ ...valid, shareEvaluations: [FIELD_ORDER] }), "VerisumNotCanonical");
  });

  it("refuses infinity where a proper point is required", async () => {
    const none: G2 = { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };
    await reverts(send({ ...valid, commitment: G1_INFINITY }), "VerisumPointInfinity");
    await reverts(send(withChunk(0, { d: G1_INFINITY })), "VerisumPointInfinity");
    await reverts(send(withChunk(1, { a: G1_INFINITY })), "VerisumPointInfinity");
    await reverts(send(withChunk(2, { b: none })), "VerisumPointInfinity");
    // A point of which one coordinate is left is none.
    for (const c of ["c0", "c1"] as const) {
      await reverts(send(withChunk(2, { b: { ...none, x: { ...none.x, [c]: 1n } } })), "VerisumPointInvalid");
      await reverts(send(withChunk(2, { b: { ...none, y: { ...none.y, [c]: 1n } } })), "VerisumPointInvalid");
    }
  });

  for (const [name, spoil] of Object.entries<(point: G1) => G1>({
    "off the curve": () => OFF_CURVE,
    "with x + p": (point) => ({ x: point.x + BASE_FIELD_ORDER, y: point.y }),
    "with y + p": (point) => ({ x: point.x, y: point.y + BASE_FIELD_ORDER }),
    "at infinity, negated": () => ({ x: 0n, y: BASE_FIELD_ORDER }),
  })) {
    it(`refuses points ${name}`, async () => {
      await reverts(send({ ...valid, commitment: spoil(valid.commitment) }), "VerisumPointInvalid");
      await reverts(send({ ...valid, opening: spoil(valid.opening) }), "VerisumPointInvalid");
      for (const index of [0, 1]) {
        const chunk = valid.chunks[index]!;
        await reverts(send(withChunk(index, { d: spoil(chunk.d) })), "VerisumPointInvalid");
        await reverts(send(withChunk(index, { a: spoil(chunk.a) })), "VerisumPointInvalid");
        await reverts(send(withChunk(index, { c: spoil(chunk.c) })), "VerisumPointInvalid");
      }
    });
  }

  it("refuses G2 points off the curve or outside the subgroup", async () => {
    const { b } = valid.chunks[0]!;
    await reverts(send(withChunk(0, { b: { x: b.x, y: { c0: b.y.c0 ^ 1n, c1: b.y.c1 } } })), "VerisumPointInvalid");
    await reverts(send(withChunk(0, { b: outsideSubgroup() })), "VerisumPointInvalid");
    await reverts(
      send(withChunk(0, { b: { x: { c0: b.x.c0 + BASE_FIELD_ORDER, c1: b.x.c1 }, y: b.y } })),
      "VerisumPointInvalid",
    );
  });

  it("refuses wrong numbers of chunks, share hashes and evaluations", async () => {
    const [first, second, third] = valid.chunks;
    await reverts(send({ ...valid, chunks: [first!, second!] }), "VerisumWrongLength");
    await reverts(send({ ...valid, chunks: [first!, second!, third!, third!] }), "VerisumWrongLength");
    await reverts(send({ ...valid, chunks: [] }), "VerisumWrongLength");
    await reverts(send({ ...valid, shareHashes: valid.shareHashes.slice(1) }), "VerisumWrongLength");
    await reverts(send({ ...valid, shareEvaluations: [] }), "VerisumWrongLength");
    await reverts(send({ ...valid, shareEvaluations: [1n, 2n] }), "VerisumWrongLength");
  });

  it("refuses two forgeries that cancel in an unweighted product", async () => {
    // C_1 + X and C_2 − X: each equation is false, the product with all weights 1 is true.
    const shift = multiplyG1(G1_GENERATOR, 777n);
    const [first, second, third] = valid.chunks;
    const forged = {
      ...valid,
      chunks: [first!, { ...second!, c: addG1(second!.c, shift) }, { ...third!, c: addG1(third!.c, negateG1(shift)) }],
    };
    await reverts(send(forged), "VerisumProofInvalid");
  });

  it("refuses a forged opening that a forged proof cancels in an unweighted product", async () => {
    // With the trapdoors: chunk 0's equation is off by the factor e(G1, G2), the opening's by its inverse.
    const { submission, z } = await makeSubmission(task, task.clients[0]!, "valid");
    const kind = SECRETS.kinds[CHUNK_KINDS[0]!]!;
    const c = addG1(submission.chunks[0]!.c, multiplyG1(G1_GENERATOR, FIELD_ORDER - invert(kind.delta)));
    const opening = addG1(submission.opening, multiplyG1(G1_GENERATOR, FIELD_ORDER - invert(toField(SECRETS.tau - z))));
    await reverts(send({ ...withChunk(0, { c }), opening }), "VerisumProofInvalid");
  });

  it("accepts a re-randomised proof, and once only", async () => {
    // (−A, −B) is as good as (A, B); a client is identified by its slot, never by proof bytes.
    const { a, b } = valid.chunks[0]!;
    await send(withChunk(0, { a: negateG1(a), b: otherSign(b) }));
    await reverts(send(valid), "VerisumAlreadySubmitted", task.clients[0]!.address);
    assert.equal((await roundOf(task)).submitted, 1n);
  });

  it("refuses another client's submission", async () => {
    await reverts(sendSubmission(task, task.clients[2]!, valid), "VerisumProofInvalid");
  });

  it("refuses a submission made for another deployment, round or base model", async () => {
    const client = task.clients[0]!;
    const elsewhere = { ...task, context: { ...task.context, deployment: word("elsewhere") } };
    await reverts(send((await makeSubmission(elsewhere, client, "elsewhere")).submission), "VerisumProofInvalid");
    const lower = {
      ...task,
      parameters: { ...task.parameters, normBoundSquared: task.parameters.normBoundSquared - 1n },
    };
    await reverts(send((await makeSubmission(lower, client, "bound")).submission), "VerisumProofInvalid");
    await reverts(sendSubmission(task, client, valid, 2n), "VerisumWrongRound", 1, 2);
    const { deadline } = await roundOf(task);
    await connection.provider.request({ method: "evm_setNextBlockTimestamp", params: [`0x${deadline.toString(16)}`] });
    await task.verisum["abort"]!(1n);
    await openRound(task);
    await reverts(send(valid), "VerisumProofInvalid");
  });

  it("refuses accounts that are not active clients of the round", async () => {
    await reverts(sendSubmission(task, task.stranger, valid), "VerisumNotActiveClient", task.stranger.address, 0, 0);
    const late = task.clients[4]!;
    await task.verisum["registerClient"]!(late.address, 1);
    await reverts(
      sendSubmission(task, late, (await makeSubmission(task, late, "late")).submission),
      "VerisumNotActiveClient",
      late.address,
      2,
      0,
    );
  });

  it("refuses calldata in another form than its own ABI encoding, which its event could not carry", async () => {
    const canonical = VERISUM_INTERFACE.encodeFunctionData("submit", [1n, encodeSubmission(valid)]).slice(2);
    const prefix = canonical.slice(0, 8 + 64);
    const words = canonical.slice(8 + 128).match(/.{64}/g)!;
    const [head, arrays] = [words.slice(0, 9), words.slice(9)];
    const hexWord = (value: bigint): string => BigInt.asUintN(256, value).toString(16).padStart(64, "0");
    const forms = {
      // Solidity follows offsets to before the struct; readers of the event would find nothing there.
      "arrays before the struct": [
        hexWord(BigInt(64 + 32 * arrays.length)),
        ...arrays,
        ...head.map((value, i) =>
          i >= 4 && i <= 6 ? hexWord(BigInt(`0x${value}`) - 288n - BigInt(32 * arrays.length)) : value,
        ),
      ],
      "trailing words": [hexWord(64n), ...words, hexWord(0n)],
      "a gap after the head": [
        hexWord(64n),
        ...head.map((value, i) => (i >= 4 && i <= 6 ? hexWord(BigInt(`0x${value}`) + 32n) : value)),
        hexWord(0n),
        ...arrays,
      ],
    };
    // A number of a model that is wider than its type would be in the event as it came.
    const [base, ...rest] = words;
    const wide = [hexWord(64n), hexWord(BigInt(`0x${base}`) + (1n << 32n)), ...rest];
    await assert.rejects(task.clients[0]!.sendTransaction({ to: task.address, data: `0x${prefix}${wide.join("")}` }));
    for (const form of Object.values(forms)) {
      const sent = task.clients[0]!.sendTransaction({ to: task.address, data: `0x${prefix}${form.join("")}` });
      await reverts(sent, "VerisumNotCanonical");
    }
    await send(valid);
  });
});

function otherSign(b: G2): G2 {
  const negate = (value: bigint): bigint => (value === 0n ? 0n : BASE_FIELD_ORDER - value);
  return { x: b.x, y: { c0: negate(b.y.c0), c1: negate(b.y.c1) } };
}

/** A point of the twist y² = x³ + 3/(9 + u) that is not of order r; nearly every point of the curve is none. */
function outsideSubgroup(): G2 {
  const { Fp2 } = bn254.fields;
  const b = Fp2.div(Fp2.fromBigTuple([3n, 0n]), Fp2.fromBigTuple([9n, 1n]));
  for (let x0 = 1n; ; x0++) {
    const x = Fp2.fromBigTuple([x0, 0n]);
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b);
    try {
      const y = Fp2.sqrt(square);
      return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } };
    } catch {
      continue;
    }
  }
}
