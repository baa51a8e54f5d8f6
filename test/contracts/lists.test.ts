/** Lists that change while a task runs: what a change is of, who may make it, and what nobody is rid of by it. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import type { ClientState } from "../../chain/generated/verisum.ts";
import { abortRound, BOND, openListedTasks } from "../support/listed-tasks.ts";
import type { ListedTasks } from "../support/listed-tasks.ts";
import { reverts } from "../support/reverts.ts";
import {
  as,
  deployTask,
  excludedOf,
  makeFinalisation,
  openRound,
  registerAll,
  roundOf,
  sendFinalisation,
  setNextTime,
  settleOn,
  settleStanding,
  snapshot,
  statementOf,
  submitAll,
  submitAs,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

describe("lists", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;
  let tasks: ListedTasks;
  const of = (name: keyof ListedTasks): TaskOnChain => tasks[name];
  const abort = (task: TaskOnChain): Promise<void> => abortRound(connection, task);
  const clientOf = async (task: TaskOnChain, account: string): Promise<ClientState> =>
    (await view(task, "clientOf", account)) as ClientState;

  before(async () => void ({ connection, tasks, restore } = await openListedTasks()));
  beforeEach(() => restore());
  after(() => connection.close());

  /** All four are in; whom `refused` names every seat refused, and is left out at once. */
  async function settle(task: TaskOnChain, refused = 0n, clients = [0, 1, 2, 3]): Promise<bigint[]> {
    const scalars: bigint[] = [];
    for (const i of clients) scalars.push((await submitAs(task, i)).commitmentScalar);
    const everybody = (1n << BigInt(clients.length)) - 1n;
    if ((await roundOf(task)).phase === 1n) await setNextTime(connection, (await roundOf(task)).deadline);
    const { number } = await roundOf(task);
    const statements = await Promise.all(
      [1, 2, 3, 4].map((seat) => statementOf(task, seat, everybody & ~refused, refused)),
    );
    const excluded = clients.map((_, i) => i).filter((i) => (refused & (1n << BigInt(i))) !== 0n);
    await task.verisum["settle"]!(number, statements, 0b1111n, await excludedOf(task, excluded));
    return scalars;
  }

  describe("of clients", () => {
    it("keep a client that was taken off in the round that is open, and not in the next", async () => {
      const task = of("listed");
      const [first] = task.clients as [HardhatEthersSigner];
      await openRound(task);
      await task.verisum["removeClient"]!(first.address);
      assert.equal((await clientOf(task, first.address)).untilRound, 2n);
      assert.deepEqual([(await roundOf(task)).expected, await view(task, "clientCount")], [4n, 3n]);
      const scalars = await submitAll(task, 4);
      await settleOn(task, 0b1111n);
      await sendFinalisation(task, await makeFinalisation(task, weightedScalar(scalars, [1, 1, 1, 1]), [1, 2]));
      await openRound(task);
      assert.equal((await roundOf(task)).expected, 3n);
      await reverts(submitAs(task, 0), "VerisumNotActiveClient", first.address, 1, 2);
    });

    it("let the client itself, the operator, and nobody else take it off", async () => {
      const task = of("listed");
      const [first, second] = task.clients as [HardhatEthersSigner, HardhatEthersSigner];
      await reverts(
        as(task, second)["removeClient"]!(first.address),
        "VerisumMayNotRemove",
        second.address,
        first.address,
        0,
      );
      await as(task, first)["removeClient"]!(first.address);
      await reverts(task.verisum["removeClient"]!(first.address), "VerisumNotActiveClient", first.address, 1, 1);
      await reverts(
        task.verisum["removeClient"]!(task.stranger.address),
        "VerisumNotActiveClient",
        task.stranger.address,
        0,
        0,
      );
    });

    it("list nobody twice, and give nobody another weight in a round that is open", async () => {
      const task = of("listed");
      const { address } = task.clients[0]!;
      await reverts(task.verisum["registerClient"]!(address, 2), "VerisumAlreadyRegistered", address);
      await openRound(task);
      await task.verisum["removeClient"]!(address);
      await reverts(task.verisum["registerClient"]!(address, 2), "VerisumAlreadyRegistered", address);
      assert.equal((await clientOf(task, address)).weight, 1n);
      await abort(task);
      await task.verisum["registerClient"]!(address, 2);
      const { weight, activeFromRound, untilRound } = await clientOf(task, address);
      assert.deepEqual([weight, activeFromRound, untilRound], [2n, 2n, 0n]);
    });

    it("give no client more than the task's largest weight, whenever it comes", async () => {
      const task = of("listed");
      const { address } = task.clients[4]!;
      await openRound(task);
      await reverts(task.verisum["registerClient"]!(address, 5), "VerisumWeightInvalid", 5, 4);
      await reverts(task.verisum["registerClient"]!(address, 0), "VerisumWeightInvalid", 0, 4);
      await task.verisum["registerClient"]!(address, 4);
      await as(task, task.clients[4]!)["nameSuccessor"]!(task.clients[3]!.address);
      // Two accounts do not become one of twice the weight.
      await reverts(as(task, task.clients[3]!)["takePlace"]!(address), "VerisumPlaceInUse", address, 1);
      await abort(task);
      await openRound(task);
      await abort(task);
      await reverts(
        as(task, task.clients[3]!)["takePlace"]!(address),
        "VerisumAlreadyRegistered",
        task.clients[3]!.address,
      );
    });

    it("count refusals at settlement, and let anybody take off whom maxRefusals of them left out", async () => {
      const task = of("listed");
      const bad = task.clients[1]!;
      for (const count of [1n, 2n]) {
        await openRound(task);
        await settle(task, 0b0010n);
        assert.equal((await clientOf(task, bad.address)).refusals, count);
        const removing = as(task, task.stranger)["removeClient"]!(bad.address);
        if (count === 1n) await reverts(removing, "VerisumMayNotRemove", task.stranger.address, bad.address, 1);
        else await removing;
        await abort(task);
      }
      await reverts(task.verisum["registerClient"]!(bad.address, 1), "VerisumBarred", bad.address, 2);
      assert.equal((await clientOf(task, task.clients[0]!.address)).refusals, 0n);
    });

    it("count no refusal of too few seats, and one of an earlier call whoever settles", async () => {
      const task = of("listed");
      const bad = task.clients[3]!;
      await openRound(task);
      await submitAll(task, 4);
      const { number, deadline } = await roundOf(task);
      // Two of four seats: no quorum of three can be without one of them. One seat is too few.
      const few = await Promise.all(
        [1, 2, 3].map((seat) => statementOf(task, seat, 0b0111n, seat === 1 ? 0b1000n : 0n)),
      );
      await task.verisum["settle"]!(number, few, 0b0111n, []);
      const restoreHere = await snapshot(connection);
      await setNextTime(connection, deadline);
      await settleStanding(task, await excludedOf(task, [3]));
      assert.equal((await clientOf(task, bad.address)).refusals, 0n);
      await restoreHere();
      const refusing = await Promise.all(
        [1, 2, 3, 4].map((seat) => statementOf(task, seat, seat === 4 ? 0b0011n : 0b0111n, seat < 3 ? 0b1000n : 0n)),
      );
      await reverts(
        task.verisum["settle"]!(number, refusing.slice(0, 3), 0b0111n, []),
        "VerisumExcludedMissing",
        0b1000n,
      );
    });

    it("count a refusal of an earlier call where a later one, which stands at the end, leaves it out", async () => {
      const task = await deployTask(connection, { maxRefusals: 2, maxCorrupt: 2, minHonest: 2, minClients: 4 });
      await registerAll(task, [1, 1, 1, 1, 1, 1]);
      await openRound(task);
      await submitAll(task, 6);
      const { number, deadline } = await roundOf(task);
      const said = (seats: readonly number[], refusing: readonly number[]): Promise<unknown[]> =>
        Promise.all(seats.map((seat) => statementOf(task, seat, 0b001111n, refusing.includes(seat) ? 0b010000n : 0n)));
      // Every seat misses the last client, and none refuses it: neither call is the last word before the deadline.
      await task.verisum["settle"]!(number, await said([1, 2, 3], [1, 2]), 0b0111n, []);
      await task.verisum["settle"]!(number, await said([1, 2, 3, 4], []), 0b1111n, []);
      await setNextTime(connection, deadline);
      await settleStanding(task, await excludedOf(task, [4, 5]));
      const counted = await Promise.all([4, 5].map((i) => clientOf(task, task.clients[i]!.address)));
      assert.deepEqual(
        counted.map(({ refusals }) => refusals),
        [1n, 0n],
      );
    });

    it("leave a client's counts with the account that takes its place, also for the round that is open", async () => {
      const task = of("listed");
      const [old, next] = [task.clients[1]!, task.clients[6]!];
      await openRound(task);
      await settle(task, 0b0010n);
      await abort(task);
      await openRound(task);
      await as(task, old)["nameSuccessor"]!(next.address);
      await reverts(
        as(task, task.stranger)["takePlace"]!(old.address),
        "VerisumNotSuccessor",
        task.stranger.address,
        old.address,
      );
      await reverts(as(task, next)["takePlace"]!(old.address), "VerisumPlaceInUse", old.address, 2);
      for (const i of [0, 1, 2, 3]) await submitAs(task, i);
      await as(task, next)["takePlace"]!(old.address);
      const statements = await Promise.all([1, 2, 3, 4].map((seat) => statementOf(task, seat, 0b1101n, 0b0010n)));
      await task.verisum["settle"]!(2n, statements, 0b1111n, await excludedOf(task, [1]));
      assert.equal((await clientOf(task, next.address)).refusals, 2n);
      const { moved, untilRound, refusals } = await clientOf(task, old.address);
      assert.deepEqual([moved, untilRound, refusals], [true, 3n, 1n]);
      await abort(task);
      await reverts(task.verisum["registerClient"]!(old.address, 1), "VerisumMovedOn", old.address, next.address);
      await as(task, task.stranger)["removeClient"]!(next.address);
      await reverts(as(task, old)["nameSuccessor"]!(next.address), "VerisumNotActiveClient", old.address, 1, 3);
    });

    it("count the settlements that hold a client, up to the task's limit, and let anybody take it off then", async () => {
      const task = of("limited");
      const [one, next] = [task.clients[0]!, task.clients[6]!];
      await openRound(task);
      await settle(task, 0n);
      assert.equal((await clientOf(task, one.address)).includedRounds, 1n);
      await as(task, one)["nameSuccessor"]!(next.address);
      await as(task, next)["takePlace"]!(one.address);
      await abort(task);
      await openRound(task);
      await reverts(submitAs(task, 1), "VerisumRoundsUsedUp", task.clients[1]!.address, 1);
      await reverts(submitAs(task, 6), "VerisumRoundsUsedUp", next.address, 1);
      await as(task, task.stranger)["removeClient"]!(task.clients[1]!.address);
      await abort(task);
      await reverts(
        task.verisum["registerClient"]!(task.clients[1]!.address, 1),
        "VerisumRoundsUsedUp",
        task.clients[1]!.address,
        1,
      );
    });

    it("do not count a round that did not settle, or left the client out", async () => {
      const task = of("limited");
      await openRound(task);
      await submitAs(task, 0);
      await abort(task);
      await openRound(task);
      await settle(task, 0b0001n);
      assert.equal((await clientOf(task, task.clients[0]!.address)).includedRounds, 0n);
      assert.equal((await clientOf(task, task.clients[1]!.address)).includedRounds, 1n);
      await abort(task);
      await openRound(task);
      await submitAs(task, 0);
    });

    it("hold a bond until the round in which its client left is closed", async () => {
      const task = of("open");
      const client = task.clients[0]!;
      await openRound(task);
      await as(task, client)["removeClient"]!(client.address);
      await reverts(as(task, client)["withdrawBond"]!(), "VerisumBondHeld", client.address, 2);
      await settle(task, 0n);
      await reverts(as(task, client)["withdrawBond"]!(), "VerisumBondHeld", client.address, 2);
      await abort(task);
      await as(task, client)["withdrawBond"]!();
      await reverts(as(task, client)["withdrawBond"]!(), "VerisumNothingToWithdraw", client.address);
      await as(task, client)["join"]!({ value: BOND });
      assert.deepEqual([...((await view(task, "clientOf", client.address)) as unknown[])].slice(0, 3), [1n, 2n, 0n]);
    });

    it("hold the bond of a place that submitted, and of who came and left, until that round is closed", async () => {
      const task = of("open");
      const [old, next, fresh] = [task.clients[0]!, task.clients[6]!, task.clients[7]!];
      await openRound(task);
      await submitAs(task, 0);
      await as(task, old)["nameSuccessor"]!(next.address);
      await as(task, next)["takePlace"]!(old.address);
      await as(task, next)["removeClient"]!(next.address);
      await as(task, fresh)["join"]!({ value: BOND });
      await as(task, fresh)["removeClient"]!(fresh.address);
      for (const client of [next, fresh])
        await reverts(as(task, client)["withdrawBond"]!(), "VerisumBondHeld", client.address, 2);
      await abort(task);
      for (const client of [next, fresh]) await as(task, client)["withdrawBond"]!();
      assert.equal(await connection.ethers.provider.getBalance(task.address), 3n * BOND);
    });

    it("keep out of an open task whom its operator took off, and give a bond to whoever has the place", async () => {
      const task = of("open");
      const [off, old, next] = [task.clients[0]!, task.clients[1]!, task.clients[6]!];
      await openRound(task);
      await abort(task);
      await task.verisum["removeClient"]!(off.address);
      await as(task, off)["withdrawBond"]!();
      await reverts(as(task, off)["join"]!({ value: BOND }), "VerisumBarred", off.address, 255);
      await as(task, old)["nameSuccessor"]!(next.address);
      await as(task, next)["takePlace"]!(old.address);
      await reverts(as(task, old)["withdrawBond"]!(), "VerisumNothingToWithdraw", old.address);
      await as(task, next)["removeClient"]!(next.address);
      await as(task, next)["withdrawBond"]!();
      assert.equal(await connection.ethers.provider.getBalance(task.address), 2n * BOND);
    });
  });
});
