/** Rounds that close at a goal, and take updates of older models (docs/protocol.md, section 6.4). */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { keccak256, toBeHex, toUtf8Bytes, Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeChunks } from "../../chain/codec.ts";
import type { SignedSubmission } from "../../chain/task-chain.ts";
import { G1_GENERATOR } from "../../protocol/points.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { reverts } from "../support/reverts.ts";
import {
  as,
  deployTask,
  makeFinalisation,
  makeFirstStep,
  makeSubmission,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendBatch,
  sendFinalisation,
  sendSubmission,
  setNextTime,
  settleOn,
  signAs,
  signFor,
  snapshot,
  submitAs,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { Base, TaskOnChain } from "../support/task-on-chain.ts";

/** Three clients at least, one corrupt: four are waited for, and any of the last three models is taken. */
const BUFFER = { bufferGoal: 4, maxStaleness: 2, minSeparation: 1, minCollectSeconds: 60, maxWeight: 102 } as const;
const [COLLECTING, ATTESTING, FINALISED] = [1n, 2n, 4n];
const GOAL = [0, 1, 2, 3] as const;

describe("buffers", function () {
  this.timeout(300_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;
  before(async () => {
    connection = await openChain();
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  /** A task in whose first round nobody has submitted yet. */
  async function opened(
    change: Partial<TaskParameters> = {},
    weights: readonly number[] = [1, 1, 1, 1, 1, 1],
  ): Promise<TaskOnChain> {
    const task = await deployTask(connection, { ...BUFFER, ...change });
    await registerAll(task, weights);
    await openRound(task);
    return task;
  }
  const openedAt = async (task: TaskOnChain): Promise<bigint> =>
    (await roundOf(task)).deadline - BigInt(task.parameters.collectSeconds);
  const submitsFrom = async (task: TaskOnChain, client: number, from: Base): Promise<unknown> => {
    const account = task.clients[client]!;
    const { submission } = await makeSubmission(task, account, `from ${from.base}`, from);
    return sendSubmission(task, account, submission);
  };
  /** These clients, of weight 1, submit; the round settles on all of them once its time is over, and has a result. */
  async function completes(task: TaskOnChain, clients: readonly number[] = GOAL): Promise<void> {
    const scalars: bigint[] = [];
    for (const client of clients) scalars.push((await submitAs(task, client)).commitmentScalar);
    await passCollecting(task);
    await settleOn(task, (1n << BigInt(clients.length)) - 1n);
    const weights = clients.map(() => 1);
    await sendFinalisation(task, await makeFinalisation(task, weightedScalar(scalars, weights), [1, 2]));
  }
  async function passCollecting(task: TaskOnChain): Promise<void> {
    const { phase, deadline } = await roundOf(task);
    if (phase !== COLLECTING) return;
    await setNextTime(connection, deadline);
    await connection.provider.request({ method: "evm_mine" });
  }
  /** A model by its number, as `completes` makes it. */
  const model = (task: TaskOnChain, base: bigint): Base => ({
    base,
    baseModelDigest: base === 0n ? task.parameters.genesisDigest : word(`model digest ${base}`),
  });

  it("collect for their shortest time, though the goal is reached before, and end by time alone", async () => {
    const task = await opened();
    const end = (await openedAt(task)) + 60n;
    assert.equal((await roundOf(task)).expected, 4n);
    for (const client of [0, 1, 2]) await submitAs(task, client);
    assert.equal((await roundOf(task)).deadline, end + 540n);
    for (const client of [3, 4]) {
      await submitAs(task, client);
      const { phase, deadline } = await roundOf(task);
      assert.deepEqual([phase, deadline], [COLLECTING, end]);
    }
    const { submission } = await makeSubmission(task, task.clients[5]!, "too late");
    await setNextTime(connection, end);
    await reverts(sendSubmission(task, task.clients[5]!, submission), "VerisumWrongPhase", ATTESTING, 2n);
    await connection.provider.request({ method: "evm_mine" });
    const { phase, deadline, submitted } = await roundOf(task);
    assert.deepEqual([phase, deadline, submitted], [ATTESTING, end + 300n, 5n]);
    await settleOn(task, 0b11111n);
  });

  it("take submissions until the last second of their shortest time", async () => {
    const task = await opened();
    const end = (await openedAt(task)) + 60n;
    for (const client of GOAL) await submitAs(task, client);
    const { submission } = await makeSubmission(task, task.clients[4]!, "in time");
    await setNextTime(connection, end - 1n);
    await sendSubmission(task, task.clients[4]!, submission);
    assert.equal((await roundOf(task)).submitted, 5n);
  });

  it("end with the goal once their shortest time is over, and with it at once where there is none", async () => {
    const late = await opened();
    const end = (await openedAt(late)) + 60n;
    for (const client of [0, 1, 2]) await submitAs(late, client);
    const { submission } = await makeSubmission(late, late.clients[3]!, "last");
    await setNextTime(connection, end);
    await sendSubmission(late, late.clients[3]!, submission);
    assert.deepEqual([(await roundOf(late)).phase, (await roundOf(late)).deadline], [ATTESTING, end + 300n]);
    const quick = await opened({ minCollectSeconds: 0 });
    for (const client of GOAL) await submitAs(quick, client);
    assert.equal((await roundOf(quick)).phase, ATTESTING);
  });

  it("wait for a shortest time of one second", async () => {
    const task = await opened({ minCollectSeconds: 1 });
    const start = await openedAt(task);
    const signed = [];
    for (const client of GOAL) signed.push((await signAs(task, client)).signed);
    await setNextTime(connection, start);
    await sendBatch(task, signed);
    const { phase, deadline } = await roundOf(task);
    assert.deepEqual([phase, deadline], [COLLECTING, start + 1n]);
  });

  it("reach the goal with one batch as with single submissions, and beyond it", async () => {
    const task = await opened();
    const end = (await openedAt(task)) + 60n;
    const signed = [];
    for (const client of [0, 1, 2, 3, 4]) signed.push((await signAs(task, client)).signed);
    await sendBatch(task, signed);
    const { deadline, submitted } = await roundOf(task);
    assert.deepEqual([deadline, submitted], [end, 5n]);
  });

  it("end at their deadline as barriers do where the goal is not reached", async () => {
    const task = await opened();
    const { deadline } = await roundOf(task);
    for (const client of [0, 1, 2]) await submitAs(task, client);
    await passCollecting(task);
    assert.equal((await roundOf(task)).phase, ATTESTING);
    const few = await opened();
    await submitAs(few, 0);
    await setNextTime(connection, (await roundOf(few)).deadline);
    await few.verisum["abort"]!(1n);
    assert.ok((await roundOf(few)).deadline > deadline);
  });

  it("take a base that is maxStaleness models old, and none that is older or to come", async () => {
    const task = await opened({ minCollectSeconds: 600 });
    await reverts(submitsFrom(task, 0, model(task, 1n)), "VerisumBaseUnknown", 1n, 0n);
    // Four results: every place of the ring was written, and one of them twice.
    for (let round = 1; round <= 4; round++) {
      await completes(task);
      await openRound(task);
    }
    await reverts(submitsFrom(task, 0, model(task, 1n)), "VerisumBaseTooOld", 1n, 2n);
    await reverts(submitsFrom(task, 0, model(task, 0n)), "VerisumBaseTooOld", 0n, 2n);
    await reverts(submitsFrom(task, 0, model(task, 5n)), "VerisumBaseUnknown", 5n, 4n);
    for (const base of [2n, 3n, 4n]) await submitsFrom(task, Number(base), model(task, base));
    const [, , digest] = (await view(task, "latestModel")) as [bigint, Hex, Hex];
    assert.equal(digest, model(task, 4n).baseModelDigest);
    const batch = [];
    for (const [client, base] of [
      [0, 2n],
      [1, 1n],
    ] as const) {
      const account = task.clients[client]!;
      const { submission } = await makeSubmission(task, account, "batch", model(task, base));
      batch.push(await signFor(task, account, submission));
    }
    await reverts(sendBatch(task, batch), "VerisumBaseTooOld", 1n, 2n);
    await sendBatch(task, batch.slice(0, 1));
  });

  it("take the bases that there are while there are few", async () => {
    const task = await opened();
    await completes(task);
    await openRound(task);
    await submitsFrom(task, 0, model(task, 0n));
    await submitsFrom(task, 1, model(task, 1n));
    await reverts(submitsFrom(task, 2, model(task, 2n)), "VerisumBaseUnknown", 2n, 1n);
  });

  it("refuse a proof that was made on another model than the one it names", async () => {
    const task = await opened();
    await completes(task);
    await openRound(task);
    const [genesis, first] = [model(task, 0n), model(task, 1n)];
    await reverts(submitsFrom(task, 0, { ...genesis, base: 1n }), "VerisumProofInvalid");
    await reverts(submitsFrom(task, 0, { ...first, base: 0n }), "VerisumProofInvalid");
    // The number is in the challenge as well, so that nothing else can be put into its place.
    const { submission } = await makeSubmission(task, task.clients[0]!, "moved", first);
    await reverts(sendSubmission(task, task.clients[0]!, { ...submission, base: 0n }), "VerisumProofInvalid");
    await sendSubmission(task, task.clients[0]!, submission);
  });

  it("are no barriers: a barrier takes the latest model alone", async () => {
    const task = await deployTask(connection);
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    await completes(task, [0, 1, 2]);
    await openRound(task);
    await reverts(submitsFrom(task, 0, model(task, 0n)), "VerisumBaseTooOld", 0n, 1n);
    await reverts(submitsFrom(task, 0, model(task, 2n)), "VerisumBaseUnknown", 2n, 1n);
    await submitsFrom(task, 0, model(task, 1n));
  });

  it("let a client come again after minSeparation rounds, and not before", async () => {
    const task = await opened({ minSeparation: 2 }, Array<number>(8).fill(1));
    const [first, fifth] = [task.clients[0]!, task.clients[4]!];
    await completes(task);
    await openRound(task);
    await reverts(submitAs(task, 0), "VerisumTooSoon", first.address, 3n);
    const { signed } = await signAs(task, 0);
    await reverts(sendBatch(task, [signed]), "VerisumTooSoon", first.address, 3n);
    const of = { commitment: G1_GENERATOR, sharesCid: word("cid"), shareHashes: [] };
    const { head, chunks } = await makeFirstStep(task, first, 1, of);
    const start = { count: 0n, wires: word("no matter"), h: 0n, y: 0n, zPower: 0n };
    await reverts(
      as(task, first)["proveChunks"]!(2n, head, start, encodeChunks(chunks)),
      "VerisumTooSoon",
      ...[first.address, 3n],
    );
    await completes(task, [4, 5, 6, 7]);
    await openRound(task);
    await submitAs(task, 0);
    await reverts(submitAs(task, 4), "VerisumTooSoon", fifth.address, 4n);
  });

  it("keep a client's last round when it leaves, and pass it to its successor", async () => {
    const task = await opened({ minSeparation: 3 }, Array<number>(12).fill(1));
    const [leaving, moving, successor] = [task.clients[0]!, task.clients[1]!, task.clients[12]!];
    await completes(task);
    await openRound(task);
    await as(task, leaving)["removeClient"]!(leaving.address);
    await as(task, moving)["nameSuccessor"]!(successor.address);
    await completes(task, [4, 5, 6, 7]);
    await as(task, successor)["takePlace"]!(moving.address);
    await task.verisum["registerClient"]!(leaving.address, 1);
    await openRound(task);
    await reverts(submitAs(task, 0), "VerisumTooSoon", leaving.address, 4n);
    await reverts(submitAs(task, 12), "VerisumTooSoon", successor.address, 4n);
    await completes(task, [8, 9, 10, 11]);
    await openRound(task);
    for (const client of [0, 12]) await submitAs(task, client);
  });

  it("take no more weight than a slot holds", async () => {
    const five = { bufferGoal: 5, minClients: 4, minHonest: 3 } as const;
    const task = await opened(five, [102, 102, 102, 102, 102, 2, 1]);
    for (const client of [0, 1, 2, 3, 4]) await submitAs(task, client);
    await reverts(submitAs(task, 5), "VerisumBufferFull", 5n, 512n);
    await submitAs(task, 6);
    assert.equal((await roundOf(task)).totalWeight, 511n);
  });

  it("take 256 submissions of 310 clients, and not one more", async () => {
    const task = await deployTask(connection, { ...BUFFER, bufferGoal: 100, maxWeight: 5, minCollectSeconds: 600 });
    for (const member of task.members) await task.verisum["registerMember"]!(member.address);
    const wallets = Array.from({ length: 310 }, (_, i) => new Wallet(keccak256(toUtf8Bytes(`buffered ${i}`))));
    // More weight than a slot holds, of more clients than a word has bits.
    for (const [i, { address }] of wallets.entries()) await task.verisum["registerClient"]!(address, i < 257 ? 1 : 5);
    assert.equal(await view(task, "clientCount"), 310n);
    await openRound(task);
    const made: SignedSubmission[] = [];
    for (const wallet of wallets.slice(0, 257)) {
      const { submission } = await makeSubmission(task, wallet, "many");
      made.push(await signFor(task, wallet, submission));
    }
    for (let i = 0; i < 256; i += 64) await sendBatch(task, made.slice(i, i + 64));
    const { submitted, phase } = await roundOf(task);
    assert.deepEqual([submitted, phase], [256n, COLLECTING]);
    await reverts(sendBatch(task, made.slice(256)), "VerisumBufferFull", 256n, 257n);
    await passCollecting(task);
    await settleOn(task, (1n << 256n) - 1n);
  });

  it("let as many register as are counted, and not one more", async () => {
    const task = await opened();
    const slot = (await connection.provider.request({
      method: "eth_getStorageAt",
      params: [task.address, "0x0", "latest"],
    })) as Hex;
    // Bits 8 to 23: the clients.
    const full = toBeHex(BigInt(slot) | (0xffffn << 8n), 32);
    await connection.provider.request({ method: "hardhat_setStorageAt", params: [task.address, "0x0", full] });
    assert.equal(await view(task, "clientCount"), 65_535n);
    await reverts(task.verisum["registerClient"]!(task.stranger.address, 1), "VerisumCohortFull", 65_535n);
  });

  it("do not open where the goal could not be reached round after round", async () => {
    const task = await deployTask(connection, { ...BUFFER, minSeparation: 2 });
    await registerAll(task, Array<number>(7).fill(1));
    await reverts(openRound(task), "VerisumGoalUnreachable", 7n, 8n);
    await task.verisum["registerClient"]!(task.clients[7]!.address, 1);
    await task.verisum["openRound"]!();
    assert.equal((await roundOf(task)).phase, COLLECTING);
  });

  it("stay shut where the goal could not be reached round after round, and the result counts", async () => {
    const task = await opened({}, [1, 1, 1, 1]);
    for (const [i, member] of task.members.entries())
      await as(task, member)["registerRoundKeys"]!(2n, [word(`key 2 ${i}`)]);
    await task.verisum["removeClient"]!(task.clients[3]!.address);
    await completes(task);
    const { number, phase } = await roundOf(task);
    assert.deepEqual([number, phase, await view(task, "finalisedRounds")], [1n, FINALISED, 1n]);
    await reverts(task.verisum["openRound"]!(), "VerisumGoalUnreachable", 3n, 4n);
    await task.verisum["registerClient"]!(task.clients[4]!.address, 1);
    await task.verisum["openRound"]!();
    assert.equal((await roundOf(task)).number, 2n);
  });

  it("leave bufferGoal − f places to others, however fast corrupt clients are", async () => {
    const task = await opened();
    const corrupt = 5;
    for (let round = 1n; round <= 3n; round++) {
      const { commitmentScalar } = await submitAs(task, corrupt);
      await reverts(submitAs(task, corrupt, "again"), "VerisumAlreadySubmitted", task.clients[corrupt]!.address);
      const { signed } = await signAs(task, corrupt, "another");
      await reverts(sendBatch(task, [signed]), "VerisumBatchEmpty");
      // One of f = 1 is in: the goal takes three others, which are minClients.
      assert.deepEqual([(await roundOf(task)).submitted, (await roundOf(task)).phase], [1n, COLLECTING]);
      const scalars = [commitmentScalar];
      for (const client of [0, 1, 2]) scalars.push((await submitAs(task, client)).commitmentScalar);
      await passCollecting(task);
      await settleOn(task, 0b1111n);
      const sum = weightedScalar(scalars, [1, 1, 1, 1]);
      await sendFinalisation(task, await makeFinalisation(task, sum, [1, 2]));
      await openRound(task);
    }
  });
});
