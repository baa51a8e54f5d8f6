import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { RoundRecords } from "../../chain/task-chain.ts";
import { digestHexOfCid } from "../../content/cid.ts";
import { createContentStore } from "../../content/store.ts";
import type { ContentStore } from "../../content/store.ts";
import { readRecordOrNull } from "../../storage/durable-file.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import type { Statement } from "../../task/statements.ts";
import { createPruner } from "../../task/pruning.ts";
import type { PruningDependencies } from "../../task/pruning.ts";
import { word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

const ROUNDS = 50;
const KEEP = 3;

describe("what rounds leave at a node", function () {
  this.timeout(60_000);
  let directory: string;
  let store: ContentStore;
  let state: StateDirectory;
  let present = 0n;
  const records = new Map<bigint, RoundRecords>();
  /** What members said besides, of whose sums no result is made. */
  const said = new Map<bigint, readonly Statement[]>();
  const reporter = createRecorder();
  const bytes = (label: string): Uint8Array => new TextEncoder().encode(label.padEnd(200, "."));
  const put = (files: Record<string, string>): Promise<string> =>
    store.putDirectory(Object.fromEntries(Object.entries(files).map(([name, label]) => [name, bytes(label)])));
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-pruning-"));
    store = await createContentStore({ directory: join(directory, "ipfs"), peers: () => [], reporter });
    state = await openStateDirectory(join(directory, "state"));
    records.clear();
    said.clear();
    present = 0n;
  });
  afterEach(async () => {
    await store.close();
    await state.release();
    await rm(directory, { recursive: true, force: true });
  });

  const pruner = (): (() => Promise<void>) =>
    createPruner({
      ...{ store, state, scope: "scope", committeeSize: 4, keepRounds: KEEP, reporter },
      board: { of: (round) => said.get(round) ?? [] },
      chain: {
        round: () => Promise.resolve({ number: present }),
        records: (round: bigint) => Promise.resolve(records.get(round)!),
      } as unknown as PruningDependencies["chain"],
    });

  /** A round of three clients and some releases, two of which a result names; the first client may name another CID. */
  async function play(
    forged?: string,
    released = 2,
  ): Promise<{ readonly checkpoint: string; readonly aggregate: string }> {
    present += 1n;
    const label = `round ${present}`;
    const seats = Array.from({ length: released }, (_, i) => i + 1);
    const bundles = await Promise.all(
      [1, 2, 3].map((client) => put({ "seat-1.bin": `${label} ${client} a`, "seat-2.bin": `${label} ${client} b` })),
    );
    const sums = await Promise.all(seats.map((seat) => put({ "share-sum.bin": `${label} sum ${seat}` })));
    const statements = sums.map((cid) => ({ kind: "release", releaseCid: digestHexOfCid(cid) }));
    said.set(present, statements as unknown as readonly Statement[]);
    const submitted = [forged ?? bundles[0]!, ...bundles.slice(1)];
    records.set(present, {
      submitted: submitted.map((cid) => ({ submission: { sharesCid: digestHexOfCid(cid) } })),
      released: sums.slice(0, 2).map((cid) => ({ releaseCid: digestHexOfCid(cid) })),
    } as unknown as RoundRecords);
    return {
      checkpoint: await put({ "state.bin": label, "config.json": label }),
      aggregate: await put({ "aggregate.bin": label }),
    };
  }

  it(`is bounded over ${ROUNDS} rounds but for checkpoints and aggregates, of which none is lost`, async () => {
    const prune = pruner();
    const kept: string[] = [];
    const files: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      kept.push(...Object.values(await play(undefined, 3)));
      await prune();
      files.push((await readdir("/proc/self/fd").catch(() => [])).length);
    }
    const pins = await store.pins();
    assert.equal(pins.length, kept.length + (KEEP + 1) * 6);
    for (const cid of kept) assert.equal(await store.has(cid), true);
    for (const cid of pins) assert.equal(await store.has(cid), true);
    assert.ok(files.at(-1)! <= files[5]! + 2, `${files[5]} descriptors, then ${files.at(-1)}`);
  });

  it("remembers no sums of a seat but those that are here, however many it signs, also of a round just over", async () => {
    await play(undefined, 3);
    const ended = said.get(1n)!;
    const prune = pruner();
    for (let look = 0; look < 20; look++) {
      const signed = { kind: "release", releaseCid: word(`release ${look}`) } as unknown as Statement;
      said.set(1n, [signed, ...(look < 10 ? [] : ended)]);
      present = look < 10 ? 1n : 2n;
      await prune();
    }
    const kept = (await readRecordOrNull(state.file("scope", "pruned.json"))) as {
      readonly sums: Readonly<Record<string, readonly string[]>>;
    };
    assert.deepEqual(
      Object.entries(kept.sums).map(([round, cids]) => [round, cids.length]),
      [["1", 3]],
    );
  });

  it("is removed by a node that starts late or lost its record as well, and nothing a client only names is", async () => {
    const first = await play();
    for (let round = 0; round < 11; round++) await play(round === 0 ? first.checkpoint : first.aggregate);
    for (const damaged of [undefined, "", "{}"]) {
      if (damaged !== undefined) await writeFile(state.file("scope", "pruned.json"), damaged);
      const prune = pruner();
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
