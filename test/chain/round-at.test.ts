import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { roundAt } from "../../chain/round-at.ts";
import type { RoundState } from "../../chain/task-chain.ts";
import { ZERO_WORD } from "../../protocol/transcript.ts";

const RULES = { minClients: 3, attestSeconds: 300 };

function round(change: Partial<RoundState>): RoundState {
  return {
    ...{ number: 1n, phase: "Collecting", deadline: 1_000, expected: 5, submitted: 3, keyMask: 15n, totalWeight: 3 },
    ...{ included: 0n, proposedMembers: 0n, sum: { x: 1n, y: 2n }, intake: ZERO_WORD, settlement: ZERO_WORD },
    ...change,
  };
}

describe("a round at another time", () => {
  it("attests from Collecting's deadline on if enough clients are in, counting from that deadline", () => {
    assert.deepEqual(roundAt(round({}), RULES, 999), round({}));
    for (const time of [1_000, 1_001, 5_000])
      assert.deepEqual(roundAt(round({}), RULES, time), round({ phase: "Attesting", deadline: 1_300 }));
  });

  it("still collects with too few clients, and no other phase ends by itself", () => {
    const unchanged: Partial<RoundState>[] = [
      { submitted: 2 },
      ...(["Idle", "Attesting", "Aggregating", "Finalised", "Aborted"] as const).map((phase) => ({ phase })),
    ];
    for (const change of unchanged) assert.deepEqual(roundAt(round(change), RULES, 5_000), round(change));
  });
});
