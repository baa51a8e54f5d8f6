import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { keccak256, TypedDataEncoder } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeSigned, encodeSubmission } from "../../chain/codec.ts";
import { recordsOf } from "../../chain/round-records.ts";
import { parseTaskLog } from "../../chain/logs.ts";
import { submissionDigest } from "../../chain/submission-signature.ts";
import type { SignedSubmission } from "../../chain/task-chain.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY, multiplyG1, negateG1, weightedSumG1 } from "../../protocol/points.ts";
import type { Submission } from "../../protocol/submission.ts";
import { word } from "../support/random.ts";
import { bytes32, reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  deployTask,
  makeSubmission,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendBatch,
  sendSubmission,
  setNextTime,
  signAs,
  signFor,
  snapshot,
  view,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const WEIGHTS = [1, 2, 1, 3];

describe("submitBatch", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let signed: SignedSubmission[];
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { chunkKinds: [1, 0], dimension: 2473 });
    await registerAll(task, WEIGHTS);
    await openRound(task);
    signed = [];
    for (const i of [0, 1, 2, 3]) signed.push((await signAs(task, i)).signed);
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  const submission = (i: number): Submission => signed[i]!.submission;
  const client = (i: number): TaskOnChain["clients"][number] => task.clients[i]!;
  /** The batch of the first two clients, with something else in the first one's place. */
  const withFirst = (item: SignedSubmission): Promise<unknown> => sendBatch(task, [item, signed[1]!]);
  /** Changed, and signed by the client as it is: only the proofs can refuse it. */
  const resigned = async (i: number, change: Partial<Submission>): Promise<SignedSubmission> =>
    signFor(task, client(i), { ...submission(i), ...change });

  it("accepts everybody's submissions in one transaction of a stranger, and ends the phase with the last", async () => {
    await sendBatch(task, signed);
    const state = await roundOf(task);
    assert.equal(state.submitted, 4n);
    assert.equal(state.totalWeight, 7n);
    assert.equal(state.phase, 2n);
    const expected = weightedSumG1(
      [0, 1, 2, 3].map((i) => submission(i).commitment),
      WEIGHTS.map(BigInt),
    );
    assert.deepEqual({ x: state.sum.x, y: state.sum.y }, expected);
  });

  it("counts each client's powers of z from its own, in every kind", async () => {
    const other = await deployTask(connection, { chunkKinds: [1, 1, 0, 0], dimension: 2 * 2472 + 589 });
    await registerAll(other, WEIGHTS);
    await openRound(other);
    const both = [(await signAs(other, 0)).signed, (await signAs(other, 1)).signed];
    await sendBatch(other, both);
    assert.equal((await roundOf(other)).submitted, 2n);
  });

  it("emits what readers of single submissions read", async () => {
    const receipt = (await (await sendBatch(task, signed)).wait())!;
    const logs = receipt.logs.map((log) => parseTaskLog(log)!);
    const { submitted } = recordsOf(logs, 1n);
    assert.deepEqual(
      submitted.map((record) => record.client),
      signed.map((item) => item.client),
    );
    assert.deepEqual(
      submitted.map((record) => record.index),
      [0, 1, 2, 3],
    );
    assert.deepEqual(
      submitted.map((record) => record.weight),
      WEIGHTS,
    );
    assert.deepEqual(
      submitted.map((record) => record.submission),
      signed.map((item) => item.submission),
    );
    assert.equal((await roundOf(task)).phase, 2n);
  });

  it("leaves the records, sum and events that single submissions leave", async () => {
    const traces: unknown[] = [];
    for (const send of [
      () => sendBatch(task, signed.slice(0, 3)),
      async () => {
        for (const i of [0, 1, 2]) await sendSubmission(task, client(i), submission(i));
      },
    ]) {
      const fromBlock = (await connection.ethers.provider.getBlockNumber()) + 1;
      await send();
      const logs = await connection.ethers.provider.getLogs({ address: task.address, fromBlock });
      traces.push([
        logs.map(({ topics, data }) => ({ topics, data })),
        await Promise.all([0, 1, 2].map((i) => view(task, "recordOf", i))),
        String((await roundOf(task)).sum),
        (await roundOf(task)).intake,
      ]);
      await restore();
    }
    assert.deepEqual(traces[0], traces[1]);
  });

  it("adds to a round that has submissions already", async () => {
    await sendSubmission(task, client(0), submission(0));
    await sendBatch(task, signed.slice(1, 3));
    const { sum, submitted } = await roundOf(task);
    assert.equal(submitted, 3n);
    assert.deepEqual(
      { x: sum.x, y: sum.y },
      weightedSumG1(
        [0, 1, 2].map((i) => submission(i).commitment),
        [1n, 2n, 1n],
      ),
    );
  });

  it("skips clients that are in already, so that nobody stops a batch by sending one of it alone", async () => {
    await sendBatch(task, [signed[1]!]);
    await sendBatch(task, signed.slice(0, 3));
    assert.equal((await roundOf(task)).submitted, 3n);
    await reverts(sendBatch(task, signed.slice(0, 3)), "VerisumBatchEmpty");
    await reverts(sendBatch(task, []), "VerisumBatchEmpty");
  });

  it("takes the first of two submissions that one client signed, and neither again", async () => {
    const second = (await signAs(task, 0, "second")).signed;
    await sendBatch(task, [signed[0]!, second, signed[1]!]);
    assert.equal((await roundOf(task)).submitted, 2n);
    await reverts(sendSubmission(task, client(0), second.submission), "VerisumAlreadySubmitted", client(0).address);
  });

  it("refuses a signed submission in any later round", async () => {
    await setNextTime(connection, (await roundOf(task)).deadline);
    await task.verisum["abort"]!(1n);
    await openRound(task);
    await reverts(sendBatch(task, signed), "VerisumBatchItemInvalid");
    await reverts(sendBatch(task, signed, 1n), "VerisumWrongRound", 2, 1);
  });

  describe("refuses the batch, naming the place, for a signature", () => {
    const signatures: Record<string, () => Promise<SignedSubmission>> = {
      "of another client": async () => ({
        ...(await signFor(task, client(1), submission(0))),
        client: signed[0]!.client,
      }),
      "of the client over another's submission": async () => ({ ...signed[0]!, submission: submission(2) }),
      "for another chain": () => signFor(task, client(0), submission(0), { chainId: 1n }),
      "for another contract": () =>
        signFor(task, client(0), submission(0), { contract: word("contract").slice(0, 42) as `0x${string}` }),
      "for another deployment at the same address": () =>
        signFor(task, client(0), submission(0), { deployment: word("deployment") }),
      "for another round": () => signFor(task, client(0), submission(0), { round: 2n }),
      // n − s of an s below n/2 needs 256 bits, which EIP-2098 does not have; what it has above n/2 is refused by
      // value.
      "with s above half the order": async () => ({
        ...signed[0]!,
        signature: { ...signed[0]!.signature, vs: `0x7f${"ff".repeat(31)}` },
      }),
      "with the other parity": async () => ({
        ...signed[0]!,
        signature: {
          ...signed[0]!.signature,
          vs: `0x${(BigInt(signed[0]!.signature.vs) ^ (1n << 255n)).toString(16).padStart(64, "0")}`,
        },
      }),
      "that is zero": async () => ({
        ...signed[0]!,
        signature: { r: `0x${"00".repeat(32)}`, vs: `0x${"00".repeat(32)}` },
      }),
      "of nobody, for the zero account": async () => ({
        ...signed[0]!,
        client: `0x${"00".repeat(20)}`,
        signature: { r: `0x${"00".repeat(32)}`, vs: `0x${"00".repeat(32)}` },
      }),
    };
    for (const [name, make] of Object.entries(signatures)) {
      it(name, async () => {
        const signature = await make();
        await reverts(withFirst(signature), "VerisumBatchItemInvalid", 0, bytes32("signature"));
        await reverts(
          sendBatch(task, [signed[1]!, signed[2]!, signature]),
          "VerisumBatchItemInvalid",
          2,
          bytes32("signature"),
        );
      });
    }
  });

  describe("refuses the batch when a relayer changes one thing:", () => {
    const [point, scalar] = [multiplyG1(G1_GENERATOR, 99n), 5n];
    const changes: Record<string, (s: Submission) => Submission> = {
      commitment: (s) => ({ ...s, commitment: point }),
      sharesCid: (s) => ({ ...s, sharesCid: word("elsewhere") }),
      "a share hash": (s) => ({ ...s, shareHashes: [word("other"), ...s.shareHashes.slice(1)] }),
      "the order of share hashes": (s) => ({ ...s, shareHashes: [...s.shareHashes].reverse() }),
      "a share evaluation": (s) => ({ ...s, shareEvaluations: [s.shareEvaluations[0]! ^ 1n] }),
      opening: (s) => ({ ...s, opening: point }),
    };
    for (const chunk of [0, 1]) {
      const change =
        (field: Partial<Submission["chunks"][number]>) =>
        (s: Submission): Submission => ({
          ...s,
          chunks: s.chunks.map((proof, i) => (i === chunk ? { ...proof, ...field } : proof)),
        });
      changes[`d of chunk ${chunk}`] = change({ d: point });
      changes[`a of chunk ${chunk}`] = change({ a: point });
      changes[`c of chunk ${chunk}`] = change({ c: point });
      changes[`y of chunk ${chunk}`] = change({ y: scalar });
      changes[`h of chunk ${chunk}`] = change({ h: scalar });
      changes[`the sign of A and B of chunk ${chunk}`] = (s) => {
        const { a, b } = s.chunks[chunk]!;
        const negate = (value: bigint): bigint => (value === 0n ? 0n : BASE_FIELD_ORDER - value);
        return change({ a: negateG1(a), b: { x: b.x, y: { c0: negate(b.y.c0), c1: negate(b.y.c1) } } })(s);
      };
    }
    for (const [name, change] of Object.entries(changes)) {
      it(name, async () => {
        await reverts(
          withFirst({ ...signed[0]!, submission: change(submission(0)) }),
          "VerisumBatchItemInvalid",
          0,
          bytes32("signature"),
        );
        // Those that the proofs cover fail also if the client signed them; evaluations are claims that members check,
        // and a proof may be re-randomised.
        if (name === "a share evaluation" || name.startsWith("the sign")) return;
        await reverts(withFirst(await resigned(0, change(submission(0)))), "VerisumProofInvalid");
        await reverts(sendBatch(task, [signed[1]!, await resigned(0, change(submission(0)))]), "VerisumProofInvalid");
      });
    }
  });

  it("refuses forgeries of two clients that cancel in an unweighted product", async () => {
    const shift = multiplyG1(G1_GENERATOR, 777n);
    const forge = async (i: number, chunk: number, by: typeof shift): Promise<SignedSubmission> =>
      resigned(i, {
        chunks: submission(i).chunks.map((proof, j) => (j === chunk ? { ...proof, c: addG1(proof.c, by) } : proof)),
      });
    for (const [first, second] of [
      [0, 0],
      [1, 1],
    ] as const) {
      await reverts(
        sendBatch(task, [await forge(0, first, shift), await forge(1, second, negateG1(shift))]),
        "VerisumProofInvalid",
      );
      await reverts(
        sendBatch(task, [await forge(0, first, shift), signed[2]!, await forge(1, second, negateG1(shift))]),
        "VerisumProofInvalid",
      );
    }
    const commitments = [
      await resigned(0, { opening: addG1(submission(0).opening, shift) }),
      await resigned(1, { opening: addG1(submission(1).opening, negateG1(shift)) }),
    ];
    await reverts(sendBatch(task, commitments), "VerisumProofInvalid");
  });

  it("refuses a client's submission under another client's name, signed by that one", async () => {
    await reverts(withFirst(await signFor(task, client(2), submission(0))), "VerisumProofInvalid");
  });

  it("refuses accounts that are not active clients of the round", async () => {
    const stranger = task.clients[5]!;
    await reverts(
      withFirst(await signFor(task, stranger, submission(0))),
      "VerisumNotActiveClient",
      stranger.address,
      0,
      0,
    );
    await task.verisum["registerClient"]!(stranger.address, 1);
    const { submission: late } = await makeSubmission(task, stranger, "late");
    await reverts(withFirst(await signFor(task, stranger, late)), "VerisumNotActiveClient", stranger.address, 2, 0);
  });

  it("refuses wrong lengths by their place, and values that are not canonical", async () => {
    const [first] = submission(0).chunks;
    await reverts(
      sendBatch(task, [signed[1]!, await resigned(0, { chunks: [first!] })]),
      "VerisumBatchItemInvalid",
      1,
      bytes32("chunks"),
    );
    await reverts(
      withFirst(await resigned(0, { shareHashes: [] })),
      "VerisumBatchItemInvalid",
      0,
      bytes32("shareHashes"),
    );
    await reverts(
      withFirst(await resigned(0, { shareEvaluations: [] })),
      "VerisumBatchItemInvalid",
      0,
      bytes32("shareEvaluations"),
    );
    await reverts(withFirst(await resigned(0, { shareEvaluations: [FIELD_ORDER] })), "VerisumNotCanonical");
    await reverts(withFirst(await resigned(0, { commitment: G1_INFINITY })), "VerisumPointInfinity");
    await reverts(withFirst(await resigned(0, { opening: { x: 1n, y: 3n } })), "VerisumPointInvalid");
  });

  it("refuses a batch outside its phase and time", async () => {
    const { deadline } = await roundOf(task);
    await setNextTime(connection, deadline);
    await reverts(sendBatch(task, signed), "VerisumDeadlinePassed", deadline, deadline);
    await restore();
    await sendBatch(task, signed);
    await reverts(sendBatch(task, signed), "VerisumWrongPhase");
  });

  it("refuses calldata in another form than its own ABI encoding", async () => {
    const canonical = VERISUM_INTERFACE.encodeFunctionData("submitBatch", [
      1n,
      signed.slice(0, 2).map(encodeSigned),
    ]).slice(2);
    const words = canonical.slice(8).match(/.{64}/g)!;
    const send = (changed: readonly string[]): Promise<unknown> =>
      task.stranger.sendTransaction({ to: task.address, data: `0x${canonical.slice(0, 8)}${changed.join("")}` });
    const hexWord = (value: bigint): string => value.toString(16).padStart(64, "0");
    // Words: round, offset, length, two offsets, the items.
    const offsets = [BigInt(`0x${words[3]}`), BigInt(`0x${words[4]}`)] as const;
    await reverts(send([...words, hexWord(0n)]), "VerisumNotCanonical");
    await reverts(
      send([...words.slice(0, 3), hexWord(offsets[1]), hexWord(offsets[0]), ...words.slice(5)]),
      "VerisumNotCanonical",
    );
    await reverts(
      send([...words.slice(0, 3), hexWord(offsets[0]), hexWord(offsets[0]), ...words.slice(5)]),
      "VerisumNotCanonical",
    );
    await reverts(
      send([
        ...words.slice(0, 3),
        hexWord(offsets[0] + 32n),
        hexWord(offsets[1] + 32n),
        hexWord(0n),
        ...words.slice(5),
      ]),
      "VerisumNotCanonical",
    );
    await reverts(send([words[0], hexWord(96n), hexWord(0n), ...words.slice(2)]), "VerisumNotCanonical");
    await send(words);
  });

  it("hashes what is signed as other EIP-712 implementations do", async () => {
    const { submission: one } = signed[0]!;
    const encoded = VERISUM_INTERFACE.encodeFunctionData("submit", [1n, encodeSubmission(one)]);
    const expected = TypedDataEncoder.hash(
      {
        ...{ name: "Verisum", version: "1", chainId: task.context.chainId, verifyingContract: task.address },
        salt: task.context.deployment,
      },
      {
        RelayedSubmission: [
          { name: "round", type: "uint64" },
          { name: "client", type: "address" },
          { name: "submissionHash", type: "bytes32" },
        ],
      },
      { round: 1n, client: client(0).address, submissionHash: keccak256(`0x${encoded.slice(2 + 8 + 128)}`) },
    );
    assert.equal(submissionDigest({ ...task.context, round: 1n }, signed[0]!.client, one), expected);
  });
});
