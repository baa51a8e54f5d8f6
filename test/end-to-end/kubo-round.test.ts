import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { cidFromDigest } from "../../content/cid.ts";
import { KUBO, startKubo } from "../support/kubo.ts";
import type { Kubo } from "../support/kubo.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

/** Roles that keep their content in a Kubo node of their own; the nodes know nothing of one another. */
const ON_KUBO = ["aggregator", "member-1", "client-1"] as const;

(KUBO === undefined ? describe.skip : describe)(
  "rounds of roles that keep their content in Kubo (needs IPFS_KUBO_BIN or ipfs in PATH)",
  function () {
    this.timeout(300_000);
    const nodes = new Map<string, Kubo>();
    let harness: RoundHarness;
    before(async () => {
      for (const role of ON_KUBO) nodes.set(role, await startKubo());
      const ipfsApis = Object.fromEntries([...nodes].map(([role, { apiUrl }]) => [role, apiUrl]));
      harness = await startHarness({ clients: 3, ipfsApis });
    });
    after(async () => {
      await (harness as RoundHarness | undefined)?.close();
      for (const node of nodes.values()) await node.close();
    });

    it("end with a model that an auditor recomputes, each node holding what its role needs, imported by nobody", async () => {
      for (const round of [1n, 2n]) {
        const { state, records } = await harness.playRound();
        assert.deepEqual([state.number, state.phase], [round, "Finalised"]);
        assert.equal(records.settled!.included, 0b111n);
        assert.ok(
          records.released.some(({ seat }) => seat === 1),
          "the member on Kubo released",
        );
      }
      const audit = await harness.audit();
      assert.deepEqual(
        audit.findings.filter(({ ok }) => !ok),
        [],
      );
      const { task } = harness;
      const model = cidFromDigest((await harness.operator.latestModel()).cid);
      for (const role of ON_KUBO)
        await assert.rejects(access(join(harness.directory, role, "ipfs")), { code: "ENOENT" });
      const { aggregator, members } = harness;
      assert.equal(await aggregator.node.store.has(model), true);
      for (const { store } of [aggregator.node, members[0]!.node])
        assert.ok((await store.pins()).includes(model), "a copy is pinned");
      const genesis = cidFromDigest(task.parameters.genesisCid);
      const served = await fetch(`${aggregator.url}/ipfs/${genesis}?format=car`);
      assert.equal(served.status, 200, "the aggregator's gateway serves what its Kubo node holds");
    });
  },
);
