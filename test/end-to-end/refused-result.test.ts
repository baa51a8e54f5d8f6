/** A result that the contract refuses, again and again: by real roles, over a chain. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
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

  it("is judged by a member eight times for one account, however many nodes that announces, and the right one is signed", async () => {
    const { aggregator, members } = harness;
    const [member, ...others] = members;
    await harness.play(["Aggregating"], 3n);
    for (const other of others) await other.step();
    await aggregator.step();
    const url = `${aggregator.url}/v1/proposals/3`;
    const offered = (await (await fetch(url)).json()) as { readonly result: object };
    const nodes = Array.from({ length: 12 }, (_, i) => `http://node-${i}.example`);
    /** How often each false one was served: after the second time its account announces another node. */
    const served = new Map<string, number>();
    const isGone = (node: string): boolean => (served.get(node) ?? 0) >= 2;
    const serveFalse: typeof fetch = (input, init) => {
      const asked = input instanceof Request ? input.url : String(input);
      const node = nodes.find((name) => asked.startsWith(`${name}/`));
      if (node === undefined) return fetch(input, init);
      served.set(node, (served.get(node) ?? 0) + 1);
      const result = { ...offered.result, modelCid: word(`false ${node}`) };
      return Promise.resolve(Response.json({ ...offered, result }));
    };
    member!.restart((deps) => ({
      ...deps,
      nodes: () => [...nodes.filter((node) => !isGone(node)), aggregator.url],
      announcersOf: (node) => [node === aggregator.url ? "its operator" : isGone(node) ? node : "one account"],
      fetch: serveFalse,
    }));
    for (let look = 0; look < 4; look++) await member!.step();
    assert.equal(member!.reporter.facts("proposal-refused").length, 8);
    assert.equal(member!.reporter.facts("signed").length > 0, true);
    const end = await harness.play(["Finalised", "Aborted"], 3n);
    assert.deepEqual([end.number, end.phase], [3n, "Finalised"]);
  });
});
