import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { comingChanges } from "../../task/coming-changes.ts";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";

describe("coming changes of a task's lists", () => {
  it("are none before the first round, and of a task whose lists stay", async () => {
    const task = await openMemoryTask();
    assert.deepEqual(comingChanges(await task.operator.look()), []);
    await openMemoryRound(task);
    assert.deepEqual(comingChanges(await task.operator.look()), []);
  });

  it("say who comes, goes and is replaced, and with which round, until it has opened", async () => {
    const task = await openMemoryTask({ weights: [1, 1, 1, 1] });
    const { operator, members, clients, stranger, chain } = task;
    await openMemoryRound(task);
    await operator.replaceMember(2, stranger.account);
    await operator.replaceMember(3, ZERO_ADDRESS);
    await operator.removeClient(clients[0]!.account);
    await operator.registerClient(stranger.account, 1);
    const lower = (account: string): string => account.toLowerCase();
    const changes = comingChanges(await operator.look());
    assert.deepEqual(
      changes.map(({ fromRound, seat, account }) => [fromRound, seat, account]),
      [
        [2n, 2, lower(stranger.account)],
        [2n, 3, lower(members[2]!.account)],
        [2n, undefined, lower(clients[0]!.account)],
        [2n, undefined, lower(stranger.account)],
      ],
    );
    assert.deepEqual(
      changes.map(({ says }) => says.replaceAll(/0x[0-9a-f]{40}/g, "0x")),
      [
        "seat 2 is 0x's from round 2 on, in place of 0x",
        "seat 3 is nobody's from round 2 on, in place of 0x",
        "client 0x takes part in no round from 2 on",
        "client 0x of weight 1 takes part from round 2 on",
      ],
    );
    chain.setTime((await operator.round()).deadline);
    await operator.abort(1n);
    assert.equal(comingChanges(await operator.look()).length, 4, "the next round has not opened");
  });

  it("say once that another account takes a client's place", async () => {
    const task = await openMemoryTask();
    await openMemoryRound(task);
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(1n);
    await task.clients[0]!.nameSuccessor(task.stranger.account);
    await task.stranger.takePlace(task.clients[0]!.account);
    const says = comingChanges(await task.operator.look()).map((change) => change.says);
    assert.equal(says.length, 1);
    assert.match(says[0]!, new RegExp(`from round 2 on, in place of ${task.clients[0]!.account}$`, "i"));
  });
});
