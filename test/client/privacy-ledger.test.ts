import { describe, it } from "mocha";
import assert from "node:assert/strict";
import { recordsOf } from "../../chain/round-records.ts";
import type { TaskLog } from "../../chain/logs.ts";
import { assertBudgetLeft } from "../../client/privacy-ledger.ts";
import { word } from "../support/random.ts";
import { rejectsCode } from "../support/errors.ts";

type Outcome = "finalised" | "aborted after settling" | "aborted before" | "unknown to the chain";

/** A client that submitted in rounds 1, 2, …, with these outcomes. */
function client(outcomes: readonly Outcome[], privacyBudget: bigint): Parameters<typeof assertBudgetLeft>[0] {
  const logs = outcomes.flatMap((outcome, i): TaskLog[] => {
    const place = { blockNumber: i, index: i, transactionHash: "0x" } as const;
    const round = BigInt(i + 1);
    const sum = { x: 0n, y: 0n };
    const [settlement, intake] = [word(`settlement ${i}`), word(`intake ${i}`)];
    const settled = {
      name: "Settled",
      args: { round, settlement, intake, sum, included: 1n, members: 1n, totalWeight: 1n },
      ...place,
    } as const;
    const aborted = { name: "Aborted", args: { round, during: 3n }, ...place } as const;
    return {
      finalised: [settled],
      "aborted after settling": [settled, aborted],
      "aborted before": [aborted],
      "unknown to the chain": [],
    }[outcome];
  });
  return {
    chain: { records: (round) => Promise.resolve(recordsOf(logs, round)) },
    task: { parameters: { privacyBudget, privacyCostPerRound: 1n } },
    journal: { rounds: () => Promise.resolve(outcomes.map((_, i) => BigInt(i + 1))) },
  };
}

describe("a client's privacy ledger", () => {
  it("lets a task without a budget and a client within it go on", async () => {
    await assertBudgetLeft(client(["finalised", "finalised"], 0n), 3n);
    await assertBudgetLeft(client(["finalised", "finalised"], 3n), 3n);
  });

  it("refuses a round beyond the budget, also when the chain has forgotten the rounds before", async () => {
    await rejectsCode(assertBudgetLeft(client(["finalised", "finalised"], 2n), 3n), "PRIVACY_BUDGET_SPENT");
    await rejectsCode(
      assertBudgetLeft(client(["unknown to the chain", "unknown to the chain"], 2n), 3n),
      "PRIVACY_BUDGET_SPENT",
    );
  });

  it("counts rounds aborted after they settled, and not those aborted before", async () => {
    await rejectsCode(assertBudgetLeft(client(["aborted after settling"], 1n), 2n), "PRIVACY_BUDGET_SPENT");
    await assertBudgetLeft(client(["aborted before", "aborted before"], 1n), 3n);
  });

  it("does not count the round that it is about to join again", async () => {
    await assertBudgetLeft(client(["finalised"], 1n), 1n);
  });

  it("is charged what the chain's records count as settled", async () => {
    const { chain } = client(["finalised", "aborted before", "aborted after settling", "finalised"], 9n);
    assert.deepEqual(
      await Promise.all([1n, 2n, 3n, 4n].map(async (round) => (await chain.records(round)).settledRounds)),
      [1, 1, 2, 3],
    );
  });
});
