import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Statement } from "../../task/statements.ts";
import { KEEP, PruningBench } from "../support/pruning-bench.ts";
import { word } from "../support/random.ts";

const ROUNDS = 50;

describe("what rounds leave at a node", function () {
  this.timeout(60_000);
  let bench: PruningBench;
  beforeEach(async () => {
    bench = await PruningBench.open();
  });
  afterEach(() => bench.close());

  it(`is bounded over ${ROUNDS} rounds but for checkpoints and aggregates, of which none is lost`, async () => {
    const { store } = bench;
    const prune = bench.pruner();
    const kept: string[] = [];
    const files: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { checkpoint, aggregate } = await bench.play(undefined, 3);
      kept.push(checkpoint, aggregate);
      await prune();
      files.push((await readdir("/proc/self/fd").catch(() => [])).length);
    }
    const pins = await store.pins();
    assert.equal(pins.length, kept.length + (KEEP + 1) * 6);
    for (const cid of kept) assert.equal(await store.has(cid), true);
    for (const cid of pins) assert.equal(await store.has(cid), true);
    assert.ok(files.at(-1)! <= files[5]! + 2, `${files[5]} descriptors, then ${files.at(-1)}`);
  });

  it("stays while a reorganisation may bring its round back", async () => {
    const prune = bench.pruner();
    await bench.play();
    const named = bench.named(1n);
    bench.closed = 0n;
    await bench.pass(3 * KEEP, prune);
    for (const cid of named) assert.equal(await bench.store.has(cid), true);
    bench.closed = undefined;
    await bench.pass(1, prune);
    for (const cid of named) assert.equal(await bench.store.has(cid), false);
  });

  it("remembers no sums of a seat but those that are here, however many it signs, also of a round just over", async () => {
    await bench.play(undefined, 3);
    const { said } = bench;
    const ended = said.get(1n)!;
    const prune = bench.pruner();
    for (let look = 0; look < 20; look++) {
      const signed = { kind: "release", releaseCid: word(`release ${look}`) } as unknown as Statement;
      said.set(1n, [signed, ...(look < 10 ? [] : ended)]);
      bench.present = look < 10 ? 1n : 2n;
      await prune();
    }
    assert.deepEqual(
      [...(await bench.seen())].map(([round, cids]) => [round, cids.length]),
      [["1", 3]],
    );
  });

  it("is removed by a node that starts late or lost its record as well, and nothing a client only names is", async () => {
    const { store } = bench;
    const first = await bench.play();
    for (let round = 0; round < 11; round++) await bench.play(round === 0 ? first.checkpoint : first.aggregate);
    for (const damaged of [undefined, "", "{}"]) {
      if (damaged !== undefined) await writeFile(bench.recordPath, damaged);
      const prune = bench.pruner();
      for (let step = 0; step < 3; step++) await prune();
    }
    assert.equal(await store.has(first.checkpoint), true);
    assert.equal(await store.has(first.aggregate), true);
    const sums = (await Promise.all((await store.pins()).map((cid) => store.list(cid)))).filter((entries) =>
      entries.some(({ name }) => name === "share-sum.bin"),
    );
    assert.equal(sums.length, (KEEP + 1) * 2);
  });
});
