import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, getPriority } from "node:os";
import { queryObjects } from "node:v8";
import { describe, it } from "mocha";
import { startWorker } from "./run.ts";
import type { PlainOutcome } from "./run.ts";
import { runSchedule } from "./schedule.ts";
import type { Outcome } from "./schedule.ts";
import type { Planted } from "./roles.ts";
import { summaryOf, tableOf } from "./table.ts";
import { World } from "./world.ts";

/** Few here; `npm run test:adversarial` runs 10,000. */
const SCHEDULES = 8;
const MOST_UNTIL_NOTICED = 60;
/** A seed whose rounds are buffers that are full before every client is in. */
const BUFFERED = "13";

async function outcomesOf(seeds: readonly string[], planted?: Planted): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) outcomes.push(await runSchedule(seed, planted));
  return outcomes;
}

describe("random schedules over the roles", function () {
  this.timeout(180_000);

  it("break nothing, blame nobody and end in a final round", async () => {
    const seeds = Array.from({ length: SCHEDULES }, (_, i) => String(i + 1));
    const summary = summaryOf(await outcomesOf(seeds));
    assert.deepEqual(summary.violations, [], tableOf(summary));
    assert.ok(summary.roundsFinal >= 2 * SCHEDULES);
    assert.ok(Object.keys(summary.faults).length >= 8, `every kind of fault occurs: ${JSON.stringify(summary.faults)}`);
  });

  it("sum updates of older models where rounds close at a goal, each vector once", async () => {
    const { shape, violations, finalised, staleUpdates } = await runSchedule(BUFFERED);
    assert.ok(shape.buffer !== undefined && shape.clients > shape.buffer.bufferGoal);
    assert.deepEqual(violations, []);
    assert.ok(finalised >= 2 && staleUpdates > 0, `${staleUpdates} in ${finalised} rounds`);
  });

  it("are the same for the same seed", async () => {
    const [once, , again] = await outcomesOf(["7", "4", "7"]);
    assert.deepEqual(once, again);
  });

  it("leave nothing of themselves in memory, however long somebody would still wait", async () => {
    const worlds = (): number => queryObjects(World, { format: "count" });
    const before = worlds();
    await runSchedule("1");
    assert.equal(worlds(), before);
  });

  it("run in processes that give way to all others, and end with whoever started them", async () => {
    const worker = startWorker(1, 1000, 1);
    const [outcome]: readonly PlainOutcome[] = await once(worker, "message");
    assert.equal(outcome?.seed, "1");
    assert.equal(getPriority(worker.pid), constants.priority.PRIORITY_LOW);
    worker.disconnect();
    assert.deepEqual(await once(worker, "exit"), [0, null]);
  });

  it("notice members that release before a settlement is final", () => isNoticed({ hasty: true }, /was final$/));

  it("notice clients that make a second submission after a restart", () =>
    isNoticed({ forgetful: true }, /two different submissions/, 21));

  it("notice clients that share a second vector of a model before a settlement counts the first", () =>
    isNoticed({ forgetful: true }, /a second vector/));

  it("notice clients that share a vector again before a final block says that its last round does not count it", () =>
    isNoticed({ impatient: true }, /may still count its vector/));
});

/**
 * Schedules in which the planted mistake could show: one of them says which privacy rule is broken.
 * @param from the first one's seed
 */
async function isNoticed(planted: Planted, rule: RegExp, from = 1): Promise<void> {
  for (let seed = from; seed < from + MOST_UNTIL_NOTICED; seed++) {
    const { violations } = await runSchedule(String(seed), planted);
    if (violations.some(({ kind, detail }) => kind === "privacy rule broken" && rule.test(detail))) return;
  }
  assert.fail(`${MOST_UNTIL_NOTICED} schedules did not break the rule`);
}
