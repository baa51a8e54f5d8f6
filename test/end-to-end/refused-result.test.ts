/** A result that the contract refuses, again and again: by real roles, over a chain. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

describe("a result that the contract refuses", function () {
  this.timeout(240_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: 3, learning: "scripted" });
  });
  after(() => harness?.close());

  it("is named and tried again until the round's end, and keeps neither that round open nor the next one closed", async () => {
    const { aggregator, members, operator } = harness;
    const revert = new VerisumError("CHAIN_REVERTED", "finalize", { error: "VerisumSignatureInvalid" });
    const chain = aggregator.node.chain as { finalize: TaskWriter["finalize"] };
    const { finalize } = chain;
    chain.finalize = () => Promise.reject(revert);
    const state = await harness.play(["Aggregating"], 1n);
    for (let turn = 0; turn < 2; turn++) {
      for (const member of members) await member.step();
      if (turn === 0) await aggregator.step();
    }
    for (let call = 0; call < 2; call++) await rejectsCode(aggregator.step(), "CHAIN_REVERTED");
    await harness.passTime(state);
    assert.equal(await aggregator.step(), true);
    assert.equal((await operator.round()).phase, "Aborted");
    chain.finalize = finalize;
    const next = await harness.play(["Finalised", "Aborted"], 2n);
    assert.deepEqual([next.number, next.phase], [2n, "Finalised"]);
  });
});
