import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { ContractTransactionResponse } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeChunks, encodeSubmission } from "../../chain/codec.ts";
import { headOf } from "../../chain/large-submission.ts";
import { lastStepOf, recordsOf, stepOf } from "../../chain/round-records.ts";
import { parseTaskLog } from "../../chain/logs.ts";
import type { TaskLog } from "../../chain/logs.ts";
import type { ChunkProgress, SubmissionHead } from "../../chain/task-chain.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, multiplyG1, negateG1 } from "../../protocol/points.ts";
import type { ChunkProof, Submission } from "../../protocol/submission.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { bytes32, reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  deployTask,
  makeFirstStep,
  makeSubmission,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendSubmission,
  setNextTime,
  snapshot,
  submitAs,
  view,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

/** Five chunks of two kinds. */
const CHUNK_KINDS = [1, 1, 0, 0, 0];
const START: ChunkProgress = { count: 0n, wires: `0x${"00".repeat(32)}`, h: 0n, y: 0n, zPower: 0n };

describe("a submission in several transactions", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let valid: Submission;
  let head: SubmissionHead;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { chunkKinds: CHUNK_KINDS, dimension: 2 * 2472 + 2 * 588 + 1 });
    await registerAll(task, [1, 2, 1]);
    await openRound(task);
    valid = (await makeSubmission(task, task.clients[0]!, "valid")).submission;
    head = headOf(valid);
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  const progressIn = async (sent: Promise<ContractTransactionResponse>): Promise<ChunkProgress> => {
    const { logs } = (await (await sent).wait())!;
    const log = parseTaskLog(logs[0]!);
    assert.ok(log?.name === "ChunksProven");
    return stepOf(log.args).progress;
  };
  const proveAs = (
    client: number,
    steps: SubmissionHead,
    progress: ChunkProgress,
    chunks: readonly ChunkProof[],
    round = 1n,
  ): Promise<ContractTransactionResponse> =>
    as(task, task.clients[client]!)["proveChunks"]!(round, steps, progress, encodeChunks(chunks));
  const prove = (progress: ChunkProgress, chunks: readonly ChunkProof[]): Promise<ContractTransactionResponse> =>
    proveAs(0, head, progress, chunks);
  const finishAs = (
    client: number,
    progress: ChunkProgress,
    submission: Submission,
    round = 1n,
  ): Promise<ContractTransactionResponse> =>
    as(task, task.clients[client]!)["finishSubmission"]!(
      round,
      progress,
      encodeSubmission({ ...submission, chunks: [] }),
    );
  const finish = (progress: ChunkProgress, submission = valid): Promise<ContractTransactionResponse> =>
    finishAs(0, progress, submission);
  const proveAll = async (...cuts: readonly number[]): Promise<ChunkProgress> => {
    let progress = START;
    for (const [i, end] of [...cuts, 5].entries())
      progress = await progressIn(prove(progress, valid.chunks.slice(cuts[i - 1] ?? 0, end)));
    return progress;
  };
  const logsSince = async (fromBlock: number): Promise<TaskLog[]> =>
    (await connection.ethers.provider.getLogs({ address: task.address, fromBlock })).map((log) => parseTaskLog(log)!);

  for (const cuts of [[], [1], [3], [1, 2, 3, 4], [2, 4]]) {
    it(`is accepted as a single one is, cut after ${cuts.join(", ") || "no chunk"}`, async () => {
      const fromBlock = (await connection.ethers.provider.getBlockNumber()) + 1;
      await finish(await proveAll(...cuts));
      const {
        submitted: [record],
      } = recordsOf(await logsSince(fromBlock), 1n);
      assert.deepEqual(record?.submission, valid);
      const [hash, { sum, submitted, totalWeight, intake }] = [await view(task, "recordOf", 0), await roundOf(task)];
      await restore();
      await sendSubmission(task, task.clients[0]!, valid);
      const single = await roundOf(task);
      assert.equal(hash, await view(task, "recordOf", 0));
      assert.deepEqual(
        [String(sum), submitted, totalWeight, intake],
        [String(single.sum), single.submitted, single.totalWeight, single.intake],
      );
    });
  }

  it("ends the phase if it is the last", async () => {
    for (const i of [1, 2]) await submitAs(task, i);
    await finish(await proveAll(2));
    assert.equal((await roundOf(task)).phase, 2n);
  });

  it("goes on from its last step, which the chain tells, and may start again", async () => {
    const fromBlock = (await connection.ethers.provider.getBlockNumber()) + 1;
    const account = task.clients[0]!.address.toLowerCase() as Hex;
    await prove(START, valid.chunks.slice(0, 2));
    const step = lastStepOf(await logsSince(fromBlock), 1n, account)!;
    assert.deepEqual(step.head, head);
    const second = await progressIn(prove(step.progress, valid.chunks.slice(2, 3)));
    // A step cannot be made twice, nor from where the client no longer is.
    await reverts(prove(step.progress, valid.chunks.slice(2, 3)), "VerisumProgressUnknown", task.clients[0]!.address);
    const { submission: other } = await makeSubmission(task, task.clients[0]!, "other");
    const restarted = await progressIn(proveAs(0, headOf(other), START, other.chunks.slice(0, 4)));
    await reverts(prove(second, valid.chunks.slice(3)), "VerisumProgressUnknown");
    const end = await progressIn(proveAs(0, headOf(other), restarted, other.chunks.slice(4)));
    await finish(end, other);
    const { submitted } = recordsOf(await logsSince(fromBlock), 1n);
    assert.deepEqual(
      submitted.map(({ submission }) => submission),
      [other],
    );
  });

  it("is nobody else's: another client neither goes on with it nor ends it", async () => {
    const progress = await progressIn(prove(START, valid.chunks.slice(0, 2)));
    await reverts(
      proveAs(1, head, progress, valid.chunks.slice(2)),
      "VerisumProgressUnknown",
      task.clients[1]!.address,
    );
    await reverts(proveAs(1, head, START, valid.chunks.slice(0, 2)), "VerisumProofInvalid");
    await proveAs(
      1,
      headOf((await makeSubmission(task, task.clients[1]!, "mine")).submission),
      START,
      (await makeSubmission(task, task.clients[1]!, "mine")).submission.chunks.slice(0, 1),
    );
    const end = await progressIn(prove(progress, valid.chunks.slice(2)));
    await reverts(finishAs(1, end, valid), "VerisumProgressUnknown");
    await reverts(
      as(task, task.stranger)["proveChunks"]!(1n, head, START, encodeChunks(valid.chunks)),
      "VerisumNotActiveClient",
    );
    await finish(end);
  });

  it("does not end before its last chunk, nor go beyond", async () => {
    const progress = await proveAll();
    await reverts(prove(progress, valid.chunks.slice(4)), "VerisumWrongLength");
    await reverts(prove(START, []), "VerisumWrongLength");
    await reverts(prove(START, [...valid.chunks, valid.chunks[4]!]), "VerisumWrongLength");
    const four = await progressIn(prove(START, valid.chunks.slice(0, 4)));
    await reverts(finish(four), "VerisumProgressUnknown");
    await reverts(finish(START), "VerisumProgressUnknown");
    // With a head whose wires end after four chunks the challenge is another one.
    const short = headOf({ ...valid, chunks: valid.chunks.slice(0, 4) });
    await reverts(proveAs(0, short, START, valid.chunks.slice(0, 4)), "VerisumProofInvalid");
  });

  it("refuses to end with fewer chunks than the task has, though the head commits to no more and every proof holds", async () => {
    const { head: short, chunks } = await makeFirstStep(task, task.clients[0]!, 4, valid);
    const progress = await progressIn(proveAs(0, short, START, chunks));
    await reverts(finish(progress), "VerisumWrongLength", bytes32("chunks"), 4, 5);
  });

  describe("refuses a step with one thing changed:", () => {
    const point = multiplyG1(G1_GENERATOR, 99n);
    const heads: Record<string, Partial<SubmissionHead>> = {
      commitment: { commitment: point },
      sharesDigest: { sharesDigest: word("other") },
      sharesCid: { sharesCid: word("other") },
      wiresDigest: { wiresDigest: word("other") },
    };
    for (const [name, change] of Object.entries(heads)) {
      it(`the head's ${name}`, async () => {
        await reverts(proveAs(0, { ...head, ...change }, START, valid.chunks.slice(0, 2)), "VerisumProofInvalid");
        const progress = await progressIn(prove(START, valid.chunks.slice(0, 2)));
        await reverts(proveAs(0, { ...head, ...change }, progress, valid.chunks.slice(2)), "VerisumProgressUnknown");
      });
    }
    for (const field of ["count", "wires", "h", "y", "zPower"] as const) {
      it(`the progress's ${field}`, async () => {
        const progress = await progressIn(prove(START, valid.chunks.slice(0, 2)));
        const changed = { ...progress, [field]: field === "wires" ? word("other") : progress[field] + 1n };
        await reverts(prove(changed, valid.chunks.slice(2, 4)), "VerisumProgressUnknown");
        const end = await progressIn(prove(progress, valid.chunks.slice(2)));
        await reverts(
          finish({ ...end, [field]: field === "wires" ? word("other") : end[field] + 1n }),
          "VerisumProgressUnknown",
        );
      });
    }
    const chunks: Record<string, Partial<ChunkProof>> = {
      a: { a: point },
      c: { c: point },
      d: { d: point },
      y: { y: 5n },
      h: { h: 5n },
    };
    for (const [name, change] of Object.entries(chunks)) {
      it(`a chunk's ${name}`, async () => {
        const altered = valid.chunks.map((chunk, i) => (i === 2 ? { ...chunk, ...change } : chunk));
        await reverts(prove(START, altered), "VerisumProofInvalid");
        const progress = await progressIn(prove(START, valid.chunks.slice(0, 2)));
        await reverts(prove(progress, altered.slice(2)), "VerisumProofInvalid");
      });
    }
    it("a chunk's place", async () => {
      await reverts(
        prove(
          START,
          [0, 1, 3, 2, 4].map((i) => valid.chunks[i]!),
        ),
        "VerisumProofInvalid",
      );
      await reverts(prove(START, valid.chunks.slice(1)), "VerisumProofInvalid");
    });
    it("two chunks, cancelling without weights", async () => {
      const shifted = valid.chunks.map((chunk, i) =>
        i === 2
          ? { ...chunk, c: addG1(chunk.c, point) }
          : i === 3
            ? { ...chunk, c: addG1(chunk.c, negateG1(point)) }
            : chunk,
      );
      await reverts(prove(START, shifted), "VerisumProofInvalid");
    });
    const endings: Record<string, [(s: Submission) => Submission, string]> = {
      commitment: [(s) => ({ ...s, commitment: point }), "VerisumProgressUnknown"],
      sharesCid: [(s) => ({ ...s, sharesCid: word("other") }), "VerisumProgressUnknown"],
      "share hashes": [(s) => ({ ...s, shareHashes: [...s.shareHashes].reverse() }), "VerisumProgressUnknown"],
      opening: [(s) => ({ ...s, opening: point }), "VerisumProofInvalid"],
      "share evaluations beyond the order": [(s) => ({ ...s, shareEvaluations: [FIELD_ORDER] }), "VerisumNotCanonical"],
      "too few share evaluations": [(s) => ({ ...s, shareEvaluations: [] }), "VerisumWrongLength"],
    };
    for (const [name, [change, error]] of Object.entries(endings)) {
      it(`the end's ${name}`, async () => {
        const progress = await proveAll(2);
        await reverts(finish(progress, change(valid)), error);
        await finish(progress);
      });
    }
    it("the end carrying chunks, or trailing words", async () => {
      const progress = await proveAll(2);
      await reverts(
        as(task, task.clients[0]!)["finishSubmission"]!(
          1n,
          progress,
          encodeSubmission({ ...valid, chunks: valid.chunks.slice(4) }),
        ),
        "VerisumWrongLength",
      );
      const data = VERISUM_INTERFACE.encodeFunctionData("finishSubmission", [
        1n,
        progress,
        encodeSubmission({ ...valid, chunks: [] }),
      ]);
      await reverts(
        task.clients[0]!.sendTransaction({ to: task.address, data: `${data}${"00".repeat(32)}` }),
        "VerisumNotCanonical",
      );
    });
  });

  it("counts once, and not after a submission in one transaction", async () => {
    const progress = await proveAll(2);
    await finish(progress);
    await reverts(finish(progress), "VerisumAlreadySubmitted");
    await reverts(prove(START, valid.chunks), "VerisumAlreadySubmitted");
    await restore();
    const again = await proveAll(2);
    await sendSubmission(task, task.clients[0]!, valid);
    await reverts(finish(again), "VerisumAlreadySubmitted");
  });

  it("takes steps in its round, phase and time only", async () => {
    const step = (round: bigint): Promise<unknown> => proveAs(0, head, START, valid.chunks.slice(0, 1), round);
    for (const round of [0n, 2n]) await reverts(step(round), "VerisumWrongRound", 1, round);
    const { deadline } = await roundOf(task);
    await setNextTime(connection, deadline);
    await reverts(step(1n), "VerisumDeadlinePassed", deadline, deadline);
    await setNextTime(connection, deadline);
    await task.verisum["abort"]!(1n);
    await reverts(step(1n), "VerisumWrongPhase", 5, 0b10);
  });

  it("expires with its round", async () => {
    const progress = await proveAll(2);
    await setNextTime(connection, (await roundOf(task)).deadline);
    await reverts(finish(progress), "VerisumDeadlinePassed");
    await task.verisum["abort"]!(1n);
    await openRound(task);
    await reverts(finish(progress), "VerisumWrongRound", 2, 1);
    await reverts(finishAs(0, progress, valid, 2n), "VerisumProgressUnknown");
    await reverts(proveAs(0, head, START, valid.chunks, 2n), "VerisumProofInvalid");
  });
});
