import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { clientStanding } from "../../task/client-standing.ts";
import { memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";

describe("an account's standing as a client", () => {
  it("is told of clients to come, in a round, leaving and gone, and of who never was one", async () => {
    const task = await openMemoryTask();
    const { operator, clients, stranger, members } = task;
    const standing = async ({ account }: TaskWriter): Promise<string> =>
      clientStanding(await operator.client(account), (await operator.round()).number);
    assert.equal(await standing(clients[0]!), "a client of weight 1 from round 1 on");
    assert.equal(await standing(stranger), "never a client of this task");
    const round = await openMemoryRound(task);
    await clients[1]!.nameSuccessor(stranger.account);
    await clients[1]!.submit(round, memorySubmission(task, "one"));
    await stranger.takePlace(clients[1]!.account);
    await operator.removeClient(clients[0]!.account);
    for (const { account } of members.slice(0, 2)) await operator.registerClient(account, 1);
    assert.equal(await standing(clients[0]!), "a client of weight 1 until round 2");
    assert.equal(await standing(clients[1]!), "a client of weight 1 until round 2, as another account has its place");
    assert.equal(await standing(clients[2]!), "a client of weight 1 since round 1");
    assert.equal(await standing(stranger), "a client of weight 1 from round 2 on");
    task.chain.setTime((await operator.round()).deadline);
    await operator.abort(round);
    await openMemoryRound(task);
    assert.equal(await standing(clients[0]!), "no client since round 2");
    assert.equal(await standing(clients[1]!), "no client since round 2, as another account has its place");
  });
});
