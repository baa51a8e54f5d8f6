import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, rmdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fork } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, it } from "mocha";
import { encodeRecord } from "../../storage/durable-file.ts";
import { createRecorder } from "../support/round-recorder.ts";
import {
  blockPath,
  blocksOfCar,
  directoryOf,
  fakePeers,
  fileData,
  handCar,
  pbBlock,
  rawBlock,
  rejectsWith,
  seededBytes,
  text,
  Workbench,
} from "./support.ts";

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

  it("takes no file that is cut finer than its length needs, however many blocks a directory may have", async () => {
    const store = await bench.store();
    for (const [pieces, isTaken] of [
      [8, true],
      [9, false],
    ] as const) {
      const leaves = Array.from({ length: pieces }, (_, i) => rawBlock(seededBytes(i + 1, 1_000)));
      const links = leaves.map(({ cidBytes: cid }) => ({ cid, name: "", totalBytes: 1_000 }));
      const file = pbBlock(links, fileData(leaves.map(() => 1_000)));
      const root = directoryOf("share.bin", file);
      await store.importCar(handCar(root.cidBytes, [root, file, ...leaves]), root.cid);
      const reading = store.getFile(root.cid, "share.bin", { maxBytes: 9_000 });
      if (isTaken) assert.equal((await reading).length, 8_000);
      else await rejectsWith(reading, "IPFS_LIMIT_EXCEEDED");
    }
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

  it("makes a damaged list of pins again from the blocks, and says so", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const pins = [await store.putDirectory(files), await store.putDirectory({ other: text("x") })].sort();
    await store.close();
    const path = join(directory, "pins.json");
    const whole = await readFile(path);
    const damages = [
      ["empty", ""],
      ["truncated", whole.subarray(0, -9)],
      ["zeroed", new Uint8Array(whole.length)],
      ["flipped", flipBit(whole, whole.length - 12)],
      ["noise", "{"],
      ["another record", "{}"],
      ["no CIDs", '["../../etc"]'],
    ] as const;
    for (const [what, bytes] of damages) {
      await writeFile(path, bytes);
      const reporter = createRecorder();
      const healed = await bench.store({ directory, reporter });
      assert.deepEqual(await healed.pins(), pins, what);
      assert.equal(reporter.facts("pins-rebuilt").length, 1, what);
      await healed.close();
      assert.deepEqual(await readFile(path), whole, what);
    }
  });

  it("takes over the bare list of an earlier version, and leaves that of a later one as it is", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const cid = await store.putDirectory(files);
    await store.close();
    const path = join(directory, "pins.json");
    const whole = await readFile(path);
    await writeFile(path, `${JSON.stringify([cid], null, 1)}\n`);
    const older = await bench.store({ directory });
    assert.deepEqual(await older.pins(), [cid]);
    await older.close();
    assert.deepEqual(await readFile(path), whole);
    const later = encodeRecord({ version: 2, roots: {} });
    await writeFile(path, later);
    await writeFile(join(directory, "tmp", "kept"), "");
    await rejectsWith(bench.store({ directory }), "STORAGE_NEWER");
    assert.equal(await readFile(path, "utf8"), later);
    assert.deepEqual(await readdir(join(directory, "tmp")), ["kept"]);
  });

  it("removes directories, and no block that another pinned one needs", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const kept = await store.putDirectory({ "model.safetensors": files["model.safetensors"], note: text("kept") });
    const cid = await store.putDirectory(files);
    const shared = (await store.list(cid)).find(({ name }) => name === "model.safetensors")!.cid;
    const own = (await store.list(cid)).find(({ name }) => name === "config.json")!.cid;
    await store.remove([cid]);
    assert.deepEqual(await store.pins(), [kept]);
    assert.equal(await store.has(kept), true);
    assert.equal(await store.has(cid), false);
    assert.ok((await store.getLocalBlock(shared)) !== undefined);
    assert.equal(await store.getLocalBlock(own), undefined);
    await store.remove([cid]);
    await store.putDirectory(files);
    assert.equal(await store.has(cid), true);
    await store.remove([cid, kept]);
    const left = await readdir(join(directory, "blocks"), { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.endsWith(".data")),
      [],
    );
  });

  it("removes no block of a directory that is spared, though no pin names it", async () => {
    const blocks = new Map<string, Uint8Array>();
    const publisher = await bench.store();
    const read = await publisher.putDirectory({ "aggregate.bin": text("sum"), other: text("not read") });
    for (const [cid, bytes] of blocksOfCar(await publisher.exportCar(read))) blocks.set(cid, bytes);
    const { fetch } = fakePeers({ "http://a.example": blocks });
    const store = await bench.store({ peers: () => ["http://a.example"], fetch });
    await store.getFile(read, "aggregate.bin", { maxBytes: 100 });
    assert.deepEqual([await store.pins(), await store.roots()], [[], [read]]);
    const same = await store.putDirectory({ "share-sum.bin": text("sum"), own: text("own") });
    const own = (await store.list(same)).find(({ name }) => name === "own")!.cid;
    blocks.clear();
    await store.remove([same], [read]);
    assert.deepEqual([await store.getLocalBlock(own), await store.roots()], [undefined, [read]]);
    assert.deepEqual(Buffer.from(await store.getFile(read, "aggregate.bin", { maxBytes: 100 })), Buffer.from("sum"));
    await store.remove([read]);
    assert.deepEqual(await store.roots(), []);
    await rejectsWith(store.getFile(read, "aggregate.bin", { maxBytes: 100 }), "IPFS_UNAVAILABLE");
  });

  it("finds a directory again whose removal was cut short, and removes the rest", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const cid = await store.putDirectory(files);
    const leaf = blockPath(directory, (await store.list(cid)).find(({ name }) => name === "config.json")!.cid);
    await rm(leaf);
    await mkdir(leaf);
    await rejectsWith(store.remove([cid]), "IPFS_STORE_FAILED");
    await rmdir(leaf);
    assert.ok((await store.getLocalBlock(cid)) !== undefined);
    await store.remove([cid]);
    const left = await readdir(join(directory, "blocks"), { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.endsWith(".data")),
      [],
    );
  });

  it("lists what it read of others by the directories alone, until they are removed", async () => {
    const publisher = await bench.store();
    const read = await publisher.putDirectory(files);
    const { fetch } = fakePeers({ "http://a.example": blocksOfCar(await publisher.exportCar(read)) });
    const store = await bench.store({ peers: () => ["http://a.example"], fetch });
    await store.getFile(read, "model.safetensors", LIMITS);
    assert.deepEqual(await store.roots(), [read]);
    await store.remove([read]);
    assert.deepEqual(await store.roots(), []);
  });

  it("reports a disk that refuses", async () => {
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
