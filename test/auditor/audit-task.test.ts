import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { auditTask } from "../../auditor/audit-task.ts";
import type { AuditOptions } from "../../auditor/audit-task.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";

describe("an audit of a task that goes on meanwhile", () => {
  it("is of the task at one block: a round that becomes final after that is not missing", async () => {
    const task = await openMemoryTask();
    const round = await openMemoryRound(task);
    await settleMemoryRound(task, round);
    const reader = task.reader(0);
    let isOpen = true;
    /** The round ends as soon as the answer is there. */
    const thenEnds = async <T>(answer: Promise<T>): Promise<T> => {
      const result = await answer;
      if (isOpen) {
        isOpen = false;
        await finalizeMemoryRound(task, round, "one");
      }
      return result;
    };
    const chain: TaskReader = {
      ...reader,
      look: () => thenEnds(reader.look()),
      records: (number) => thenEnds(reader.records(number)),
    };
    const { parameters } = task;
    const options = {
      keys: {},
      base: { digest: parameters.genesisDigest, state: {} },
    } as unknown as AuditOptions;
    const { ok, findings } = await auditTask({ chain, parameters } as unknown as OpenTask, options);
    assert.equal(isOpen, false);
    assert.ok(ok, JSON.stringify(findings));
    assert.deepEqual(
      findings.map(({ round: of, check }) => [of, check]),
      [
        [0, "genesis"],
        [0, "latest model"],
      ],
    );
  });
});
