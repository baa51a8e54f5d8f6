import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RoundState } from "../../chain/task-chain.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { completionOf } from "../../task/completion.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

describe("a task is complete", () => {
  const completion = async (
    parameters: Partial<TaskParameters>,
    phase: RoundState["phase"],
    counters: { readonly finalisedRounds?: number; readonly privacySpent?: bigint },
  ): Promise<string | undefined> => {
    const look = await (await openMemoryTask()).operator.look();
    const task = { ...TINY_TASK, keysHash: TINY_TASK.taskCid, ...parameters };
    return completionOf(task, { ...look, ...counters, round: { ...look.round, phase } });
  };

  it("when all of its rounds are final, and not before", async () => {
    const task = { maxRounds: 3 };
    assert.match((await completion(task, "Finalised", { finalisedRounds: 3 })) ?? "", /all 3 rounds are final/);
    assert.equal(await completion(task, "Finalised", { finalisedRounds: 2 }), undefined);
    assert.equal(await completion({ maxRounds: 0 }, "Finalised", { finalisedRounds: 3 }), undefined, "without a limit");
  });

  it("when its privacy budget has no round left, and no round is under way", async () => {
    const task = { privacyCostPerRound: 10n, privacyBudget: 35n };
    for (const phase of ["Finalised", "Aborted"] as const)
      assert.match((await completion(task, phase, { privacySpent: 30n })) ?? "", /budget is spent/);
    assert.equal(await completion(task, "Finalised", { privacySpent: 25n }), undefined);
    for (const phase of ["Collecting", "Attesting", "Aggregating"] as const)
      assert.equal(await completion(task, phase, { privacySpent: 30n }), undefined);
  });
});
