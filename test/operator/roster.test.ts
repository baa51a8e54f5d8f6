import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { checkRoster } from "../../operator/roster.ts";
import type { Roster } from "../../operator/roster.ts";
import { throwsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

describe("a list of clients", () => {
  const clients = (count: number, weight = 1): Roster["clients"] =>
    Array.from({ length: count }, (_, i) => ({ account: `0x${word(`client ${i}`).slice(-40)}`, weight }));
  const barrier = { ...TINY_TASK, maxWeight: 4 };
  const buffer = { ...barrier, bufferGoal: 5 };

  it("holds what one round of a barrier does, and of a buffer more than its goal", () => {
    checkRoster(barrier, { members: [], clients: clients(256) });
    throwsCode(() => checkRoster(barrier, { members: [], clients: clients(257) }), "ROSTER_INVALID");
    assert.doesNotThrow(() => checkRoster(buffer, { members: [], clients: clients(300, 4) }));
    const [one] = clients(1);
    throwsCode(() => checkRoster(buffer, { members: [], clients: [one!, ...clients(300)] }), "ROSTER_INVALID");
    throwsCode(() => checkRoster(buffer, { members: [], clients: clients(65_536) }), "ROSTER_INVALID");
  });
});
