/** What keeps a task's next round from opening, in words: as the contract has it, and before it is asked. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { VerisumError } from "../../protocol/errors.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { isTooFewKeys, keysAwaited, readOpening } from "../../task/opening.ts";
import { openMemoryTask, openMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

describe("the opening of the next round", () => {
  const obstacles = async ({ operator }: MemoryTask): Promise<readonly string[]> =>
    (await readOpening(operator, await operator.look())).obstacles;
  const giveKeys = async ({ members }: MemoryTask, round: bigint, ...seats: readonly number[]): Promise<void> => {
    for (const seat of seats) await members[seat - 1]!.registerRoundKeys(round, [word(`${seat} ${round}`)]);
  };
  const refusal = async ({ operator }: MemoryTask): Promise<VerisumError> => {
    const error: unknown = await operator.openRound().catch((thrown: unknown) => thrown);
    assert.ok(isVerisumError(error, "CHAIN_REVERTED"));
    return error;
  };

  it("waits for as many clients as a buffer's goal needs, taking turns", async () => {
    const parameters: Partial<TaskParameters> = { minClients: 2, maxCorrupt: 0, bufferGoal: 2, minSeparation: 2 };
    const task = await openMemoryTask({ parameters });
    await giveKeys(task, 1n, 1, 2, 3, 4);
    const why = "3 of at least 4 clients are registered: add-client lists them";
    assert.deepEqual(await obstacles(task), [why]);
    assert.equal((await refusal(task)).details.error, "VerisumGoalUnreachable");
    await task.operator.registerClient(task.stranger.account, 1);
    assert.deepEqual(await obstacles(task), []);
    await task.operator.openRound();
  });

  it("waits for keys of those seats alone that have a member then", async () => {
    const task = await openMemoryTask({ parameters: { maxCorrupt: 0 } });
    const round = await openMemoryRound(task);
    for (const seat of [3, 4]) await task.operator.replaceMember(seat, ZERO_ADDRESS);
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(round);
    const seats = "2 of at least 3 seats have a member from the next round on: replace-member fills them";
    assert.deepEqual(await obstacles(task), [
      seats,
      "0 of at least 3 members have a key for it: start the members of seats 1, 2",
    ]);
    await giveKeys(task, 2n, 1, 2);
    assert.deepEqual(await obstacles(task), [seats]);
  });

  it("says until when it waits for the last members' keys", async () => {
    const task = await openMemoryTask();
    await giveKeys(task, 1n, 1, 2, 3);
    assert.deepEqual(await obstacles(task), []);
    const refused = await refusal(task);
    assert.equal(isTooFewKeys(refused), true);
    const { seatsWithoutKey } = await readOpening(task.operator, await task.operator.look());
    assert.match(
      keysAwaited(seatsWithoutKey, refused),
      /^it waits for keys of the members of seats 4, or for the end of the window for keys, \d{4}-\d\d-\d\dT[\d:]{8}Z$/,
    );
  });
});
