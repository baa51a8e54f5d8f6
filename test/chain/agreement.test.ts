import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { missingEvent } from "../../chain/agreement.ts";
import type { TaskLog } from "../../chain/logs.ts";
import type { Counters, RoundState } from "../../chain/task-chain.ts";
import { G1_GENERATOR } from "../../protocol/points.ts";
import { openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";

/** A settled round's events, and what the contract counts. */
async function settled(): Promise<{ readonly logs: readonly TaskLog[]; readonly counters: Counters; cost: bigint }> {
  const task = await openMemoryTask();
  await settleMemoryRound(task, await openMemoryRound(task));
  const { logs } = task.chain.contractAt(task.contract);
  return { logs, counters: await task.operator.look(), cost: task.parameters.privacyCostPerRound };
}

describe("a contract's events", () => {
  it("agree with the contract's counts at the same block", async () => {
    const { logs, counters, cost } = await settled();
    assert.equal(missingEvent(logs, counters, cost), undefined);
  });

  it("are not believed where they name another settlement than the contract does", async () => {
    const { logs, counters, cost } = await settled();
    const changes: readonly Partial<RoundState>[] = [{ included: 0b011n }, { sum: G1_GENERATOR }];
    for (const change of changes) {
      const elsewhere = { ...counters, round: { ...counters.round, ...change } };
      assert.equal(missingEvent(logs, elsewhere, cost), "round 1: its present settlement");
    }
  });
});
