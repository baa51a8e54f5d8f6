import assert from "node:assert/strict";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fork } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, it } from "mocha";
import { blockPath, blocksOfCar, fakePeers, rejectsWith, seededBytes, text, Workbench } from "./support.ts";

const MIB = 1_048_576;
const bench = new Workbench();
const files = {
  "model.safetensors": seededBytes(11, 3 * MIB + 17),
  "config.json": text('{"round":1}'),
  empty: new Uint8Array(0),
};
const LIMITS = { maxBytes: 8 * MIB };

describe("ipfs content store", () => {
  afterEach(() => bench.clear());

  it("returns what was put, also after reopening", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const cid = await store.putDirectory(files);
    await store.close();
    const reopened = await bench.store({ directory });
    for (const [name, bytes] of Object.entries(files)) {
      assert.deepEqual(Buffer.from(await reopened.getFile(cid, name, LIMITS)), Buffer.from(bytes), name);
    }
    const listed = await reopened.list(cid);
    assert.deepEqual(
      listed.map(({ name, sizeBytes }) => [name, sizeBytes]),
      [
        ["config.json", 11],
        ["empty", 0],
        ["model.safetensors", 3 * MIB + 17],
      ],
    );
    assert.deepEqual(await reopened.pins(), [cid]);
    assert.equal(await reopened.has(cid), true);
  });

  it("gives the same CID for the same content and keeps one pin for it", async () => {
    const store = await bench.store();
    const [first, second] = await Promise.all([store.putDirectory(files), store.putDirectory({ ...files })]);
    assert.equal(first, second);
    assert.deepEqual(await store.pins(), [first]);
  });

  it("keeps every pin when directories are put side by side", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const cids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.putDirectory({ a: text(`${index}`) })),
    );
    await store.close();
    assert.deepEqual(await (await bench.store({ directory })).pins(), [...cids].sort());
  });

  it("names a missing entry and refuses files above the caller's limit", async () => {
    const store = await bench.store();
    const cid = await store.putDirectory(files);
    for (const name of ["absent", "", "../config.json", "config.json/", "__proto__", "toString"]) {
      await rejectsWith(store.getFile(cid, name, LIMITS), "IPFS_NOT_FOUND");
    }
    await rejectsWith(store.getFile(cid, "model.safetensors", { maxBytes: 3 * MIB + 16 }), "IPFS_LIMIT_EXCEEDED");
    await rejectsWith(store.getFile(cid, "config.json", { maxBytes: 10 }), "IPFS_LIMIT_EXCEEDED");
    assert.equal((await store.getFile(cid, "config.json", { maxBytes: 11 })).length, 11);
  });

  it("detects a flipped bit or a cut in every block on disk, and heals from a peer", async () => {
    const directory = await bench.folder();
    const source = await bench.store();
    const cid = await source.putDirectory(files);
    const blocks = blocksOfCar(await source.exportCar(cid));
    assert.equal(blocks.size, 8); // a directory, a file node, 4 leaves, 2 small files
    const peers: string[] = [];
    const { fetch } = fakePeers({ "http://peer.example": blocks });
    const store = await bench.store({ directory, peers: () => peers, fetch });
    await store.importCar(await source.exportCar(cid), cid);
    for (const [blockCid, bytes] of blocks) {
      const path = blockPath(directory, blockCid);
      const damages = [
        async () => writeFile(path, flipBit(bytes, Math.floor(bytes.length / 2))),
        async () => (bytes.length === 0 ? writeFile(path, "x") : truncate(path, bytes.length - 1)),
        async () => writeFile(path, new Uint8Array(3 * MIB)),
        async () => rm(path),
      ];
      for (const damage of damages) {
        await damage();
        assert.equal(await store.has(cid), false);
        assert.equal(await store.getLocalBlock(blockCid), undefined);
        await rejectsWith(store.exportCar(cid), "IPFS_UNAVAILABLE");
        peers.push("http://peer.example");
        await store.pin(cid);
        peers.pop();
        assert.equal(await store.has(cid), true);
        assert.deepEqual(new Uint8Array(await readFile(path)), bytes);
      }
    }
  });

  it("removes what an interrupted write left behind", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const cid = await store.putDirectory(files);
    await store.close();
    await writeFile(join(directory, "tmp", "0123"), "half a block");
    const reopened = await bench.store({ directory });
    assert.deepEqual(await readdir(join(directory, "tmp")), []);
    assert.equal(await reopened.has(cid), true);
  });

  it("is open once at a time, here or in another process", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    await rejectsWith(bench.store({ directory }), "STORAGE_LOCKED");
    await store.close();
    const writer = fork(new URL("./writer.ts", import.meta.url), [directory], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    await once(writer, "message");
    const error = await rejectsWith(bench.store({ directory }), "STORAGE_LOCKED");
    assert.ok(error.message.includes(directory) && error.message.includes(String(writer.pid)), error.message);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    await bench.store({ directory });
  });

  it("leaves no temporary file and no name from a DAG on disk", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    await store.putDirectory({ "..%2f..%2fetc": text("x"), "<script>": text("y") });
    const names = await readdir(directory, { recursive: true });
    assert.deepEqual(
      names.filter(
        (name) => !/^(tmp|store\.lock|pins\.json|blocks(\/[A-Z2-7]{2}(\/B[A-Z2-7]{55}\.data)?)?)$/.test(name),
      ),
      [],
    );
  });

  it("still serves every pinned directory after being killed at any moment of writing", async function () {
    this.timeout(60_000);
    const directory = await bench.folder();
    for (let run = 0; run < 8; run += 1) {
      const writer = fork(new URL("./writer.ts", import.meta.url), [directory, String(run)], {
        execArgv: ["--disable-warning=ExperimentalWarning"],
      });
      const confirmed: string[] = [];
      writer.on("message", (cid) => confirmed.push(String(cid)));
      await once(writer, "message");
      await new Promise((resolve) => setTimeout(resolve, run * 7));
      writer.kill("SIGKILL");
      await once(writer, "exit");
      const store = await bench.store({ directory });
      const pins = await store.pins();
      for (const cid of confirmed) assert.ok(pins.includes(cid), "a confirmed directory is pinned");
      for (const cid of pins) assert.equal(await store.has(cid), true, "a pinned directory is complete");
      await store.close();
    }
  });

  it("reports a damaged list of pins and a disk that refuses", async () => {
    const directory = await bench.folder();
    for (const damaged of ["", "{", "{}", '["../../etc"]', "[null]"]) {
      await writeFile(join(directory, "pins.json"), damaged);
      await rejectsWith(bench.store({ directory }), "IPFS_STORE_CORRUPT");
    }
    assert.deepEqual((await readdir(directory)).includes("store.lock"), false, "the lock is free again");
    await rejectsWith(bench.store({ directory: "/proc/version/x" }), "IPFS_STORE_FAILED");
    const blocked = await bench.folder();
    const store = await bench.store({ directory: blocked });
    await rm(join(blocked, "blocks"), { recursive: true });
    await writeFile(join(blocked, "blocks"), "a file where a folder should be");
    await rejectsWith(store.putDirectory(files), "IPFS_STORE_FAILED");
  });
});

function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  const damaged = Uint8Array.from(bytes.length === 0 ? [0] : bytes);
  damaged[at] = (damaged[at] ?? 0) ^ 1;
  return damaged;
}
