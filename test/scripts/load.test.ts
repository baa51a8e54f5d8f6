/** The load run's bookkeeping; the run itself takes minutes. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseModel, parameterCountOf } from "../../adapters/learning/model.ts";
import { taskSpecificationSchema } from "../../adapters/task/create-task.ts";
import { pooled } from "../../scripts/load/pool.ts";
import { dimensionOf, hiddenUnitsFor, loadSpecification } from "../../scripts/load/specification.ts";
import { Timeline } from "../../scripts/load/timeline.ts";

const plan = { clients: 100, members: 4, dimension: 2_410, rounds: 1, preset: "standard" } as const;

describe("load", () => {
  it("takes the digits network whose size is nearest to the wanted one", () => {
    assert.equal(hiddenUnitsFor(2_410), 32);
    assert.equal(dimensionOf(32), 2_410);
    assert.equal(dimensionOf(hiddenUnitsFor(2_440)), 2_410);
    assert.equal(dimensionOf(hiddenUnitsFor(2_450)), 2_485);
    assert.equal(hiddenUnitsFor(1), 1);
  });

  it("specifies a task of that size, in which a tenth of the clients may fail", () => {
    const { document, clients, committee } = taskSpecificationSchema.parse(loadSpecification(plan));
    assert.equal(parameterCountOf(parseModel(document.model)), 2_410);
    assert.deepEqual({ min: clients.min, minHonest: clients.minHonest, maxCorrupt: clients.maxCorrupt }, { min: 90, minHonest: 80, maxCorrupt: 10 });
    assert.deepEqual(committee, { size: 4, threshold: 2, quorum: 3 });
  });

  it("specifies a task for the smallest crowd", () => {
    const { clients } = taskSpecificationSchema.parse(loadSpecification({ ...plan, clients: 2 }));
    assert.deepEqual({ min: clients.min, minHonest: clients.minHonest, maxCorrupt: clients.maxCorrupt }, { min: 2, minHonest: 2, maxCorrupt: 0 });
  });

  it("works on no more items at once than it may, and on all of them", async () => {
    let working = 0;
    let most = 0;
    const seen: number[] = [];
    await pooled([5, 6, 7, 8, 9], 2, async (item, index) => {
      most = Math.max(most, ++working);
      await new Promise((resolve) => setImmediate(resolve));
      seen[index] = item;
      working--;
    });
    assert.equal(most, 2);
    assert.deepEqual(seen, [5, 6, 7, 8, 9]);
  });

  it("starts no further item after one failed, and throws its failure when the others are through", async () => {
    const finished: number[] = [];
    const work = pooled([1, 2, 3, 4], 2, async (item) => {
      if (item === 1) throw new RangeError("one");
      await new Promise((resolve) => setImmediate(resolve));
      finished.push(item);
    });
    await assert.rejects(work, RangeError);
    assert.deepEqual(finished, [2]);
  });

  it("times a round's phases by its events, and leaves out rounds that never opened", () => {
    let now = 0;
    const timeline = new Timeline(() => now);
    const at = (seconds: number, role: "client" | "member" | "aggregator", event: string, facts: Record<string, unknown>): void => {
      now = seconds * 1000;
      timeline.note({ role, event, facts });
    };
    at(0, "client", "accuracy", { round: 0 });
    at(1, "aggregator", "round-opened", { round: 1 });
    at(3, "client", "proven", { round: 1, milliseconds: 900 });
    at(4, "client", "accepted", { round: 1, gas: 410 });
    at(5, "client", "accepted", { round: 1, gas: "400" });
    at(5, "client", "refused", { round: 1, reason: "VerisumProofRejected" });
    at(6, "member", "attested", { round: 1 });
    at(7, "member", "attested", { round: 1 });
    at(8, "aggregator", "settled", { round: 1 });
    assert.equal(timeline.finalised, 0);
    at(10, "aggregator", "finalised", { round: 1, gas: 7 });
    assert.equal(timeline.finalised, 1);
    assert.deepEqual(timeline.figures(), [
      { round: 1, accepted: 2, collectSeconds: 4, attestSeconds: 3, aggregateSeconds: 2, memberMsPerClient: 750, gas: { submitMedian: 405, submitHighest: 410, finalize: 7 } },
    ]);
    assert.equal(timeline.proveMedianMs(), 900);
    assert.deepEqual(timeline.refusals, ["client: VerisumProofRejected"]);
  });
});
