import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { startCells } from "../support/cells-harness.ts";
import type { CellsHarness } from "../support/cells-harness.ts";
import { loadCheckpointConfig } from "../../adapters/task/checkpoint.ts";

describe("two cells with real proofs", function () {
  this.timeout(240_000);
  let harness: CellsHarness;
  before(async () => {
    harness = await startCells({ clients: 3, learning: "scripted" });
  });
  after(() => harness.close());

  it("finalise one model in each of two steps, which an auditor of either cell recomputes from both cells' sums", async () => {
    for (const step of [1, 2]) {
      const rounds = await harness.playSteps(step);
      assert.equal(new Set(rounds.map(({ finalised }) => finalised!.result.modelDigest)).size, 1);
      assert.equal(new Set(rounds.map(({ finalised }) => finalised!.result.aggregateDigest)).size, 2);
    }
    for (const cell of harness.cells) {
      const audit = await cell.audit();
      assert.deepEqual(audit.findings.filter(({ ok }) => !ok), []);
      assert.equal(audit.findings.filter(({ check }) => check === "sum of cells").length, 2);
      const latest = await cell.operator.latestModel();
      const { cells } = await loadCheckpointConfig(cell.session.store, latest.cid, 2);
      assert.deepEqual(cells?.map(({ contract, totalWeight, clients }) => [contract, totalWeight, clients.length]), harness.cells.map(({ contract }) => [contract, 3, 3]));
    }
  });
});
