import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createStatementWakes } from "../../aggregator/wakes.ts";
import { MOST_OF_SEAT } from "../../task/statement-board.ts";

describe("an aggregator's pause", () => {
  it("is ended by the first statements of each seat in the present round, and by no others", () => {
    let woken = 0;
    const wakes = createStatementWakes(() => void woken++);
    wakes.looked(7n);
    for (let i = 0; i < 3 * MOST_OF_SEAT; i++) {
      wakes.looked(7n);
      wakes.heard({ round: 7n, seat: 1 });
      wakes.heard({ round: 8n + BigInt(i), seat: 2 });
      wakes.heard({ round: 6n, seat: 3 });
    }
    assert.equal(woken, MOST_OF_SEAT);
    wakes.heard({ round: 7n, seat: 2 });
    assert.equal(woken, MOST_OF_SEAT + 1, "another seat's");
    wakes.looked(8n);
    wakes.heard({ round: 8n, seat: 1 });
    assert.equal(woken, MOST_OF_SEAT + 2, "the next round's");
  });
});
