import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createCoordinator } from "../../aggregator/coordinator.ts";
import type { CoordinatorDependencies } from "../../aggregator/coordinator.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import { quietStatements } from "../support/quiet-statements.ts";
import { word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("an aggregator whose round cannot open yet", () => {
  it("says in words whose keys it waits for, and asks the chain for that once", async () => {
    const { operator, members, parameters } = await openMemoryTask();
    for (const [i, member] of members.slice(0, 3).entries()) await member.registerRoundKeys(1n, [word(`key ${i}`)]);
    const waits: string[] = [];
    let looks = 0;
    const chain = { ...operator, look: () => (looks++, operator.look()) };
    const reporter = { ...createRecorder(), wait: (text: string) => void waits.push(text) };
    const deps = { chain, ...quietStatements(chain), task: { parameters }, reporter };
    const step = createCoordinator(deps as unknown as CoordinatorDependencies);
    for (let i = 0; i < 3; i++) await step();
    assert.equal(waits.length, 3);
    assert.match(waits[2]!, /^the next round cannot open yet: it waits for keys of the members of seats 4, or for/);
    assert.equal(looks, 1);
  });
});
