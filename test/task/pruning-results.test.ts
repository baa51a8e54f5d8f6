/** Results that a node signed or proposed, and that did not become final. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createKuboStore } from "../../content/kubo.ts";
import { CHECKPOINT_FILES, mostConfigBytes } from "../../task/checkpoint.ts";
import type { PruningDependencies } from "../../task/pruning.ts";
import { startFakeKubo } from "../content/fake-kubo.ts";
import { KEEP, OF_TASK, PruningBench } from "../support/pruning-bench.ts";
import type { PlayedRound } from "../support/pruning-bench.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("results that did not become final", function () {
  this.timeout(60_000);
  let bench: PruningBench;
  beforeEach(async () => {
    bench = await PruningBench.open();
  });
  afterEach(() => bench.close());

  const isHere = async (...results: readonly PlayedRound[]): Promise<readonly (readonly boolean[])[]> => {
    const here = results.map(({ checkpoint, aggregate }) =>
      Promise.all([checkpoint, aggregate].map((cid) => bench.store.has(cid))),
    );
    return Promise.all(here);
  };

  it("go with the round's bundles, whenever the node is started again; the final one stays", async () => {
    let prune = bench.pruner();
    bench.open();
    const [lost, final] = [await bench.propose("lost"), await bench.propose("final")];
    bench.finalise(final);
    for (let round = 0; round < KEEP; round++) {
      prune = bench.pruner();
      await bench.pass(1, prune);
      assert.deepEqual(await isHere(lost, final), [
        [true, true],
        [true, true],
      ]);
    }
    await bench.pass(1, prune);
    assert.deepEqual(await isHere(lost, final), [
      [false, false],
      [true, true],
    ]);
    assert.deepEqual([...(await bench.listedResults())], []);
  });

  it("leave an aggregate that the final result has as well, and all blocks of it", async () => {
    bench.open();
    const [lost, final] = [await bench.propose("claims more", "sum"), await bench.propose("final", "sum")];
    bench.finalise(final);
    await bench.pass(KEEP + 2, bench.pruner());
    assert.equal(lost.aggregate, final.aggregate);
    assert.deepEqual(await isHere(lost, final), [
      [false, true],
      [true, true],
    ]);
  });

  it("leave the aggregate of the round that is open, which starts from the same model with the same clients", async () => {
    const prune = bench.pruner();
    bench.open();
    const aborted = await bench.propose("aborted", "sum");
    await bench.pass(KEEP, prune);
    bench.open();
    const repeated = await bench.propose("repeated", "sum");
    await prune();
    assert.deepEqual(await isHere(aborted, repeated), [
      [false, true],
      [true, true],
    ]);
    await bench.pass(KEEP + 1, prune);
    assert.deepEqual(await isHere(repeated), [[false, false]]);
  });

  it("stay while a reorganisation may still make their round final", async () => {
    const prune = bench.pruner();
    bench.open();
    const late = await bench.propose("late");
    bench.closed = 0n;
    await bench.pass(3 * KEEP, prune);
    assert.deepEqual(await isHere(late), [[true, true]]);
    bench.finalise(late);
    bench.closed = undefined;
    await bench.pass(1, prune);
    assert.deepEqual(await isHere(late), [[true, true]]);
  });

  it("stay where a look showed them as final, whatever an endpoint says later of that round", async () => {
    bench.open();
    const final = await bench.propose("final");
    bench.finalise(final);
    await bench.pass(1, bench.pruner());
    // The round was aborted, it says now, and its bundles are due.
    bench.results.length = 0;
    for (let round = 0; round < 3 * KEEP; round++) await bench.pass(1, bench.pruner());
    assert.deepEqual(await isHere(final), [[true, true]]);
    assert.deepEqual([...(await bench.listedResults())], []);
  });

  it("are known though their checkpoint was read in parts, before the node pinned it", async () => {
    const publisher = await PruningBench.open();
    publisher.open();
    const { checkpoint, aggregate } = await publisher.propose("read before");
    const root = await publisher.store.getLocalBlock(checkpoint);
    let isPinned = false;
    const store: PruningDependencies["store"] = {
      ...publisher.store,
      roots: async () => [checkpoint, aggregate],
      pins: async () => (isPinned ? [checkpoint, aggregate] : []),
      getLocalBlock: async (cid) =>
        isPinned ? publisher.store.getLocalBlock(cid) : cid === checkpoint ? root : undefined,
    };
    const prune = bench.pruner({ store });
    await bench.pass(1, prune);
    isPinned = true;
    await bench.pass(1, prune);
    assert.deepEqual([...(await bench.listedResults()).values()].flat(), [checkpoint, aggregate]);
    await publisher.close();
  });

  it("are not looked for in a file that is larger than any checkpoint's", async () => {
    const large = { ...Object.fromEntries(CHECKPOINT_FILES.map((name) => [name, new Uint8Array(1)])) };
    const cid = await bench.store.putDirectory({ ...large, "config.json": new Uint8Array(mostConfigBytes(1) + 1) });
    const read: string[] = [];
    const getLocalBlock = (block: string): Promise<Uint8Array | undefined> => {
      read.push(block);
      return bench.store.getLocalBlock(block);
    };
    await bench.pass(2, bench.pruner({ store: { ...bench.store, getLocalBlock } }));
    assert.deepEqual(new Set(read).size <= 2, true, `read ${new Set(read).size} blocks of ${cid}`);
  });

  it("are the task's own: another task's stay, and so does what only has such names", async () => {
    bench.open();
    const others = await Promise.all(
      [{ contract: "0x02" }, { chainId: "2" }, { taskCid: "bafk" }].map((other, i) =>
        bench.propose(`other ${i}`, `other ${i}`, { ...OF_TASK, ...other }),
      ),
    );
    const unread = await bench.put({
      "config.json": "{",
      "model.safetensors": "",
      "state.bin": "",
      "topology.json": "",
    });
    const sum = await bench.put({ "aggregate.bin": "of nobody" });
    await bench.pass(3 * KEEP, bench.pruner());
    assert.deepEqual(
      (await isHere(...others)).flat(),
      Array.from({ length: 6 }, () => true),
    );
    assert.deepEqual([await bench.store.has(unread), await bench.store.has(sum)], [true, true]);
  });

  it("are unpinned from a Kubo node", async () => {
    const node = await startFakeKubo();
    try {
      const store = await createKuboStore({ apiUrl: node.url, reporter: createRecorder() });
      bench.open();
      const lost = await bench.propose("lost", "lost", OF_TASK, store);
      const final = await bench.propose("final", "final", OF_TASK, store);
      bench.finalise(final);
      assert.equal((await store.pins()).includes(lost.checkpoint), true);
      await bench.pass(KEEP + 2, bench.pruner({ store }));
      assert.deepEqual(await store.pins(), [final.aggregate, final.checkpoint].sort());
    } finally {
      await node.close();
    }
  });
});
