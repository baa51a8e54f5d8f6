/** A member in front of an endpoint that serves an abandoned fork in one call and the present chain in the next. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { releaseSum } from "../../member/member.ts";
import type { MemberDependencies } from "../../member/member.ts";
import { openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";

const CONFIRMATIONS = 3;

describe("a settlement's finality", () => {
  it("is judged at the block at which the settlement was read, whatever height the next call tells", async () => {
    const task = await openMemoryTask();
    await settleMemoryRound(task, await openMemoryRound(task));
    const reader = task.reader(CONFIRMATIONS);
    const early = await reader.records(1n);
    assert.equal(early.finalBlock, early.settled!.blockNumber - CONFIRMATIONS);
    task.chain.mine(CONFIRMATIONS);
    assert.ok((await reader.finalBlock()) >= early.settled!.blockNumber, "by now it would be final");
    const deps = { chain: reader, localMinimum: task.parameters.minClients } as unknown as MemberDependencies;
    assert.equal(await releaseSum(deps, early), false);
  });
});
