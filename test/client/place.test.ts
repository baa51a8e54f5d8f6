import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { assertNameable, assertTakeable } from "../../client/place.ts";
import { rejectsCode } from "../support/errors.ts";
import { memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

describe("a client's place", () => {
  let task: MemoryTask;
  let client: TaskWriter;
  beforeEach(async () => {
    task = await openMemoryTask();
    client = task.clients[0]!;
  });
  const takes = async (who: TaskWriter): Promise<bigint | undefined> =>
    assertTakeable(who, await who.look(), who.account, client.account);

  it("passes to no account that could never take it: the client's own, or one that is or was a client", async () => {
    const other = task.clients[1]!;
    for (const account of [client.account, other.account])
      await rejectsCode(assertNameable(client, client.account, account), "ROSTER_INVALID");
    await other.removeClient(other.account);
    await rejectsCode(assertNameable(client, client.account, other.account), "ROSTER_INVALID");
    await rejectsCode(assertNameable(other, other.account, null), "ROLE_NOT_REGISTERED");
    await assertNameable(client, client.account, task.stranger.account);
    await assertNameable(client, client.account, null);
  });

  it("is taken by whom the client named last, and by nobody else", async () => {
    await rejectsCode(takes(task.stranger), "ROLE_NOT_REGISTERED");
    await client.nameSuccessor(task.members[0]!.account);
    await rejectsCode(takes(task.stranger), "ROLE_NOT_REGISTERED");
    await client.nameSuccessor(task.stranger.account);
    assert.equal(await takes(task.stranger), undefined);
    await rejectsCode(takes(task.members[0]!), "ROLE_NOT_REGISTERED");
    await client.nameSuccessor(ZERO_ADDRESS);
    await rejectsCode(takes(task.stranger), "ROLE_NOT_REGISTERED");
    await client.nameSuccessor(task.clients[1]!.account);
    await rejectsCode(takes(task.clients[1]!), "ROSTER_INVALID");
  });

  it("is taken once: asked again, it holds from the round that it did", async () => {
    await client.nameSuccessor(task.stranger.account);
    const round = await openMemoryRound(task);
    await client.submit(round, memorySubmission(task, "one"));
    await task.stranger.takePlace(client.account);
    assert.equal(await takes(task.stranger), 2n);
    await rejectsCode(takes(task.members[0]!), "ROLE_NOT_REGISTERED");
  });
});
