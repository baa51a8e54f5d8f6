import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { RoundResult } from "../../chain/task-chain.ts";
import { digestHexOfCid } from "../../content/cid.ts";
import { buildDirectory } from "../../content/profile.ts";
import { createContentStore } from "../../content/store.ts";
import type { ContentStore } from "../../content/store.ts";
import { encodeRecord } from "../../storage/durable-file.ts";
import type { PruningDependencies } from "../../task/pruning.ts";
import { KEEP, PruningBench, textOf } from "../support/pruning-bench.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** Directories that one account may store in one round. */
const UPLOADS = 8;

const names = (count: number, name: string): readonly string[] => Array.from({ length: count }, () => name);

/** A store with directories of one file each, of these names. */
async function inMemory(files: readonly string[]): Promise<PruningDependencies["store"]> {
  const blocks = new Map<string, Uint8Array>();
  for (const [i, name] of files.entries()) {
    const { root, blocks: built } = await buildDirectory({ [name]: textOf(String(i)) });
    blocks.set(root.toString(), built.at(-1)!.bytes);
  }
  return {
    getLocalBlock: async (cid) => blocks.get(cid),
    roots: async () => [...blocks.keys()],
    pins: async () => [...blocks.keys()],
    remove: async (cids) => cids.forEach((cid) => blocks.delete(cid)),
  };
}

describe("bundles and sums that no transaction ever named", function () {
  this.timeout(60_000);
  let peer: ContentStore | undefined;
  let bench: PruningBench;
  let store: ContentStore;
  beforeEach(async () => {
    peer = undefined;
    bench = await PruningBench.open(() => peer);
    ({ store } = bench);
  });
  afterEach(() => bench.close());

  const bundle = (label: string, into = store): Promise<string> => bench.bundle(label, into);
  const pass = (rounds: number, prune: () => Promise<void>): Promise<void> => bench.pass(rounds, prune);
  /** Directories of somebody else, of which the node reads the first file. */
  const read = async (...directories: readonly Readonly<Record<string, string>>[]): Promise<string[]> => {
    const publisher = await PruningBench.open();
    peer = publisher.store;
    const cids = await Promise.all(directories.map((files) => publisher.put(files)));
    for (const [i, files] of directories.entries())
      await store.getFile(cids[i]!, Object.keys(files)[0]!, { maxBytes: 1000 });
    peer = undefined;
    await publisher.close();
    return cids;
  };
  const uploads = (label: string): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: UPLOADS }, (_, i) =>
        i % 2 === 0 ? bundle(`${label} ${i}`) : bench.put({ "share-sum.bin": `${label} ${i}` }),
      ),
    );
  it("go once the round in which the node saw them first is due, round after round, whenever it is started again", async () => {
    let prune = bench.pruner();
    const left: number[] = [];
    for (let round = 1; round <= 3 * KEEP; round++) {
      await uploads(`before ${round}`);
      bench.open();
      if (round % 2 === 0) prune = bench.pruner();
      await prune();
      left.push((await store.pins()).length);
    }
    assert.ok(
      left.every((pins) => pins <= (KEEP + 1) * UPLOADS),
      left.join(),
    );
    await pass(KEEP + 1, prune);
    assert.deepEqual(await store.pins(), []);
    assert.deepEqual([...(await bench.seen())], []);
  });

  it("stay for the rounds that are kept", async () => {
    const prune = bench.pruner();
    bench.open();
    const early = await bundle("early");
    await prune();
    await pass(KEEP, prune);
    assert.equal(await store.has(early), true);
    await pass(1, prune);
    assert.equal(await store.has(early), false);
  });

  it("count as seen in the last round that a client may have made them for", async () => {
    const aheadRounds = 2 * KEEP;
    const prune = bench.pruner({ aheadRounds });
    bench.open();
    const prepared = await bundle("prepared");
    await prune();
    const after = [];
    for (let round = 0; round < aheadRounds + KEEP + 1; round++) {
      await pass(1, prune);
      after.push(await store.has(prepared));
    }
    assert.deepEqual(
      after,
      after.map((_, i) => i < aheadRounds + KEEP),
    );
  });

  it("are not taken for older than they are where an endpoint lags far behind", async () => {
    const prune = bench.pruner();
    await pass(4 * KEEP, prune);
    const { present } = bench;
    const fresh = await bundle("of the present round");
    bench.present = 2n;
    await prune();
    bench.present = present;
    await pass(KEEP, prune);
    assert.equal(await store.has(fresh), true);
    await pass(2, prune);
    assert.equal(await store.has(fresh), false);
  });

  it("are not what a round names that is kept, though they lay here long before, until that round is due", async () => {
    const early = await bundle("early");
    const prune = bench.pruner();
    await pass(KEEP + 1, prune);
    bench.open(early);
    const after = [];
    for (let round = 0; round <= KEEP + 1; round++) {
      await prune();
      after.push(await store.has(early));
      bench.open();
    }
    assert.deepEqual(after, [...Array.from({ length: KEEP + 1 }, () => true), false]);
  });

  it("are not what an old round names and a round that is kept as well", async () => {
    const both = await bundle("both");
    bench.open(both);
    const prune = bench.pruner();
    await pass(KEEP, prune);
    bench.open(both);
    await prune();
    assert.equal(await store.has(both), true);
    await pass(KEEP + 1, prune);
    assert.equal(await store.has(both), false);
  });

  it("go as well if they come after the round that names them, or come again after they went", async () => {
    const other = await PruningBench.open();
    try {
      const named = await bundle("late", other.store);
      const prune = bench.pruner();
      bench.open(named);
      await pass(2 * KEEP, prune);
      for (let time = 0; time < 2; time++) {
        assert.equal(await bundle("late"), named);
        await prune();
        await pass(KEEP + 2, prune);
        assert.equal(await store.has(named), false);
      }
    } finally {
      await other.close();
    }
  });

  it("are told by all their files' names: nothing else goes, pinned by whomever, also a directory with some such names", async () => {
    const kept = await Promise.all([
      bench.put({ "state.bin": "model", "config.json": "{}" }),
      bench.put({ "aggregate.bin": "sum" }),
      bench.put({ "task.json": "{}" }),
      bench.put({ "manifest.json": "{}", "powers.bin": "powers" }),
      bench.put({ "seat-1.bin": "share", "state.bin": "model" }),
      bench.put({ "seat-5.bin": "of a larger committee" }),
      bench.put({ "share-sum.bin": "sum", "seat-1.bin": "share" }),
    ]);
    const prune = bench.pruner();
    await pass(3 * KEEP, prune);
    for (const cid of kept) assert.equal(await store.has(cid), true);
    assert.deepEqual([...(await bench.seen())], []);
  });

  it("take no block with them that an audit reads, though no pin names it", async () => {
    const [checkpoint, aggregate, sibling, genesis] = (await read(
      { "state.bin": "model", "config.json": "{}" },
      { "aggregate.bin": "sum" },
      { "aggregate.bin": "sum of another cell" },
      { "state.bin": "first model" },
    )) as [string, string, string, string];
    const limits = { maxBytes: 1000 };
    const resultOf = (modelCid: string, aggregateCid: string): RoundResult =>
      ({ modelCid: digestHexOfCid(modelCid), aggregateCid: digestHexOfCid(aggregateCid) }) as unknown as RoundResult;
    bench.results.push(resultOf(checkpoint, aggregate));
    bench.audited.push(genesis);
    const siblings = [{ look: async () => ({ results: () => [resultOf(checkpoint, sibling)] }) }];
    const [thief, other] = [
      await bench.put({ "seat-1.bin": "model", "seat-2.bin": "sum", "seat-3.bin": "first model" }),
      await bench.put({ "share-sum.bin": "sum of another cell" }),
    ];
    const prune = bench.pruner({ siblings });
    await prune();
    await pass(KEEP + 1, prune);
    assert.deepEqual([await store.has(thief), await store.has(other)], [false, false]);
    assert.equal((await store.getFile(checkpoint, "state.bin", limits)).length, 200);
    assert.equal((await store.getFile(aggregate, "aggregate.bin", limits)).length, 200);
    assert.equal((await store.getFile(sibling, "aggregate.bin", limits)).length, 200);
    assert.equal((await store.getFile(genesis, "state.bin", limits)).length, 200);
  });

  it("go if the node only read them from others", async () => {
    const [sum] = (await read({ "share-sum.bin": "another cell's" })) as [string];
    const prune = bench.pruner();
    await prune();
    assert.equal(await store.has(sum), true);
    await pass(KEEP + 1, bench.pruner());
    assert.equal(await store.has(sum), false);
  });

  it("go whatever their files are called where the node only read them, named by a transaction or by none", async () => {
    const [released, submitted] = (await read(
      { "share-sum.bin": "sum", "state.bin": "of a member that fills disks" },
      { "seat-1.bin": "share", "state.bin": "of its friend" },
    )) as [string, string];
    bench.open(submitted);
    const prune = bench.pruner();
    await prune();
    for (const cid of [released, submitted]) assert.ok((await store.getLocalBlock(cid)) !== undefined);
    await pass(KEEP + 1, bench.pruner());
    for (const cid of [released, submitted]) assert.equal(await store.getLocalBlock(cid), undefined);
    assert.deepEqual(await store.roots(), []);
  });

  it("go though another root of the store cannot be read", async () => {
    const many = await inMemory(["state.bin", "seat-1.bin"]);
    const [broken] = await many.roots();
    const prune = bench.pruner({
      store: {
        ...many,
        getLocalBlock: (cid) => (cid === broken ? Promise.reject(new Error("another hash")) : many.getLocalBlock(cid)),
      },
    });
    for (let round = 0; round < 2 * KEEP; round++) {
      await prune().catch(() => undefined);
      bench.open();
    }
    assert.deepEqual(await many.roots(), [broken]);
  });

  it("go later if the record of them is damaged, and no other directory goes for it", async () => {
    const model = await bench.put({ "state.bin": "model" });
    const early = await bundle("early");
    await pass(2, bench.pruner());
    const listing = (...cids: string[]): string => encodeRecord({ round: "0", seen: { "0": cids } });
    for (const damaged of ["", "{}", listing(early, "no CID"), listing(model)]) {
      await writeFile(bench.recordPath, damaged);
      await pass(1, bench.pruner());
      assert.equal(await store.has(early), true);
    }
    await pass(KEEP + 1, bench.pruner());
    assert.deepEqual(await store.pins(), [model]);
  });

  it("go by a record of the earlier form too, which lists sums alone", async () => {
    const sum = await bench.put({ "share-sum.bin": "sum" });
    await pass(KEEP + 2, async () => undefined);
    await mkdir(dirname(bench.recordPath), { recursive: true });
    await writeFile(bench.recordPath, encodeRecord({ round: "0", sums: { "1": [sum] } }));
    await bench.pruner()();
    assert.equal(await store.has(sum), false);
  });

  it("are looked for once in a round, a few at a time, and each root is read once by a process", async () => {
    const many = await inMemory([...names(600, "state.bin"), ...names(1, "seat-1.bin")]);
    const read: string[] = [];
    let listed = 0;
    const prune = bench.pruner({
      store: {
        ...many,
        getLocalBlock: (cid) => {
          read.push(cid);
          return many.getLocalBlock(cid);
        },
        roots: () => {
          listed++;
          return many.roots();
        },
      },
    });
    const reads: number[] = [];
    for (let step = 0; step < 6; step++) {
      const before = read.length;
      await prune();
      reads.push(read.length - before);
    }
    assert.deepEqual(reads, [256, 256, 89, 0, 0, 0]);
    assert.equal(listed, 1);
    assert.deepEqual([...read].sort(), [...(await many.roots())].sort());
    await pass(KEEP, prune);
    assert.equal(read.length, 601);
    assert.equal(listed, 1 + KEEP);
  });

  it("go a few hundred at a time", async () => {
    const many = await inMemory(names(300, "seat-1.bin"));
    const prune = bench.pruner({ store: many });
    for (let step = 0; step < 2; step++) await prune();
    await pass(KEEP + 1, prune);
    assert.equal((await many.roots()).length, 300 - 256);
    await prune();
    assert.deepEqual(await many.roots(), []);
  });

  it("are all that the record lists: what the chain names takes no place in it", async () => {
    const prune = bench.pruner();
    for (let round = 1; round <= 2 * KEEP; round++) {
      await bundle(`unnamed ${round}`);
      await bench.play();
      bench.said.clear();
      await prune();
      const listed = [...(await bench.seen()).values()].flat();
      assert.equal(listed.length, Math.min(round, KEEP + 1));
    }
  });

  it("do not keep others from going where a store does not list what it has", async () => {
    const named = await bundle("named");
    let asked = 0;
    const prune = bench.pruner({
      store: {
        ...store,
        roots: () => {
          asked++;
          return Promise.reject(new Error("no list"));
        },
      },
    });
    bench.open(named);
    for (let round = 0; round < KEEP + 2; round++) {
      await assert.rejects(prune(), /no list/);
      await prune();
      bench.open();
    }
    assert.equal(await store.has(named), false);
    assert.equal(asked, KEEP + 2);
  });

  it("are found by a process that starts on the store of another", async () => {
    await bundle("left by a client that was killed");
    await store.close();
    const again = await createContentStore({
      directory: join(bench.directory, "ipfs"),
      peers: () => [],
      reporter: createRecorder(),
    });
    try {
      const prune = bench.pruner({ store: again });
      await prune();
      await pass(KEEP + 1, prune);
      assert.deepEqual(await again.pins(), []);
    } finally {
      await again.close();
    }
  });
});
