/** How many refusals it takes, in committees of several sizes: the count of all clients at once, bit by bit. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import {
  deployTask,
  excludedOf,
  openChain,
  openRound,
  registerAll,
  roundOf,
  snapshot,
  statementOf,
  submitAll,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const [ATTESTING, AGGREGATING] = [2n, 3n];

describe("refusals", function () {
  this.timeout(60_000);
  // n − quorum + 1 is 2, 3, 4, 5 and 6.
  for (const [committeeSize, quorum] of [
    [4, 3],
    [5, 3],
    [6, 3],
    [7, 3],
    [8, 3],
  ] as const) {
    const goal = committeeSize - quorum + 1;
    describe(`in a committee of ${committeeSize} with a quorum of ${quorum}`, () => {
      let connection: NetworkConnection;
      let restore: () => Promise<void>;
      let task: TaskOnChain;
      before(async () => {
        connection = await openChain();
        task = await deployTask(connection, { committeeSize, quorum });
        await registerAll(task, [1, 1, 1, 1]);
        await openRound(task);
        await submitAll(task, 4);
        restore = await snapshot(connection);
      });
      beforeEach(() => restore());
      after(() => connection.close());

      /** Everybody found all but one client good, and so many seats refused that one. */
      const settle = async (refusals: number, index: number): Promise<bigint> => {
        const refused = 1n << BigInt(index);
        const seats = task.members.map((_, i) => i + 1);
        const statements = await Promise.all(
          seats.map((seat) => statementOf(task, seat, 0b1111n & ~refused, seat <= refusals ? refused : 0n)),
        );
        const excluded = refusals >= goal ? await excludedOf(task, [index]) : [];
        await task.verisum["settle"]!(1n, statements, (1n << BigInt(committeeSize)) - 1n, excluded);
        return (await roundOf(task)).phase;
      };

      for (const index of [0, 1, 3])
        it(`leave client ${index} out at once if they are ${goal} or more, and not if they are fewer`, async () => {
          assert.equal(await settle(goal - 1, index), ATTESTING);
          for (const refusals of [goal, committeeSize]) {
            await restore();
            assert.equal(await settle(refusals, index), AGGREGATING);
          }
        });
    });
  }
});
