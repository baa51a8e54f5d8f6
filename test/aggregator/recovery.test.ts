/** An aggregator whose endpoint may name releases that nobody made. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createRecovery } from "../../aggregator/recovery.ts";
import type { RecoveryDependencies } from "../../aggregator/recovery.ts";
import type { RoundRecords } from "../../chain/task-chain.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { createStatementBoard, withReleases } from "../../task/statement-board.ts";
import type { StatementBoard } from "../../task/statement-board.ts";
import { memoryRelease, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

/** A settled round with two releases, neither of which is a sum of shares. */
async function released(): Promise<{ readonly task: MemoryTask; readonly board: StatementBoard }> {
  const task = await openMemoryTask();
  await settleMemoryRound(task, await openMemoryRound(task));
  const board = createStatementBoard(task.operator);
  for (const seat of [1, 2]) await board.add({ kind: "release", ...(await memoryRelease(task, seat)) });
  return { task, board };
}

function recovering({ task, board }: Awaited<ReturnType<typeof released>>): {
  readonly deps: RecoveryDependencies;
  readonly said: string[];
  rereads: number;
} {
  const said: string[] = [];
  const state = { said, rereads: 0 };
  const getFile = (): Promise<never> => Promise.reject(new VerisumError("IPFS_DAG_INVALID", "no such file"));
  const chain = {
    records: task.operator.records,
    rereadRound: () => Promise.resolve(void (state.rereads += 1)),
  };
  const deps = {
    ...{ chain, board },
    task: { store: { getFile }, layout: { elementCount: 1 }, parameters: task.parameters },
    reporter: { say: (_: string, event: string, text: string) => void said.push(`${event}: ${text}`) },
  } as unknown as RecoveryDependencies;
  return Object.assign(state, { deps });
}

describe("a member whose release is unusable", () => {
  it("is named once, after everything was read again and said the same", async () => {
    const { task, board } = await released();
    const state = recovering({ task, board });
    const recover = createRecovery(state.deps);
    const records = async (): Promise<RoundRecords> => withReleases(await task.operator.records(1n), board);
    for (let look = 0; look < 3; look++) assert.equal(await recover(await records()), undefined);
    const text = (seat: number): string =>
      `bad-release: round 1: the release of seat ${seat} is unusable: IPFS_DAG_INVALID`;
    assert.deepEqual(state.said, [text(1), text(2)]);
    assert.equal(state.rereads, 1);
  });

  it("is not named for a release that only the first reading knows", async () => {
    const { task, board } = await released();
    const state = recovering({ task, board });
    const { released: real, ...rest } = withReleases(await task.operator.records(1n), board);
    const records: RoundRecords = {
      ...rest,
      released: [...real, { ...real[0]!, seat: 3, releaseCid: word("invented") }],
    };
    assert.equal(await createRecovery(state.deps)(records), undefined);
    assert.equal(state.rereads, 1);
    assert.equal(state.said.filter((line) => line.includes("seat 3")).length, 0, state.said.join("; "));
    assert.equal(state.said.length, 2);
  });
});
