import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { cidFromDigest } from "../../adapters/ipfs/cid.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

describe("rounds with real proofs", function () {
  this.timeout(120_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: 4 });
  });
  after(() => harness.close());

  it("finalises two rounds that an auditor recomputes from the chain and content alone", async () => {
    for (const round of [1n, 2n]) {
      const { state, records } = await harness.playRound();
      assert.equal(state.number, round);
      assert.equal(state.phase, "Finalised");
      assert.equal(records.submitted.length, 4);
      assert.equal(records.settled!.included, 0b1111n);
      assert.equal(records.finalised!.signers.length, 2);
    }
    const audit = await harness.audit();
    assert.deepEqual(audit.findings.filter(({ ok }) => !ok), []);
    assert.equal(audit.ok, true);
    const latest = await harness.operator.latestModel();
    assert.deepEqual(audit.model?.record, latest);
    assert.equal(await harness.aggregator.node.store.has(cidFromDigest(latest.cid)), true);
  });
});
