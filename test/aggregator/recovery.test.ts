/** An aggregator whose endpoint may name releases that nobody made. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createRecovery } from "../../aggregator/recovery.ts";
import type { RecoveryDependencies } from "../../aggregator/recovery.ts";
import type { RoundRecords } from "../../chain/task-chain.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

/** A settled round with two releases, neither of which is a sum of shares. */
async function released(): Promise<MemoryTask> {
  const task = await openMemoryTask();
  await settleMemoryRound(task, await openMemoryRound(task));
  for (const [i, member] of task.members.slice(0, 2).entries()) await member.release(1n, word(`release ${i + 1}`));
  return task;
}

function recovering(task: MemoryTask): {
  readonly deps: RecoveryDependencies;
  readonly said: string[];
  rereads: number;
} {
  const said: string[] = [];
  const state = { said, rereads: 0 };
  const getFile = (): Promise<never> => Promise.reject(new VerisumError("IPFS_DAG_INVALID", "no such file"));
  const chain = {
    records: task.operator.records,
    reread: () => Promise.resolve(void (state.rereads += 1)),
  };
  const deps = {
    chain,
    task: { store: { getFile }, layout: { elementCount: 1 }, parameters: task.parameters },
    reporter: { say: (_: string, event: string, text: string) => void said.push(`${event}: ${text}`) },
  } as unknown as RecoveryDependencies;
  return Object.assign(state, { deps });
}

describe("a member whose release is unusable", () => {
  it("is named once, after everything was read again and said the same", async () => {
    const task = await released();
    const state = recovering(task);
    const recover = createRecovery(state.deps);
    for (let look = 0; look < 3; look++) assert.equal(await recover(await task.operator.records(1n)), undefined);
    const text = (seat: number): string =>
      `bad-release: round 1: the release of seat ${seat} is unusable: IPFS_DAG_INVALID`;
    assert.deepEqual(state.said, [text(1), text(2)]);
    assert.equal(state.rereads, 1);
  });

  it("is not named for a release that only the first reading knows", async () => {
    const task = await released();
    const state = recovering(task);
    const { released: real, ...rest } = await task.operator.records(1n);
    const invented: Hex = word("invented");
    const records: RoundRecords = {
      ...rest,
      released: [...real, { round: 1n, seat: 3, releaseCid: invented, blockNumber: real[0]!.blockNumber }],
    };
    assert.equal(await createRecovery(state.deps)(records), undefined);
    assert.equal(state.rereads, 1);
    assert.equal(state.said.filter((line) => line.includes("seat 3")).length, 0, state.said.join("; "));
    assert.equal(state.said.length, 2);
  });
});
