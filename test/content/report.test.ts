import assert from "node:assert/strict";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, it } from "mocha";
import { createGateway } from "../../content/gateway.ts";
import { report } from "../../content/report.ts";
import type { ContentEvent } from "../../content/report.ts";
import type { ContentStore } from "../../content/store.ts";
import type { RecordedEvent, Recorder } from "../support/round-recorder.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { blockPath, blocksOfCar, fakePeers, rejectsWith, seededBytes, text, Workbench } from "./support.ts";

const bench = new Workbench();
const SECRET = "Verisum 0xabc 123 0xdeadbeef";
const CAR = "application/vnd.ipld.car";

interface Scene {
  readonly reporter: Recorder;
  readonly directory: string;
  readonly store: ContentStore;
  readonly app: FastifyInstance;
  readonly cid: string;
  /** From the root down. */
  readonly blocks: ReadonlyMap<string, Uint8Array>;
}

/** A node with content, and all that it tells its operator. */
async function node(): Promise<Scene> {
  const reporter = createRecorder();
  const directory = await bench.folder();
  const store = await bench.store({ directory, reporter });
  const cid = await store.putDirectory({ model: seededBytes(5, 2_500_000), note: text("n") });
  const app = createGateway({ store, reporter, authoriseUpload: async () => "no account of the task" });
  bench.onClose(() => app.close());
  return { reporter, directory, store, app, cid, blocks: blocksOfCar(await store.exportCar(cid)) };
}

/** The only event so far. Its line names everything that `parts` names. */
function onlyEvent({ reporter }: Scene, event: ContentEvent, parts: readonly string[]): RecordedEvent {
  assert.deepEqual([...new Set(reporter.events.map((said) => said.event))], [event]);
  const said = reporter.events[0]!;
  for (const part of parts) assert.ok(said.text.includes(part), `${said.text} does not say ${part}`);
  return said;
}

describe("an operator is told", () => {
  afterEach(() => bench.clear());

  it("of a damaged block: which, where, and that it counts as missing", async () => {
    const scene = await node();
    const damaged = [...scene.blocks.keys()][1]!;
    await truncate(blockPath(scene.directory, damaged), 1);
    assert.equal(await scene.store.has(scene.cid), false);
    const { facts } = onlyEvent(scene, "block-damaged", [damaged, scene.directory, "counts as missing"]);
    assert.deepEqual(facts, { subject: damaged, cid: damaged, directory: scene.directory });
  });

  it("of a peer that lies, stalls, refuses or is away, and not of one that lacks a block", async () => {
    const { cid, blocks } = await node();
    const lies = (): Response => new Response("lies");
    const { fetch } = fakePeers({
      "http://lies": lies,
      "http://stalls": () => new Promise<Response>(() => undefined),
      "http://refuses": () => new Response("", { status: 503 }),
      "http://lacks": () => new Response("", { status: 404 }),
      "http://endless": () => new Response(new Uint8Array(3_000_000)),
      "http://honest": blocks,
    });
    const reporter = createRecorder();
    const names = ["lies", "stalls", "refuses", "lacks", "endless", "away", "honest"];
    const peers = [...names.map((name) => `http://${name}`), "http://169.254.169.254/"];
    const store = await bench.store({ peers: () => peers, fetch, reporter, limits: { blockTimeoutMs: 50 } });
    await store.pin(cid);
    assert.deepEqual(
      reporter.events.map(({ event, facts }) => [event, facts["subject"]]),
      [
        ["peer-wrong-bytes", "http://lies"],
        ["peer-too-slow", "http://stalls"],
        ["peer-refused", "http://refuses"],
        ["peer-wrong-bytes", "http://endless"],
        ["peer-unreachable", "http://away"],
      ],
    );
    for (const { text, facts } of reporter.events) {
      assert.equal(facts["cid"], cid);
      assert.ok(text.includes(cid) && text.endsWith("other peers are asked, this one last"), text);
    }
    const alone = createRecorder();
    const lost = await bench.store({ peers: () => peers.slice(-1), fetch, reporter: alone });
    await rejectsWith(lost.pin(cid), "IPFS_UNAVAILABLE");
    assert.deepEqual(
      alone.events.map(({ event }) => event),
      ["peer-not-asked"],
    );
  });

  it("why the gateway failed, and its reader is not", async () => {
    const scene = await node();
    const path = blockPath(scene.directory, scene.cid);
    await rm(path);
    await mkdir(path);
    const answer = await scene.app.inject({ url: `/ipfs/${scene.cid}?format=raw`, headers: { host: "localhost" } });
    assert.equal(answer.statusCode, 500);
    assert.deepEqual(answer.json(), { code: "NODE_FAILED", message: "the node failed; its log says why" });
    const [disk, gateway] = scene.reporter.events;
    assert.equal(scene.reporter.events.length, 2);
    assert.deepEqual([disk!.event, disk!.level], ["disk-failed", "error"]);
    assert.ok(disk!.text.includes(scene.directory) && disk!.text.includes("EISDIR"), disk!.text);
    assert.deepEqual([gateway!.event, gateway!.level], ["gateway-failed", "error"]);
    assert.deepEqual([gateway!.facts["subject"], gateway!.facts["method"]], ["/ipfs/:cid", "GET"]);
    for (const part of [scene.cid, "EISDIR", "was told 500"]) assert.ok(gateway!.text.includes(part), gateway!.text);
  });

  it("of a disk that takes no block", async () => {
    const scene = await node();
    const blocked = `${scene.directory}/blocks`;
    await rm(blocked, { recursive: true });
    await writeFile(blocked, "a file where a folder should be");
    await rejectsWith(scene.store.putDirectory({ another: text("one") }), "IPFS_STORE_FAILED");
    onlyEvent(scene, "disk-failed", [scene.directory, "whoever needed it was told so"]);
  });

  it("of a refused upload: whose, of what and why, without its authorisation", async () => {
    const scene = await node();
    const answer = await scene.app.inject({
      method: "POST",
      url: `/v1/car?root=${scene.cid}`,
      remoteAddress: "192.0.2.7",
      headers: { host: "localhost", "content-type": CAR, authorization: SECRET },
      payload: Buffer.from("x"),
    });
    assert.equal(answer.statusCode, 403);
    const { facts } = onlyEvent(scene, "upload-refused", [scene.cid, "192.0.2.7", "nothing of it is kept"]);
    assert.deepEqual(facts, {
      subject: "192.0.2.7",
      root: scene.cid,
      code: "IPFS_UPLOAD_REFUSED",
      status: 403,
      reason: "no account of the task",
    });
    for (const part of SECRET.split(" ").slice(1)) assert.ok(!JSON.stringify(scene.reporter.events).includes(part));
  });

  it("of an answer that ended early", async () => {
    const scene = await node();
    await rm(blockPath(scene.directory, [...scene.blocks.keys()].at(-2)!));
    const url = await scene.app.listen({ host: "127.0.0.1", port: 0 });
    await assert.rejects(async () => (await fetch(`${url}/ipfs/${scene.cid}/model`)).arrayBuffer());
    onlyEvent(scene, "answer-cut-short", [`/ipfs/${scene.cid}/model`, "127.0.0.1", "is not held here"]);
  });

  it("nothing of requests that anybody may make and get wrong", async () => {
    const scene = await node();
    for (const url of ["/ipfs/nonsense", "/nowhere", `/v1/dag/${[...scene.blocks.keys()][1]}`])
      assert.ok((await scene.app.inject({ url, headers: { host: "localhost" } })).statusCode < 500);
    assert.deepEqual(scene.reporter.events, []);
  });

  it("in plain characters, whatever strangers wrote", () => {
    const reporter = createRecorder();
    const hostile = `\u001b[2J\r\n\u202e${"x".repeat(10_000)}`;
    report(reporter, "warn", "copy-refused", hostile, { subject: hostile, count: 1 });
    const [said] = reporter.events;
    for (const shown of [said!.text, String(said!.facts["subject"])]) {
      assert.match(shown, /^\ufffd\[2J\ufffd{3}x+$/);
      assert.equal(shown.length, 500);
    }
    assert.equal(said!.facts["count"], 1);
  });
});
