import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { createKuboStore } from "../../content/kubo.ts";
import type { ContentStore } from "../../content/store.ts";
import type { FakeKubo } from "./fake-kubo.ts";
import { startFakeKubo } from "./fake-kubo.ts";
import type { Recorder } from "../support/round-recorder.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { blocksOfCar, directoryOf, fakePeers, rawBlock, rejectsWith, seededBytes, text, Workbench } from "./support.ts";

const bench = new Workbench();
const files = { "model.bin": seededBytes(41, 2_100_000), "config.json": text("{}") };
const LIMITS = { maxBytes: 3_000_000 };

async function kubo(): Promise<{ node: FakeKubo; store: ContentStore; reporter: Recorder }> {
  const reporter = createRecorder();
  const node = await startFakeKubo();
  bench.onClose(() => node.close());
  const store = await createKuboStore({ apiUrl: node.url, limits: { blockTimeoutMs: 500 }, reporter });
  return { node, store, reporter };
}

describe("ipfs store over a Kubo node", () => {
  afterEach(() => bench.clear());

  it("publishes the same CIDs as the store on disk, pinned, and reads them back", async () => {
    const { node, store } = await kubo();
    const disk = await bench.store();
    const cid = await store.putDirectory(files);
    assert.equal(cid, await disk.putDirectory(files));
    assert.deepEqual(await store.pins(), [cid]);
    assert.deepEqual(Buffer.from(await store.getFile(cid, "model.bin", LIMITS)), Buffer.from(files["model.bin"]));
    assert.deepEqual(await store.list(cid), await disk.list(cid));
    assert.equal(await store.has(cid), true);
    assert.deepEqual(Buffer.from(await store.exportCar(cid)), Buffer.from(await disk.exportCar(cid)));
    assert.ok(node.calls.includes("dag/import?pin-roots=true"));
  });

  it("takes CARs from the store on disk and gives CARs to it", async () => {
    const { store } = await kubo();
    const disk = await bench.store();
    const cid = await disk.putDirectory(files);
    await store.importCar(await disk.exportCar(cid), cid);
    const other = await bench.store();
    await other.importCar(await store.exportCar(cid), cid);
    assert.equal(await other.has(cid), true);
  });

  it("counts wrong bytes from the node as missing, at every block position", async () => {
    const { node, store, reporter } = await kubo();
    const cid = await store.putDirectory(files);
    for (const [blockCid, bytes] of [...node.blocks]) {
      const damaged = Uint8Array.from(bytes);
      damaged[0] = (damaged[0] ?? 0) ^ 1;
      for (const wrong of [damaged, bytes.slice(0, -1), new Uint8Array(0)]) {
        node.blocks.set(blockCid, wrong);
        assert.equal(await store.has(cid), false);
        assert.deepEqual(reporter.facts("peer-wrong-bytes").at(-1), { subject: node.url, cid: blockCid });
        assert.equal(await store.getLocalBlock(blockCid), undefined);
        await rejectsWith(store.exportCar(cid), "IPFS_UNAVAILABLE");
      }
      node.blocks.set(blockCid, bytes);
    }
    assert.equal(await store.has(cid), true);
  });

  it("asks its own blocks only for what is held, and the network, with a time limit, for the rest", async () => {
    const { node, store } = await kubo();
    const absent = directoryOf("a", rawBlock(text("absent"))).cid;
    assert.equal(await store.has(absent), false);
    await rejectsWith(store.getFile(absent, "a", LIMITS), "IPFS_UNAVAILABLE");
    const asked = node.calls.filter((call) => call.startsWith("block/get"));
    assert.deepEqual(asked, [`block/get?arg=${absent}&offline=true`, `block/get?arg=${absent}&timeout=500ms`]);
  });

  it("tells a failing node from a missing block", async () => {
    const { node, store } = await kubo();
    const cid = await store.putDirectory(files);
    const failures = [
      { status: 500, body: '{"Message":"repo is locked","Code":0,"Type":"error"}' },
      { status: 403, body: "403 - Forbidden" },
      { status: 502, body: "<html>" },
    ];
    for (const failure of failures) {
      node.failNext.set("block/get", failure);
      await rejectsWith(store.has(cid), "IPFS_API_FAILED");
    }
    for (const body of [
      "",
      "x",
      "{}",
      '{"Root":{"Cid":{"/":"bafyother"}}}',
      `{"Root":{"Cid":{"/":"${cid}"},"PinErrorMsg":"no space"}}`,
    ]) {
      node.failNext.set("dag/import", { status: 200, body });
      await rejectsWith(store.putDirectory(files), "IPFS_API_FAILED");
    }
    node.failNext.set("block/get", {
      status: 500,
      body: '{"Message":"context deadline exceeded","Code":0,"Type":"error"}',
    });
    await rejectsWith(store.exportCar(cid), "IPFS_UNAVAILABLE");
    await node.close();
    await rejectsWith(store.has(cid), "IPFS_API_FAILED");
    await rejectsWith(createKuboStore({ apiUrl: node.url, reporter: createRecorder() }), "IPFS_API_FAILED");
    await rejectsWith(createKuboStore({ apiUrl: "unix:/run/ipfs.sock", reporter: createRecorder() }), "IPFS_PEER_URL");
  });

  it("gets what its node lacks from peers, verified, and adds it to the node", async () => {
    const disk = await bench.store();
    const cid = await disk.putDirectory(files);
    const held = blocksOfCar(await disk.exportCar(cid));
    const [liar, honest] = ["http://liar.example", "http://honest.example"];
    const { fetch, asked } = fakePeers({ [liar]: () => new Response("wrong bytes"), [honest]: held });
    const node = await startFakeKubo();
    bench.onClose(() => node.close());
    const reporter = createRecorder();
    const peers: string[] = [];
    const store = await createKuboStore({ apiUrl: node.url, peers: () => peers, fetchPeer: fetch, reporter });
    await rejectsWith(store.getFile(cid, "model.bin", LIMITS), "IPFS_UNAVAILABLE");
    peers.push(liar, honest);
    assert.deepEqual(Buffer.from(await store.getFile(cid, "model.bin", LIMITS)), Buffer.from(files["model.bin"]));
    assert.ok(reporter.facts("peer-wrong-bytes").every(({ subject }) => subject === liar));
    await store.pin(cid);
    assert.equal(await store.has(cid), true);
    assert.deepEqual(await store.pins(), [cid]);
    const asksBefore = asked.length;
    await store.getFile(cid, "model.bin", LIMITS);
    assert.equal(asked.length, asksBefore, "the node has it now");
  });

  it("adds blocks as large as others may make them", async () => {
    const node = await startFakeKubo();
    bench.onClose(() => node.close());
    const file = rawBlock(new Uint8Array(2_000_000).fill(1));
    const folder = directoryOf("large.bin", file);
    const held = new Map([file, folder].map(({ cid, bytes }) => [cid, bytes]));
    const { fetch } = fakePeers({ "http://honest.example": held });
    const peers = (): string[] => ["http://honest.example"];
    const store = await createKuboStore({ apiUrl: node.url, peers, fetchPeer: fetch, reporter: createRecorder() });
    await store.pin(folder.cid);
    assert.equal(await store.has(folder.cid), true);
  });

  it("takes pins off again, those that it does not have as well", async () => {
    const { store } = await kubo();
    const cid = await store.putDirectory(files);
    await store.remove([cid]);
    assert.deepEqual(await store.pins(), []);
    await store.remove([cid]);
  });

  it("takes no pin off that it does not list, such as one that its owner made of a single block", async () => {
    const { node, store } = await kubo();
    const [owners] = [await (await bench.store()).putDirectory(files)];
    await store.remove([owners]);
    assert.deepEqual(
      node.calls.filter((call) => call.startsWith("pin/rm")),
      [],
    );
  });

  it("reads a list of more pins than an answer has room for, and calls a longer one the node's failure", async () => {
    const { node, store } = await kubo();
    const listOf = (bytes: number): string => JSON.stringify({ Keys: { other: { Name: "n".repeat(bytes) } } });
    node.failNext.set("pin/ls", { status: 200, body: listOf(20_000_000) });
    assert.deepEqual(await store.pins(), []);
    node.failNext.set("pin/ls", { status: 200, body: listOf(70_000_000) });
    await rejectsWith(store.pins(), "IPFS_API_FAILED");
  });
});
