import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TaskLog } from "../../chain/logs.ts";
import type { BlockReference } from "../../chain/origin.ts";
import { lookOf, recordsOf } from "../../chain/round-records.ts";
import type { Counters } from "../../chain/task-chain.ts";
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

  it("of as many rounds as a look is asked for take one pass over its events", () => {
    const rounds = 50;
    let read = 0;
    const logs = Array.from({ length: rounds }, (_, i): TaskLog => {
      const log = { args: { round: BigInt(i + 1), during: 3n }, blockNumber: 1, index: i, transactionHash: "0x" };
      return Object.defineProperty(log, "name", { get: () => (read++, "Aborted") }) as unknown as TaskLog;
    });
    const look = lookOf({ counters: {} as Counters, logs, latest: {} as BlockReference, finalBlock: 1 });
    const readOf = (count: number): number => {
      const before = read;
      for (let round = 1; round <= count; round++) assert.equal(look.records(BigInt(round)).aborted, true);
      return read - before;
    };
    const first = readOf(1);
    assert.ok(readOf(rounds) <= 2 * first, `${first} for one round, ${read} in all`);
  });
});
