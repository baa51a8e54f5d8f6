import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TaskLog } from "../../chain/logs.ts";
import { recordsOf } from "../../chain/round-records.ts";
import { word } from "../support/random.ts";

describe("a round's records", () => {
  it("count the settlements up to the round, which the ledger is charged for, whatever became of their rounds", () => {
    const place = { blockNumber: 1, index: 0, transactionHash: "0x" } as const;
    const settled = (round: bigint): TaskLog => ({
      name: "Settled",
      args: {
        ...{ round, settlement: word("settlement"), intake: word("intake"), sum: { x: 0n, y: 0n } },
        ...{ included: 1n, members: 1n, totalWeight: 1n },
      },
      ...place,
    });
    const aborted = (round: bigint): TaskLog => ({ name: "Aborted", args: { round, during: 3n }, ...place });
    const logs = [settled(1n), aborted(2n), settled(3n), aborted(3n), settled(4n)];
    assert.deepEqual(
      [1n, 2n, 3n, 4n].map((round) => recordsOf(logs, round).settledRounds),
      [1, 1, 2, 3],
    );
  });
});
