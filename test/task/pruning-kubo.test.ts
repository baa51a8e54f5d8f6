/** Bundles and sums that no transaction ever named, at a role whose content lies with a Kubo node. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createKuboStore } from "../../content/kubo.ts";
import type { ContentStore } from "../../content/store.ts";
import { startFakeKubo } from "../content/fake-kubo.ts";
import { rejectsCode } from "../support/errors.ts";
import { KEEP, PruningBench } from "../support/pruning-bench.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("bundles and sums at a Kubo node", function () {
  this.timeout(60_000);
  let bench: PruningBench;
  let node: Awaited<ReturnType<typeof startFakeKubo>>;
  let kubo: ContentStore;
  /** What the node's owner pinned. */
  let own: string;
  beforeEach(async () => {
    bench = await PruningBench.open();
    node = await startFakeKubo();
    kubo = await createKuboStore({ apiUrl: node.url, reporter: createRecorder() });
    own = await bench.put({ "photo.jpg": "of the owner" }, kubo);
  });
  afterEach(async () => {
    await node.close();
    await bench.close();
  });
  const passes = async (): Promise<void> => {
    const prune = bench.pruner({ store: kubo });
    await prune();
    await bench.pass(KEEP + 1, prune);
  };

  it("are unpinned from a Kubo node, whose owner's other pins stay", async () => {
    const junk = await bench.bundle("junk", kubo);
    assert.deepEqual([...(await kubo.pins())].sort(), [own, junk].sort());
    await passes();
    assert.deepEqual(await kubo.pins(), [own]);
  });

  it("go from a Kubo node whose owner pinned a larger block than any of a task's, which stays", async () => {
    node.blocks.set(own, new Uint8Array(3 * 2 ** 20));
    await bench.bundle("junk", kubo);
    await passes();
    assert.deepEqual(await kubo.pins(), [own]);
  });

  it("go though the node cannot read one of them, which is named, stays, and goes once it can be read", async () => {
    const [broken, named, dead] = [
      await bench.bundle("broken", kubo),
      await bench.bundle("named", kubo),
      await bench.bundle("no round's", kubo),
    ];
    node.unreadable.add(broken);
    const prune = bench.pruner({ store: kubo });
    bench.open(broken, named);
    await bench.pass(KEEP + 2, prune);
    assert.deepEqual([...(await kubo.pins())].sort(), [own, broken].sort());
    assert.deepEqual(
      bench.reporter.facts("root-unreadable").map(({ cid }) => cid),
      [broken],
    );
    assert.equal(node.blocks.has(dead), true);
    node.unreadable.clear();
    await bench.pass(KEEP + 2, prune);
    assert.deepEqual(await kubo.pins(), [own]);
  });

  it("stay all of them while the node is away, and go when it is back", async () => {
    const junk = await bench.bundle("junk", kubo);
    bench.open(junk);
    let isAway = true;
    const getLocalBlock = (cid: string): Promise<Uint8Array | undefined> => {
      for (const command of isAway ? ["block/get", "pin/ls"] : [])
        node.failNext.set(command, { status: 502, body: "" });
      return kubo.getLocalBlock(cid);
    };
    const prune = bench.pruner({ store: { ...kubo, getLocalBlock } });
    for (let round = 0; round < KEEP + 1; round++) bench.open();
    await rejectsCode(prune(), "IPFS_API_FAILED");
    assert.deepEqual(bench.reporter.facts("root-unreadable"), []);
    isAway = false;
    await prune();
    assert.deepEqual(await kubo.pins(), [own]);
  });
});
