/** Bundles and sums that no transaction ever named, at a role whose content lies with a Kubo node. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createKuboStore } from "../../content/kubo.ts";
import type { ContentStore } from "../../content/store.ts";
import { startFakeKubo } from "../content/fake-kubo.ts";
import { KEEP, PruningBench } from "../support/pruning-bench.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("bundles and sums at a Kubo node", function () {
  this.timeout(60_000);
  let bench: PruningBench;
  beforeEach(async () => {
    bench = await PruningBench.open();
  });
  afterEach(() => bench.close());

  const bundle = (label: string, into: ContentStore): Promise<string> =>
    bench.put({ "seat-1.bin": `${label} a`, "seat-3.bin": `${label} b` }, into);
  /** Opens rounds, and lets the node look at each. */
  const pass = async (rounds: number, prune: () => Promise<void>): Promise<void> => {
    for (let i = 0; i < rounds; i++) {
      bench.open();
      await prune();
    }
  };

  it("are unpinned from a Kubo node, whose owner's other pins stay", async () => {
    const node = await startFakeKubo();
    try {
      const kubo = await createKuboStore({ apiUrl: node.url, reporter: createRecorder() });
      const own = await bench.put({ "photo.jpg": "of the owner" }, kubo);
      const junk = await bundle("junk", kubo);
      assert.deepEqual([...(await kubo.pins())].sort(), [own, junk].sort());
      const prune = bench.pruner({ store: kubo });
      await prune();
      await pass(KEEP + 1, prune);
      assert.deepEqual(await kubo.pins(), [own]);
    } finally {
      await node.close();
    }
  });

  it("go from a Kubo node whose owner pinned a larger block than any of a task's, which stays", async () => {
    const node = await startFakeKubo();
    try {
      const kubo = await createKuboStore({ apiUrl: node.url, reporter: createRecorder() });
      const own = await bench.put({ "photo.jpg": "of the owner" }, kubo);
      node.blocks.set(own, new Uint8Array(3 * 2 ** 20));
      await bundle("junk", kubo);
      const prune = bench.pruner({ store: kubo });
      await prune();
      await pass(KEEP + 1, prune);
      assert.deepEqual(await kubo.pins(), [own]);
    } finally {
      await node.close();
    }
  });
});
