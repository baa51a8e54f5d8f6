import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { presentOf } from "../../auditor/present.ts";
import { snapshotOf } from "../../indexer/snapshot.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { parseSpecification } from "../../task/create-task.ts";
import {
  finalizeMemoryRound,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

const { document } = parseSpecification(
  JSON.parse(readFileSync(new URL("../../tasks/digits.json", import.meta.url), "utf8")),
);

/** What status and index say of a task now. */
async function roundsOf(memory: MemoryTask) {
  const chain = memory.reader(0);
  const task = { document, parameters: memory.parameters } as OpenTask;
  const look = await chain.look();
  const present = await presentOf({ chain, task, network: { peers: () => [] } }, look);
  const { round, gateways, parties } = present;
  const observed = { round, gateways, parties: [...parties], attested: 0, released: 0 };
  const keys = { state: "unknown" as const, contributors: [], says: "" };
  return { present, shown: (await snapshotOf({ chain, task }, look, { ...observed, keys })).round };
}

describe("what a task is at now", () => {
  it("is attesting once time alone has ended the collecting, in the index as for its parties", async () => {
    const task = await openMemoryTask({ weights: [1, 1, 1, 1] });
    const number = await openMemoryRound(task);
    for (const client of task.clients.slice(0, 3)) await client.submit(number, memorySubmission(task, client.account));
    const { deadline } = await task.operator.round();
    assert.equal((await roundsOf(task)).shown.phase, "Collecting");
    task.chain.setTime(deadline);
    const { present, shown } = await roundsOf(task);
    assert.equal(present.round.phase, "Attesting");
    assert.equal(present.parties.find(({ party }) => party === "seat 1")?.state, "to-attest");
    assert.deepEqual(
      { phase: shown.phase, deadline: shown.deadline },
      { phase: "Attesting", deadline: deadline + task.parameters.attestSeconds },
    );
  });

  it("has no deadline between rounds", async () => {
    const task = await openMemoryTask();
    const number = await openMemoryRound(task);
    await settleMemoryRound(task, number);
    await finalizeMemoryRound(task, number, "one");
    const { shown } = await roundsOf(task);
    assert.deepEqual([shown.phase, shown.deadline], ["Finalised", 0]);
  });
});
