/** Changes of lists in the first and the last round that they are of, and limits of one and of none. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import type { ClientState } from "../../chain/generated/verisum.ts";
import { MAX_KEYS_AHEAD } from "../../protocol/parameters.ts";
import { abortRound, BOND, openListedTasks } from "../support/listed-tasks.ts";
import type { ListedTasks } from "../support/listed-tasks.ts";
import { word } from "../support/random.ts";
import { reverts } from "../support/reverts.ts";
import {
  as,
  deployTask,
  excludedOf,
  maskOf,
  openRound,
  registerAll,
  roundOf,
  setNextTime,
  settleOn,
  settleStanding,
  statementOf,
  submitAll,
  submitAs,
  view,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const NO_KEY = `0x${"00".repeat(32)}`;

describe("lists at their edges", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;
  let tasks: ListedTasks;
  const abort = (task: TaskOnChain): Promise<void> => abortRound(connection, task);
  const clientOf = async (task: TaskOnChain, client: number): Promise<ClientState> =>
    (await view(task, "clientOf", task.clients[client]!.address)) as ClientState;

  before(async () => void ({ connection, tasks, restore } = await openListedTasks()));
  beforeEach(() => restore());
  after(() => connection.close());

  /**
   * Six clients submit, of whom all seats miss the last two. Each call brings the statements of one seat more, from
   * three on, and of so many that refuse those in the bitmap as well; what stands takes effect at the deadline.
   */
  async function settleByTime(task: TaskOnChain, ...calls: readonly (readonly [bigint, number])[]): Promise<void> {
    await submitAll(task, 6);
    const { number, deadline } = await roundOf(task);
    for (const [i, [bitmap, refusing]] of calls.entries()) {
      const seats = [1, 2, 3, 4].slice(0, 3 + i);
      const statements = await Promise.all(
        seats.map((seat) => statementOf(task, seat, 0b001111n, seat <= refusing ? bitmap : 0n)),
      );
      await task.verisum["settle"]!(number, statements, maskOf(seats), []);
    }
    await setNextTime(connection, deadline);
    await settleStanding(task, await excludedOf(task, [4, 5]));
  }

  it("give a bond back in a round that began after its client had left", async () => {
    const task = tasks.open;
    const client = task.clients[0]!;
    await openRound(task);
    await as(task, client)["removeClient"]!(client.address);
    await abort(task);
    await openRound(task);
    await as(task, client)["withdrawBond"]!();
    assert.equal((await clientOf(task, 0)).bondWei, 0n);
    await as(task, client)["join"]!({ value: BOND });
    assert.equal((await clientOf(task, 0)).activeFromRound, 3n);
  });

  it("take a client back while a round is open that it was not to be in", async () => {
    const task = tasks.listed;
    const { address } = task.clients[0]!;
    await openRound(task);
    await task.verisum["removeClient"]!(address);
    await abort(task);
    await openRound(task);
    await task.verisum["registerClient"]!(address, 2);
    assert.deepEqual([(await clientOf(task, 0)).activeFromRound, (await clientOf(task, 0)).untilRound], [3n, 0n]);
    // It never was in a round: the next one does not hold it back either.
    await task.verisum["removeClient"]!(address);
    await task.verisum["registerClient"]!(address, 3);
    assert.equal((await clientOf(task, 0)).weight, 3n);
  });

  it("take back nobody in the first round that it is in", async () => {
    const task = tasks.listed;
    const { address } = task.clients[4]!;
    await openRound(task);
    await task.verisum["registerClient"]!(address, 1);
    await abort(task);
    await openRound(task);
    await task.verisum["removeClient"]!(address);
    await reverts(task.verisum["registerClient"]!(address, 4), "VerisumAlreadyRegistered", address);
  });

  it("let a place be taken in the first round that its client is in, once that has submitted", async () => {
    const task = tasks.listed;
    const [old, next] = [task.clients[4]!, task.clients[5]!];
    await openRound(task);
    await task.verisum["registerClient"]!(old.address, 1);
    await as(task, old)["nameSuccessor"]!(next.address);
    await reverts(as(task, next)["takePlace"]!(old.address), "VerisumPlaceInUse", old.address, 1);
    await abort(task);
    await openRound(task);
    await reverts(as(task, next)["takePlace"]!(old.address), "VerisumPlaceInUse", old.address, 2);
    await submitAs(task, 4);
    await as(task, next)["takePlace"]!(old.address);
    assert.equal((await clientOf(task, 5)).activeFromRound, 3n);
  });

  it("keep a round's member who came with it, when the next one's is another", async () => {
    const task = tasks.listed;
    const [second, third] = [task.clients[7]!, task.clients[8]!];
    await openRound(task);
    await task.verisum["replaceMember"]!(2, second.address);
    await abort(task);
    for (const member of [task.members[0]!, second, task.members[2]!, task.members[3]!])
      await as(task, member)["registerRoundKeys"]!(2, [word(`second ${member.address}`)]);
    await task.verisum["openRound"]!();
    assert.equal(await view(task, "memberAt", 2), second.address);
    await task.verisum["replaceMember"]!(2, third.address);
    assert.equal(await view(task, "memberAt", 2), second.address);
    await abort(task);
    await openRound({ ...task, members: task.members.with(1, third) });
    assert.equal(await view(task, "memberAt", 2), third.address);
  });

  it("void a replaced member's key of the last round that it may have one for, and no other seat's", async () => {
    const task = tasks.listed;
    const last = BigInt(MAX_KEYS_AHEAD);
    for (const seat of [1, 2, 3])
      await as(task, task.members[seat - 1]!)["registerRoundKeys"]!(last, [word(`${seat}`)]);
    await task.verisum["replaceMember"]!(2, task.clients[7]!.address);
    const keys = await Promise.all([1, 2, 3].map((seat) => view(task, "roundKey", last, seat)));
    assert.deepEqual(keys, [word("1"), NO_KEY, word("3")]);
  });

  it("count no refusal of a round before", async () => {
    const task = await deployTask(connection, { maxRefusals: 2, maxCorrupt: 2, minClients: 4 });
    await registerAll(task, [1, 1, 1, 1, 1, 1]);
    // The fifth is refused in the first round alone, the sixth is missed: nothing takes effect before the deadline.
    for (const refusing of [2, 0]) {
      await openRound(task);
      await settleByTime(task, [0b010000n, refusing]);
      assert.deepEqual([(await clientOf(task, 4)).refusals, (await clientOf(task, 5)).refusals], [1n, 0n]);
      await abort(task);
    }
  });

  it("let anybody take off whom one settlement refused, if one is enough, also by an earlier call", async () => {
    const task = await deployTask(connection, { maxRefusals: 1, maxCorrupt: 2, minClients: 4 });
    await registerAll(task, [1, 1, 1, 1, 1, 1]);
    await openRound(task);
    await settleByTime(task, [0b010000n, 2], [0b010000n, 0]);
    const [refused, missed] = [task.clients[4]!, task.clients[5]!];
    assert.deepEqual([(await clientOf(task, 4)).refusals, (await clientOf(task, 5)).refusals], [1n, 0n]);
    const removes = (address: string): Promise<unknown> => as(task, task.stranger)["removeClient"]!(address);
    await reverts(removes(missed.address), "VerisumMayNotRemove", task.stranger.address, missed.address, 0);
    await removes(refused.address);
    await abort(task);
    await reverts(task.verisum["registerClient"]!(refused.address, 1), "VerisumBarred", refused.address, 1);
  });

  it("count no refusals where they bar nobody", async () => {
    const task = await deployTask(connection, { maxRefusals: 0 });
    await registerAll(task, [1, 1, 1, 1]);
    await openRound(task);
    await submitAll(task, 4);
    const statements = await Promise.all([1, 2, 3, 4].map((seat) => statementOf(task, seat, 0b0111n, 0b1000n)));
    await task.verisum["settle"]!(1n, statements, 0b1111n, await excludedOf(task, [3]));
    const { address } = task.clients[3]!;
    assert.equal((await clientOf(task, 3)).refusals, 0n);
    await reverts(
      as(task, task.stranger)["removeClient"]!(address),
      "VerisumMayNotRemove",
      task.stranger.address,
      address,
      0,
    );
    await abort(task);
    await task.verisum["removeClient"]!(address);
    await task.verisum["registerClient"]!(address, 1);
    await openRound(task);
    await submitAll(task, 4);
    await settleOn(task, 0b1111n);
  });

  it("count two settlements that hold a client, whatever place it had in each, and not a third", async () => {
    const task = await deployTask(connection, { maxRoundsPerClient: 2 });
    await registerAll(task, [1, 1, 1]);
    for (const clients of [
      [0, 1, 2],
      [1, 2, 0],
    ]) {
      await openRound(task);
      for (const client of clients) await submitAs(task, client);
      await settleOn(task, 0b111n);
      await abort(task);
    }
    assert.equal((await clientOf(task, 0)).includedRounds, 2n);
    await openRound(task);
    await reverts(submitAs(task, 0), "VerisumRoundsUsedUp", task.clients[0]!.address, 2);
    await as(task, task.stranger)["removeClient"]!(task.clients[0]!.address);
  });

  it("settle without a client whose refusals cannot grow, as its operator took it off", async () => {
    const task = tasks.open;
    await openRound(task);
    await submitAll(task, 4);
    await task.verisum["removeClient"]!(task.clients[3]!.address);
    const statements = await Promise.all([1, 2, 3, 4].map((seat) => statementOf(task, seat, 0b0111n, 0b1000n)));
    await task.verisum["settle"]!(1n, statements, 0b1111n, await excludedOf(task, [3]));
    assert.deepEqual([(await roundOf(task)).phase, (await clientOf(task, 3)).refusals], [3n, 255n]);
  });

  it("take an operator back that left an open task as any client may", async () => {
    const task = tasks.open;
    const { address } = task.operator;
    await task.verisum["join"]!({ value: BOND });
    await task.verisum["removeClient"]!(address);
    await task.verisum["withdrawBond"]!();
    await task.verisum["join"]!({ value: BOND });
    assert.equal(((await view(task, "clientOf", address)) as ClientState).refusals, 0n);
  });
});
