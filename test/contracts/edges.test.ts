/** Limits at their edges, and the key window from each event that restarts it. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import { word } from "../support/random.ts";
import { bytes32, reverts } from "../support/reverts.ts";
import {
  as,
  deployTask,
  makeFinalisation,
  makeSubmission,
  openChain,
  openRound,
  PARAMETERS,
  registerAll,
  roundOf,
  sendFinalisation,
  sendSubmission,
  setNextTime,
  settleOn,
  settleStanding,
  snapshot,
  statementOf,
  statementsOf,
  submitAll,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const WEIGHTS = [1, 1, 1];
const ALL = 0b111n;
const WINDOW = BigInt(PARAMETERS.keyWindowSeconds);

describe("the contract's limits", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  const now = async (): Promise<bigint> => BigInt((await connection.ethers.provider.getBlock("latest"))!.timestamp);
  const reachDeadline = async (task: TaskOnChain): Promise<void> =>
    setNextTime(connection, (await roundOf(task)).deadline);
  async function abort(task: TaskOnChain): Promise<void> {
    await reachDeadline(task);
    await task.verisum["abort"]!((await roundOf(task)).number);
  }
  async function settleAll(task: TaskOnChain): Promise<bigint> {
    const scalars = await submitAll(task, WEIGHTS.length);
    await settleOn(task, ALL);
    return weightedScalar(scalars, WEIGHTS);
  }

  describe("the key window", () => {
    let task: TaskOnChain;
    beforeEach(async () => {
      task = await deployTask(connection);
    });

    /** Keys of a quorum only, for the next rounds. */
    async function registerQuorumKeys(firstRound: number): Promise<void> {
      for (const seat of [1, 2, 4])
        await as(task, task.members[seat - 1]!)["registerRoundKeys"]!(firstRound, [
          word(`a ${seat}`),
          word(`b ${seat}`),
        ]);
    }

    /** A quorum of keys opens no round before the window that began now has passed, and one then. */
    async function opensAfterWindow(): Promise<void> {
      const end = (await now()) + WINDOW;
      await setNextTime(connection, end - 1n);
      await reverts(task.verisum["openRound"]!(), "VerisumTooFewKeys", 3, 4, end);
      await setNextTime(connection, end);
      await task.verisum["openRound"]!();
    }

    it("begins with the last seat", async () => {
      for (const { address } of task.members.slice(0, -1)) await task.verisum["registerMember"]!(address);
      for (const [i, weight] of WEIGHTS.entries())
        await task.verisum["registerClient"]!(task.clients[i]!.address, weight);
      for (const seat of [1, 2, 3]) await as(task, task.members[seat - 1]!)["registerRoundKeys"]!(1, [word(`${seat}`)]);
      await setNextTime(connection, (await now()) + 10n * WINDOW);
      await task.verisum["registerMember"]!(task.members[3]!.address);
      await opensAfterWindow();
    });

    it("begins anew with the round before, however that ends", async () => {
      await registerAll(task, WEIGHTS);
      await registerQuorumKeys(2);
      await openRound(task);
      const end = (await now()) + WINDOW;
      assert.ok(WINDOW < BigInt(task.parameters.collectSeconds));
      const again = await snapshot(connection);
      await abort(task);
      assert.ok((await now()) > end);
      await task.verisum["openRound"]!();
      assert.equal((await roundOf(task)).keyMask, 0b1011n);
      await again();
      const sum = await settleAll(task);
      await setNextTime(connection, end - 1n);
      await sendFinalisation(task, await makeFinalisation(task, sum, [1, 2]));
      await setNextTime(connection, end - 1n);
      await reverts(task.verisum["openRound"]!(), "VerisumTooFewKeys", 3, 4, end);
      await setNextTime(connection, end);
      await task.verisum["openRound"]!();
    });

    it("is no reason to wait where every seat has a key", async () => {
      await registerAll(task, WEIGHTS);
      await openRound(task);
      await abort(task);
      await openRound(task);
      assert.equal((await roundOf(task)).number, 2n);
    });
  });

  it("let a budget be spent to its last unit, and no round begin beyond it", async () => {
    const task = await deployTask(connection, { privacyCostPerRound: 5n, privacyBudget: 10n });
    await registerAll(task, WEIGHTS);
    for (const spent of [5n, 10n]) {
      await openRound(task);
      await settleAll(task);
      assert.equal(await view(task, "privacySpent"), spent);
      await abort(task);
    }
    await reverts(task.verisum["openRound"]!(), "VerisumBudgetExhausted", 10, 5, 10);
  });

  it("let a budget be of one unit, and charge nothing to a task that has none", async () => {
    const one = await deployTask(connection, { privacyCostPerRound: 1n, privacyBudget: 1n });
    const free = await deployTask(connection, { privacyCostPerRound: 0n, privacyBudget: 0n });
    for (const task of [one, free]) {
      await registerAll(task, WEIGHTS);
      await openRound(task);
      await settleAll(task);
      await abort(task);
    }
    await reverts(one.verisum["openRound"]!(), "VerisumBudgetExhausted", 1, 1, 1);
    await openRound(free);
    assert.equal(await view(free, "privacySpent"), 0n);
  });

  describe("on the clients that a proposal leaves out", () => {
    let task: TaskOnChain;
    /** Of the clients with these weights the first `submitting` submit, and the round attests. */
    async function attesting(registered: number, submitting: number): Promise<void> {
      task = await deployTask(connection);
      await registerAll(task, Array<number>(registered).fill(1));
      await openRound(task);
      await submitAll(task, submitting);
      if (submitting === registered) return;
      await reachDeadline(task);
      await connection.provider.request({ method: "evm_mine", params: [] });
    }
    const propose = (bitmap: bigint): Promise<void> => settleOn(task, bitmap, [1, 2, 3]);

    it("let it leave out maxCorrupt of those that submitted", async () => {
      await attesting(6, 6);
      await reverts(propose(0b001111n), "VerisumTooFewIncluded", 4, 5);
      await propose(0b011111n);
      assert.equal((await roundOf(task)).included, 0b011111n);
    });

    it("count those that submitted, not those that are registered", async () => {
      await attesting(6, 5);
      await reverts(propose(0b00111n), "VerisumTooFewIncluded", 3, 4);
      await propose(0b01111n);
    });

    it("let none go below minClients", async () => {
      await attesting(4, 3);
      await reverts(propose(0b011n), "VerisumTooFewIncluded", 2, 3);
      await propose(0b111n);
    });
  });

  it("compare a proposal with those of its own round only", async () => {
    const task = await deployTask(connection);
    await registerAll(task, [1, 1, 1, 1]);
    await openRound(task);
    await submitAll(task, 4);
    await settleOn(task, 0b1111n);
    await abort(task);
    await openRound(task);
    await submitAll(task, 4);
    await settleOn(task, 0b0111n, [1, 2, 3]);
    assert.equal((await roundOf(task)).included, 0b0111n);
  });

  it("count the last seat's statement, and take n of them", async () => {
    const task = await deployTask(connection);
    await registerAll(task, WEIGHTS);
    await openRound(task);
    await submitAll(task, 3);
    const statements = [...(await statementsOf(task, ALL, [1, 2])), await statementOf(task, 4, 0b011n)];
    await reverts(task.verisum["settle"]!(1n, statements, 0b1011n, []), "VerisumTooFewIncluded", 2, 3);
    await settleOn(task, ALL, [1, 2, 3, 4]);
    assert.equal((await roundOf(task)).proposedMembers, 0b1111n);
  });

  it("let a task finalise as many rounds as it may, and no more", async () => {
    const task = await deployTask(connection, { maxRounds: 2 });
    await registerAll(task, WEIGHTS);
    await openRound(task);
    // An aborted round does not count.
    await abort(task);
    for (const round of [2n, 3n]) {
      assert.equal(await openRound(task), round);
      await sendFinalisation(task, await makeFinalisation(task, await settleAll(task), [1, 2]));
    }
    await reverts(task.verisum["openRound"]!(), "VerisumRoundsExhausted", 2);
  });

  it("take every scalar below the order of its field, and not the order itself", async () => {
    const task = await deployTask(connection);
    await registerAll(task, WEIGHTS);
    await openRound(task);
    const client = task.clients[0]!;
    const { submission: valid } = await makeSubmission(task, client, "edges");
    const [chunk] = valid.chunks;
    const withChunk = (change: Partial<typeof chunk>): Promise<unknown> =>
      sendSubmission(task, client, { ...valid, chunks: [{ ...chunk!, ...change }] });
    for (const field of ["y", "h"] as const) {
      await reverts(withChunk({ [field]: FIELD_ORDER }), "VerisumNotCanonical", bytes32(field), FIELD_ORDER);
      await reverts(withChunk({ [field]: FIELD_ORDER - 1n }), "VerisumProofInvalid");
    }
    await reverts(withChunk({ c: { x: 1n, y: BASE_FIELD_ORDER } }), "VerisumPointInvalid");
    const evaluated = (value: bigint): Promise<unknown> =>
      sendSubmission(task, client, { ...valid, shareEvaluations: [value] });
    await reverts(evaluated(FIELD_ORDER), "VerisumNotCanonical", bytes32("shareEvaluations"), FIELD_ORDER);
    await evaluated(FIELD_ORDER - 1n);
  });

  it("take a result's evaluation below the order, and not the order itself", async () => {
    const task = await deployTask(connection);
    await registerAll(task, WEIGHTS);
    await openRound(task);
    const valid = await makeFinalisation(task, await settleAll(task), [1, 2]);
    const send = (evaluation: bigint): Promise<unknown> => sendFinalisation(task, { ...valid, evaluation });
    await reverts(send(FIELD_ORDER), "VerisumNotCanonical", bytes32("evaluation"), FIELD_ORDER);
    await reverts(send(FIELD_ORDER - 1n), "VerisumOpeningInvalid");
  });

  it("begin a round from nothing that the one before left", async () => {
    const task = await deployTask(connection);
    await registerAll(task, WEIGHTS);
    await openRound(task);
    await settleAll(task);
    await abort(task);
    await openRound(task);
    const opened = await roundOf(task);
    assert.deepEqual(
      [opened.submitted, opened.totalWeight, opened.proposedMembers, opened.included, BigInt(opened.intake)],
      [0n, 0n, 0n, 0n, 0n],
    );
    assert.deepEqual([opened.sum.x, opened.sum.y], [0n, 0n]);
    assert.equal(await view(task, "recordOf", 0), `0x${"00".repeat(32)}`);
    const [first] = await submitAll(task, 1);
    assert.ok(first !== undefined);
    const { sum } = await roundOf(task);
    const expected = (await task.verisum.queryFilter("Submitted")).at(-1) as unknown as {
      args: { submission: { commitment: { x: bigint; y: bigint } } };
    };
    assert.deepEqual([sum.x, sum.y], [...Object.values(expected.args.submission.commitment)]);
    await submitAll({ ...task, clients: task.clients.slice(1) }, 2);
    // The proposal of the last round settles nothing here.
    await reachDeadline(task);
    await reverts(settleStanding(task), "VerisumNoProposal");
  });

  it("keep a round's records while others leave and register", async () => {
    const task = await deployTask(connection);
    await registerAll(task, WEIGHTS);
    await openRound(task);
    await submitAll(task, 3);
    const record = await view(task, "recordOf", 2);
    await as(task, task.clients[0]!)["removeClient"]!(task.clients[0]!.address);
    await task.verisum["registerClient"]!(task.clients[3]!.address, 1);
    assert.equal(await view(task, "recordOf", 2), record);
  });
});
