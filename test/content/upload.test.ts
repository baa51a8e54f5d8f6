import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import { createGateway } from "../../content/gateway.ts";
import { createPeerFetch } from "../../content/peer-fetch.ts";
import type { ContentStore } from "../../content/store.ts";
import { holdsDirectory, replicate, uploadCar } from "../../content/upload.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { rejectsWith, seededBytes, text, Workbench } from "./support.ts";

const bench = new Workbench();
const NOBODY = "http://127.0.0.1:9"; // the discard port: nothing listens

async function peer(
  authorised = "Bearer right",
): Promise<{ url: string; store: ContentStore; close: () => Promise<void> }> {
  const store = await bench.store();
  const app = createGateway({
    store,
    reporter: createRecorder(),
    authoriseUpload: async ({ authorization }) => authorization === authorised,
  });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  bench.onClose(() => app.close());
  return { url: `${url}/`, store, close: () => app.close() };
}

async function published(): Promise<{ store: ContentStore; cid: string; car: Uint8Array }> {
  const store = await bench.store();
  const cid = await store.putDirectory({ a: seededBytes(3, 1_200_000), b: text("b") });
  return { store, cid, car: await store.exportCar(cid) };
}

describe("ipfs uploads", () => {
  afterEach(() => bench.clear());

  it("report success, refusal with the gateway's code, and what can be tried again", async () => {
    const { cid, car } = await published();
    const { url } = await peer();
    assert.deepEqual(await uploadCar(url, cid, car, "Bearer right"), { ok: true, alreadyHeld: false });
    assert.deepEqual(await uploadCar(url, cid, car, "Bearer right"), { ok: true, alreadyHeld: true });
    const codes = await Promise.all([
      uploadCar(url, cid, car, undefined),
      uploadCar(url, cid, car.slice(0, -1), "Bearer right"),
      uploadCar(NOBODY, cid, car, undefined),
    ]);
    assert.deepEqual(
      codes.map((result) => !result.ok && [result.code, result.retryable]),
      [
        ["IPFS_UPLOAD_REFUSED", false],
        ["IPFS_CAR_INVALID", false],
        ["IPFS_UNAVAILABLE", true],
      ],
    );
    await rejectsWith(uploadCar("file:///x", cid, car, undefined), "IPFS_PEER_URL");
  });

  it("make sense of answers from something other than our gateway", async () => {
    const { cid, car } = await published();
    const answers: [Response, string, boolean][] = [
      [new Response("<html>bad gateway", { status: 502 }), "IPFS_UPLOAD_REFUSED", true],
      [new Response('{"code":"toString"}', { status: 400 }), "IPFS_UPLOAD_REFUSED", false],
      [new Response('{"code":"IPFS_BUSY","message":"x"}', { status: 503 }), "IPFS_BUSY", true],
      [new Response(new Uint8Array(100_000), { status: 400 }), "IPFS_UNAVAILABLE", true],
    ];
    for (const [answer, code, retryable] of answers) {
      const result = await uploadCar("http://x.example", cid, car, undefined, { fetch: async () => answer });
      assert.ok(!result.ok);
      assert.deepEqual([result.code, result.retryable], [code, retryable]);
    }
  });

  it("replicate to peers, name the holders, and send nothing to those that hold it", async () => {
    const { store, cid } = await published();
    const [first, second, closed] = [await peer(), await peer(), await peer("Bearer other")];
    let uploads = 0;
    const fetchCounting: typeof fetch = (input, init) => {
      if (init?.method === "POST") uploads += 1;
      return fetch(input, init);
    };
    const authorise = async (): Promise<string> => "Bearer right";
    const peers = [first.url, second.url, closed.url, NOBODY, first.url];
    const report = await replicate(store, cid, peers, 2, { authorise, fetch: fetchCounting });
    assert.deepEqual(report.holders, [first.url, second.url]);
    assert.deepEqual(
      report.failures.map(({ peer: at, result }) => [at, result.code]),
      [
        [closed.url, "IPFS_UPLOAD_REFUSED"],
        [`${NOBODY}/`, "IPFS_UNAVAILABLE"],
      ],
    );
    assert.equal(report.satisfied, true);
    assert.equal(uploads, 4);
    const again = await replicate(store, cid, [first.url, second.url], 3, { authorise, fetch: fetchCounting });
    assert.equal(uploads, 4);
    assert.equal(again.satisfied, false);
    assert.equal(await holdsDirectory(first.url, cid), true);
    assert.equal(await holdsDirectory(closed.url, cid), false);
    assert.equal(await holdsDirectory(NOBODY, cid), false);
  });

  it("do not wait for a peer that stalls once enough others hold the directory", async () => {
    const { store, cid } = await published();
    const [first, second] = [await peer(), await peer()];
    const stalled = "http://stalled.example/";
    const fetchOrStall: typeof fetch = (input, init) =>
      String(input).startsWith(stalled) ? new Promise(() => undefined) : fetch(input, init);
    const report = await replicate(store, cid, [stalled, first.url, second.url], 2, {
      authorise: async () => "Bearer right",
      fetch: fetchOrStall,
    });
    assert.deepEqual([...report.holders].sort(), [first.url, second.url].sort());
    assert.equal(report.satisfied, true);
  });

  it("keep content readable while one of two holders is left, and retrievable again after both were gone", async () => {
    const { store, cid } = await published();
    const [first, second] = [await peer(), await peer()];
    await replicate(store, cid, [first.url, second.url], 2, { authorise: async () => "Bearer right" });
    await first.close();
    const reader = await bench.store({ peers: () => [first.url, second.url] });
    assert.equal((await reader.getFile(cid, "a", { maxBytes: 2_000_000 })).length, 1_200_000);
    await second.close();
    const late = await bench.store({ peers: () => [first.url, second.url] });
    await rejectsWith(late.getFile(cid, "a", { maxBytes: 2_000_000 }), "IPFS_UNAVAILABLE");
    const revived = createGateway({
      store: second.store,
      reporter: createRecorder(),
      authoriseUpload: async () => false,
    });
    bench.onClose(() => revived.close());
    await revived.listen({ host: "127.0.0.1", port: Number(new URL(second.url).port) });
    assert.equal((await late.getFile(cid, "a", { maxBytes: 2_000_000 })).length, 1_200_000);
  });

  it("name the peers that have not answered in time, where too few hold the directory", async () => {
    const { store, cid } = await published();
    const silent: typeof fetch = () => new Promise(() => undefined);
    const options = { authorise: async () => undefined, patienceMs: 50, fetch: silent };
    const { failures, satisfied } = await replicate(store, cid, [NOBODY], 1, options);
    assert.equal(satisfied, false);
    assert.deepEqual(
      failures.map(({ peer: url, result }) => [url, result.code, result.message]),
      [[`${NOBODY}/`, "IPFS_UNAVAILABLE", "no answer in 0.05 s; the upload goes on"]],
    );
  });

  it("end where a peer takes nothing any more, and last as long as it takes it slowly", async () => {
    let takes = true;
    const taking = createServer((request, response) => {
      request.on("data", () => {
        request.pause();
        if (takes) setTimeout(() => request.resume(), 2);
      });
      request.on("end", () => response.end("{}"));
    });
    await new Promise<void>((resolve) => taking.listen(0, "127.0.0.1", resolve));
    bench.onClose(async () => void taking.close());
    const url = `http://127.0.0.1:${(taking.address() as AddressInfo).port}`;
    const send = (): ReturnType<typeof uploadCar> =>
      uploadCar(url, "bafyroot", new Uint8Array(32_000_000), undefined, { fetch: createPeerFetch(undefined, 3000) });
    const begun = performance.now();
    assert.deepEqual(await send(), { ok: true, alreadyHeld: true });
    assert.ok(performance.now() - begun > 3000, "longer than a silence may be");
    takes = false;
    const stalled = await send();
    assert.deepEqual([stalled.ok, !stalled.ok && stalled.retryable], [false, true]);
    taking.closeAllConnections();
  }).timeout(60_000);
});
