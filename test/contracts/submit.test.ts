import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { deployTask, openChain, openRound, registerAll, roundOf, snapshot, submitAs } from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

describe("submit", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection);
    await registerAll(task, [1, 2, 1, 1]);
    await openRound(task);
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  it("accepts a valid submission and adds the weighted commitment to the sum", async () => {
    const { receipt } = await submitAs(task, 0);
    console.log(receipt.gasUsed);
    assert.equal((await roundOf(task)).submitted, 1n);
    const r2 = await submitAs(task, 1);
    console.log(r2.receipt.gasUsed);
  });
});
