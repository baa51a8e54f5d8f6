import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { startHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import type { RoundHarness } from "../support/round-harness.ts";

/** The demo's network: 2,410 weights in one chunk of 2,676 coordinates of 12 bits. */
const PRODUCTION_TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    name: "digits",
    preset: "standard",
    model: { kind: "mlp", inputShape: [64], hidden: [32], classCount: 10 },
    quantisation: { stepBits: 7, clipSteps: 1536 },
  },
};

describe("a round at production size", function () {
  this.timeout(240_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ specification: PRODUCTION_TASK, clients: 3 });
  });
  after(() => harness.close());

  it("trains, proves with the standard keys, finalises and passes the audit", async () => {
    const { layout, parameters } = harness.task;
    assert.deepEqual(
      [layout.preset.name, parameters.dimension, layout.chunks.map(({ kind }) => kind.name)],
      ["standard", 2410, ["chunk_2676x12"]],
    );
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.equal(records.settled!.included, 0b111n);
    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(audit.model!.state.weights.length, 2410);
  });
});
