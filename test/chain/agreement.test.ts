import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { missingEvent } from "../../chain/agreement.ts";
import type { TaskLog } from "../../chain/logs.ts";
import type { Counters } from "../../chain/task-chain.ts";
import { G1_GENERATOR } from "../../protocol/points.ts";
import { word } from "../support/random.ts";
import { openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";

interface Seen {
  readonly logs: readonly TaskLog[];
  readonly counters: Counters;
  readonly cost: bigint;
}

/** A round's events, and what the contract counts. */
async function seen(settles: boolean): Promise<Seen> {
  const task = await openMemoryTask();
  const round = await openMemoryRound(task);
  if (settles) await settleMemoryRound(task, round);
  const { logs } = task.chain.contractAt(task.contract);
  return { logs, counters: await task.operator.look(), cost: task.parameters.privacyCostPerRound };
}

const settled = (): Promise<Seen> => seen(true);
const attesting = (): Promise<Seen> => seen(false);

describe("a contract's events", () => {
  it("agree with the contract's counts at the same block", async () => {
    const { logs, counters, cost } = await settled();
    assert.equal(missingEvent(logs, counters, cost), undefined);
  });

  it("are not believed where the contract has another settlement", async () => {
    const { logs, counters, cost } = await settled();
    const elsewhere = { ...counters, round: { ...counters.round, settlement: word("another") } };
    assert.equal(missingEvent(logs, elsewhere, cost), "round 1: its present settlement");
  });

  it("are not believed where the contract has another intake", async () => {
    const { logs, counters, cost } = await attesting();
    assert.equal(missingEvent(logs, counters, cost), undefined);
    const elsewhere = { ...counters, round: { ...counters.round, intake: word("another") } };
    assert.equal(missingEvent(logs, elsewhere, cost), "round 1: a submission of its present intake");
  });

  it("are not believed where a settlement does not fit its own hash", async () => {
    const { logs, counters, cost } = await settled();
    for (const change of [{ included: 0b011n }, { totalWeight: 9n }, { sum: G1_GENERATOR }, { round: 2n }]) {
      const forged = logs.map((log) => (log.name === "Settled" ? withArgs(log, change) : log));
      assert.notEqual(missingEvent(forged, counters, cost), undefined, Object.keys(change)[0]);
    }
  });

  it("are not believed where a submission is another one than was settled on", async () => {
    const { logs, counters, cost } = await settled();
    const changes = [
      { client: `0x${"12".repeat(20)}` },
      { weight: 9n },
      { submission: { commitment: G1_GENERATOR } },
      { submission: { sharesCid: word("x") } },
      { submission: { shareHashes: [word("x")] } },
    ];
    for (const change of changes) {
      const forged = logs.map((log) => {
        if (log.name !== "Submitted" || log.args.index !== 1n) return log;
        const submission = { ...log.args.submission, ...("submission" in change ? change.submission : {}) };
        return withArgs(log, { ...change, submission });
      });
      assert.equal(missingEvent(forged, counters, cost), "round 1: a submission that was settled on");
      // A submission that is right was not spoilt by the wrong one.
      assert.equal(missingEvent(logs, counters, cost), undefined);
    }
  });
});

/** The event with other arguments. */
function withArgs(log: TaskLog, change: object): TaskLog {
  return { ...log, args: { ...log.args, ...change } } as TaskLog;
}
