/** The load run's bookkeeping; the run itself takes minutes. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import type { Receipt, SignedSubmission } from "../../chain/task-chain.ts";
import { parseModel, parameterCountOf } from "../../learning/model.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { pooled } from "../../experiments/load/pool.ts";
import { createRelay } from "../../experiments/load/relay.ts";
import { assertEnoughClients } from "../../operator/prepare-task.ts";
import type { PreparedTask } from "../../operator/prepare-task.ts";
import {
  dimensionOf,
  hiddenUnitsFor,
  loadSpecification,
  ownSpecification,
} from "../../experiments/load/specification.ts";
import { Timeline } from "../../experiments/load/timeline.ts";

/** The relay does not look into it. */
const signed = {} as SignedSubmission;
const receiptOf = (gasUsed: bigint): Receipt => ({ transactionHash: "0x", gasUsed, blockNumber: 1 });
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
    const { document, clients, committee } = parseSpecification(loadSpecification(plan));
    assert.equal(parameterCountOf(parseModel(document.model)), 2_410);
    assert.deepEqual(
      { min: clients.min, minHonest: clients.minHonest, maxCorrupt: clients.maxCorrupt },
      { min: 90, minHonest: 80, maxCorrupt: 10 },
    );
    assert.deepEqual(committee, { size: 4, threshold: 2, quorum: 3 });
  });

  it("leaves a task of one's own as it is, but for windows and committee", async () => {
    const json = JSON.parse(
      await readFile(new URL("../../tasks/digits-cohort.json", import.meta.url), "utf8"),
    ) as unknown;
    const [own, given] = [parseSpecification(ownSpecification(json, 7)), parseSpecification(json)];
    assert.equal(own.committee.size, 7);
    assert.ok(own.windowSeconds.collect > given.windowSeconds.collect);
    assert.deepEqual({ ...own, committee: given.committee, windowSeconds: given.windowSeconds }, given);
  });

  it("is refused for a task that would wait for more clients for ever", () => {
    const parameters = { minClients: 16, bufferGoal: 0, minSeparation: 1 };
    const prepared = { parameters } as PreparedTask;
    assert.doesNotThrow(() => assertEnoughClients(prepared, 16));
    assert.throws(() => assertEnoughClients(prepared, 15), { code: "USAGE" });
    const buffer = { parameters: { ...parameters, bufferGoal: 18, minSeparation: 2 } } as PreparedTask;
    assert.doesNotThrow(() => assertEnoughClients(buffer, 36));
    assert.throws(() => assertEnoughClients(buffer, 35), { code: "USAGE" });
  });

  it("specifies a task for the smallest crowd", () => {
    const { clients } = parseSpecification(loadSpecification({ ...plan, clients: 2 }));
    assert.deepEqual(
      { min: clients.min, minHonest: clients.minHonest, maxCorrupt: clients.maxCorrupt },
      { min: 2, minHonest: 2, maxCorrupt: 0 },
    );
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

  it("sends a batch when it is full, and tells each client its part of the gas", async () => {
    const sent: number[] = [];
    const submitBatch = async (_round: bigint, batch: readonly SignedSubmission[]): Promise<Receipt> => {
      sent.push(batch.length);
      return receiptOf(300n * BigInt(batch.length));
    };
    const relay = createRelay({ submitBatch }, 2, 60_000);
    const receipts = await Promise.all([
      relay.send(1n, signed),
      relay.send(1n, signed),
      relay.send(2n, signed),
      relay.send(2n, signed),
    ]);
    assert.deepEqual(sent, [2, 2]);
    assert.deepEqual(
      receipts.map(({ gasUsed }) => gasUsed),
      [300n, 300n, 300n, 300n],
    );
  });

  it("sends what there is when nobody fills the batch, and tells every client of it that it was refused", async () => {
    const relay = createRelay({ submitBatch: () => Promise.reject(new RangeError("refused")) }, 20, 1);
    const outcomes = await Promise.allSettled([relay.send(1n, signed), relay.send(1n, signed)]);
    assert.ok(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason instanceof RangeError));
  });

  it("times a round's phases by its events, and leaves out rounds that never opened", () => {
    let now = 0;
    const timeline = new Timeline(() => now);
    const at = (
      seconds: number,
      role: "client" | "member" | "aggregator",
      event: string,
      facts: Record<string, unknown>,
    ): void => {
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
    for (const processorMs of [40, 60, 20.4]) timeline.audited(1, processorMs);
    assert.deepEqual(timeline.figures(), [
      {
        round: 1,
        accepted: 2,
        collectSeconds: 4,
        attestSeconds: 3,
        aggregateSeconds: 2,
        memberMsPerClient: 750,
        auditMs: 40,
        gas: { submitMedian: 405, submitHighest: 410, finalize: 7 },
      },
    ]);
    assert.equal(timeline.proveMedianMs(), 900);
    assert.deepEqual(timeline.refusals, ["client: VerisumProofRejected"]);
  });
});
