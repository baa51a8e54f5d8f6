/** What the chain says of a place that passes on, of who submitted last, and of a round that ends by time alone. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import type { ClientState } from "../../chain/generated/verisum.ts";
import { eventsOf } from "../support/events-of.ts";
import { abortRound, openListedTasks } from "../support/listed-tasks.ts";
import { reverts } from "../support/reverts.ts";
import { as, openRound, roundOf, setNextTime, submitAll, submitAs, view } from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

describe("a place", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;
  let task: TaskOnChain;
  before(async () => {
    const opened = await openListedTasks();
    ({ connection, restore } = opened);
    task = opened.tasks.listed;
  });
  beforeEach(() => restore());
  after(() => connection.close());

  it("is passed on by events of both accounts, each a change of the lists", async () => {
    const [old, next] = [task.clients[1]!, task.clients[6]!];
    const { weight } = (await view(task, "clientOf", old.address)) as ClientState;
    const changes = (await view(task, "listChanges")) as bigint;
    assert.deepEqual(await eventsOf(as(task, old)["nameSuccessor"]!(next.address)), [
      ["SuccessorNamed", old.address, next.address],
    ]);
    assert.equal(await view(task, "listChanges"), changes, "a name alone changes nothing");
    await openRound(task);
    await abortRound(connection, task);
    assert.deepEqual(await eventsOf(as(task, next)["takePlace"]!(old.address)), [
      ["ClientLeft", old.address, 2n],
      ["ClientRegistered", next.address, weight, 2n],
      ["PlaceTaken", old.address, next.address],
    ]);
    assert.equal(await view(task, "listChanges"), changes + 2n);
  });

  it("is taken from nobody who left before", async () => {
    const [old, next] = [task.clients[1]!, task.clients[6]!];
    await openRound(task);
    await abortRound(connection, task);
    await as(task, old)["nameSuccessor"]!(next.address);
    await as(task, old)["removeClient"]!(old.address);
    await reverts(as(task, next)["takePlace"]!(old.address), "VerisumNotActiveClient", old.address, 1, 2);
  });

  it("says in which round it submitted last", async () => {
    await openRound(task);
    await submitAs(task, 0);
    const states = await Promise.all([0, 1].map((i) => view(task, "clientOf", task.clients[i]!.address)));
    assert.deepEqual(
      states.map((state) => (state as ClientState).lastSubmittedRound),
      [1n, 0n],
    );
  });

  it("is in a round that ended at the deadline of the phase that it came to by time alone", async () => {
    await openRound(task);
    const { deadline } = await roundOf(task);
    await submitAll(task, 3);
    await setNextTime(connection, deadline);
    await connection.ethers.provider.send("evm_mine", []);
    const attesting = await roundOf(task);
    assert.ok(attesting.phase === 2n && attesting.deadline > deadline);
    await abortRound(connection, task);
    const { phase, deadline: last } = await roundOf(task);
    assert.deepEqual([phase, last], [5n, attesting.deadline]);
  });
});
