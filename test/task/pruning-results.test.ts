/** Results that a node signed or proposed, and that did not become final. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import { createKuboStore } from "../../content/kubo.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { startFakeKubo } from "../content/fake-kubo.ts";
import { KEEP, PruningBench, textOf } from "../support/pruning-bench.ts";
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
    bench.forget();
    for (let round = 0; round < 3 * KEEP; round++) await bench.pass(1, bench.pruner());
    assert.deepEqual(await isHere(final), [[true, true]]);
    assert.deepEqual([...(await bench.listedResults())], []);
  });

  it("stay where it was the last round's, and no other one opened before an endpoint told otherwise", async () => {
    bench.open();
    const last = await bench.propose("last");
    const prune = bench.pruner();
    await prune();
    bench.finalise(last);
    bench.closed = bench.present;
    await prune();
    bench.forget();
    bench.closed = undefined;
    await bench.pass(3 * KEEP, bench.pruner());
    assert.deepEqual(await isHere(last), [[true, true]]);
  });

  it("go where a reorganisation took back what no final block had shown", async () => {
    const prune = bench.pruner();
    bench.open();
    const taken = await bench.propose("taken back");
    bench.finalise(taken);
    bench.closed = 0n;
    await bench.pass(1, prune);
    bench.forget();
    bench.closed = undefined;
    await bench.pass(KEEP + 2, prune);
    assert.deepEqual(await isHere(taken), [[false, false]]);
  });

  it("are those that the node made: what others pinned at its node stays, whatever that says of itself", async () => {
    bench.open();
    const precious = await bench.put({ "aggregate.bin": "another task's, final" });
    const lost = await bench.propose("lost");
    const config = JSON.stringify({ round: 1, aggregateCid: precious, task: { contract: "0x01" } });
    const forged = await bench.put({ "config.json": config, "state.bin": "", "model.safetensors": "" });
    await bench.pass(3 * KEEP, bench.pruner());
    assert.deepEqual(await isHere(lost), [[false, false]]);
    assert.deepEqual([await bench.store.has(precious), await bench.store.has(forged)], [true, true]);
  });

  it("are noted before they are stored, so that a process that dies between the two leaves nothing", async () => {
    bench.open();
    const dies = bench.record({ putDirectory: () => Promise.reject(new Error("killed")) });
    const files = { "aggregate.bin": textOf("sum") };
    const digest = await directoryDigest(files);
    const result = {
      signed: { modelCid: digest, aggregateCid: digest },
      checkpointFiles: files,
      aggregateFiles: files,
    };
    await assert.rejects(dies.store(1n, result), /killed/);
    assert.deepEqual([...(await bench.listedResults())], [["1", [cidFromDigest(digest)]]]);
    await bench.store.putDirectory(files);
    await bench.pass(KEEP + 1, bench.pruner());
    assert.deepEqual(await bench.store.pins(), []);
  });

  it("stay if the record of them is lost, and take no final one with them", async () => {
    bench.open();
    const [lost, final] = [await bench.propose("lost"), await bench.propose("final")];
    bench.finalise(final);
    await writeFile(bench.state.file("scope", "results.json"), "{");
    await bench.pass(3 * KEEP, bench.pruner());
    assert.deepEqual((await isHere(lost, final)).flat(), [true, true, true, true]);
  });

  it("are unpinned from a Kubo node", async () => {
    const node = await startFakeKubo();
    try {
      const store = await createKuboStore({ apiUrl: node.url, reporter: createRecorder() });
      bench.open();
      const lost = await bench.propose("lost", undefined, store);
      const final = await bench.propose("final", undefined, store);
      bench.finalise(final);
      assert.equal((await store.pins()).includes(lost.checkpoint), true);
      await bench.pass(KEEP + 2, bench.pruner({ store }));
      assert.deepEqual(await store.pins(), [final.aggregate, final.checkpoint].sort());
    } finally {
      await node.close();
    }
  });
});
