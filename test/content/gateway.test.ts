import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { get as httpsGet } from "node:https";
import { join } from "node:path";
import { publicUrlOf, readTls } from "../../task/endpoint.ts";
import { rejectsCode } from "../support/errors.ts";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, it } from "mocha";
import { CarBufferReader } from "@ipld/car/buffer-reader";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { createGateway } from "../../content/gateway.ts";
import type { GatewayOptions } from "../../content/gateway.ts";
import { LOOPBACK_HOSTS } from "../../content/http-form.ts";
import { formatBytes } from "../../content/listing.ts";
import { escapeHtml } from "../../content/escape-html.ts";
import type { ContentStore } from "../../content/store.ts";
import { createRecorder } from "../support/round-recorder.ts";
import {
  blockPath,
  blocksOfCar,
  bytesOf,
  directoryOf,
  handCar,
  rawBlock,
  seededBytes,
  text,
  Workbench,
} from "./support.ts";

const bench = new Workbench();
const CAR = "application/vnd.ipld.car";
const RAW = "application/vnd.ipld.raw";
const model = seededBytes(31, 2_500_000);

async function gateway(
  options: Partial<GatewayOptions> = {},
): Promise<{ app: FastifyInstance; url: string; store: ContentStore; cid: string }> {
  const store = await bench.store();
  const cid = await store.putDirectory({
    "model.bin": model,
    "config.json": text('{"a":1}'),
    "notes.txt": text("hello"),
  });
  const authoriseUpload = async ({ authorization }: { authorization: string | undefined }): Promise<boolean | string> =>
    authorization === "Bearer right" || "only members upload";
  const app = createGateway({ store, authoriseUpload, reporter: createRecorder(), ...options });
  bench.onClose(() => app.close());
  return { app, url: await app.listen({ host: "127.0.0.1", port: 0 }), store, cid };
}

async function codeOf(response: Response): Promise<string> {
  assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
  const answer = (await response.json()) as { code: string; message: string };
  assert.deepEqual(Object.keys(answer).sort(), ["code", "message"]);
  return answer.code;
}

/** Every answer, whatever it is, keeps browsers from running anything in it. */
function assertHarmless(response: Response): void {
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.ok(!/script-src|unsafe/.test(policy));
  if (!(response.headers.get("content-type") ?? "").startsWith("text/html")) assert.match(policy, /sandbox/);
}

describe("ipfs gateway", () => {
  afterEach(() => bench.clear());

  it("answers the probe in every form, to GET and HEAD", async () => {
    const { url } = await gateway();
    for (const method of ["GET", "HEAD"]) {
      for (const [query, type] of [
        ["?format=raw", RAW],
        ["?format=car", CAR],
        ["", "application/octet-stream"],
      ] as const) {
        const response = await fetch(`${url}/ipfs/bafkqaaa${query}`, { method });
        assert.equal(response.status, 200);
        assert.ok(response.headers.get("content-type")?.startsWith(type));
        assertHarmless(response);
        if (query !== "?format=car") assert.equal((await bytesOf(response)).length, 0);
      }
    }
  });

  it("serves the first block of a file by the file's path", async () => {
    const { url, store, cid } = await gateway();
    const file = (await store.list(cid)).find(({ name }) => name === "model.bin")!.cid;
    const byPath = await fetch(`${url}/ipfs/${cid}/model.bin?format=raw`);
    const byCid = await fetch(`${url}/ipfs/${file}?format=raw`);
    assert.deepEqual(Buffer.from(await bytesOf(byPath)), Buffer.from(await bytesOf(byCid)));
    assert.equal(byPath.headers.get("etag"), byCid.headers.get("etag"));
    assert.equal(byPath.headers.get("x-ipfs-roots"), `${cid},${file}`);
  });

  it("serves each block raw with the headers of the specification, and 304 to whoever has it", async () => {
    const { url, store, cid } = await gateway();
    for (const [blockCid, bytes] of blocksOfCar(await store.exportCar(cid))) {
      for (const request of [
        { query: "?format=raw", accept: "*/*" },
        { query: "", accept: RAW },
        { query: "?format=raw", accept: CAR },
      ]) {
        const response = await fetch(`${url}/ipfs/${blockCid}${request.query}`, {
          headers: { accept: request.accept },
        });
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("content-type"), RAW);
        assert.equal(response.headers.get("content-length"), String(bytes.length));
        assert.equal(response.headers.get("etag"), `"${blockCid}.raw"`);
        assert.match(
          response.headers.get("content-disposition") ?? "",
          new RegExp(`^attachment; filename="${blockCid}.bin"`),
        );
        assert.match(response.headers.get("cache-control") ?? "", /immutable/);
        assert.equal(response.headers.get("x-ipfs-path"), `/ipfs/${blockCid}`);
        assert.equal(response.headers.get("x-ipfs-roots"), blockCid);
        assertHarmless(response);
        assert.deepEqual(await bytesOf(response), bytes);
      }
    }
    for (const tag of [`"${cid}.raw"`, `W/"${cid}.raw"`, "*", `"x", "${cid}.raw"`]) {
      const response = await fetch(`${url}/ipfs/${cid}?format=raw`, { headers: { "if-none-match": tag } });
      assert.equal(response.status, 304);
      assert.equal((await bytesOf(response)).length, 0);
    }
    assert.equal(
      (await fetch(`${url}/ipfs/${cid}?format=raw`, { headers: { "if-none-match": '"other"' } })).status,
      200,
    );
  });

  it("serves CARs that a store accepts, by scope and by path", async () => {
    const { url, store, cid } = await gateway();
    const [, modelCid] = (await store.list(cid)).map((file) => file.cid);
    const get = async (path: string, accept = "*/*"): Promise<Map<string, Uint8Array>> => {
      const response = await fetch(url + path, { headers: { accept } });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), `${CAR}; version=1; order=dfs; dups=n`);
      assert.match(response.headers.get("content-disposition") ?? "", /^attachment; filename="[a-z0-9]+\.car"/);
      assert.equal(response.headers.get("accept-ranges"), "none");
      assertHarmless(response);
      return blocksOfCar(await bytesOf(response));
    };
    const whole = await fetch(`${url}/ipfs/${cid}?format=car`);
    await (await bench.store()).importCar(await bytesOf(whole), cid);
    assert.equal((await get(`/ipfs/${cid}`, `${CAR}; version=1`)).size, 7);
    assert.deepEqual([...(await get(`/ipfs/${cid}?format=car&dag-scope=block`)).keys()], [cid]);
    assert.deepEqual([...(await get(`/ipfs/${cid}?format=car&dag-scope=entity`)).keys()], [cid]);
    const byPath = await get(`/ipfs/${cid}/model.bin?format=car&dag-scope=entity`);
    assert.deepEqual([...byPath.keys()].slice(0, 2), [cid, modelCid]);
    assert.equal(byPath.size, 5);
    assert.deepEqual([...(await get(`/ipfs/${cid}/model.bin?format=car&dag-scope=block`)).keys()], [cid, modelCid]);
    assert.equal((await get(`/ipfs/${modelCid}?format=car`)).size, 4);
    const tags = ["all", "entity", "block"].map(async (scope) =>
      (await fetch(`${url}/ipfs/${cid}?format=car&dag-scope=${scope}`)).headers.get("etag"),
    );
    assert.equal(new Set(await Promise.all(tags)).size, 3);
  });

  it("sends a block that is met twice once, or twice to whoever asks for duplicates", async () => {
    const { url, store } = await gateway();
    const cid = await store.putDirectory({ "a.bin": model, "b.bin": model, "c.txt": text("c") });
    const file = (await store.list(cid)).find(({ name }) => name === "a.bin")!.cid;
    const get = async (query: string, accept = "*/*"): Promise<string[]> => {
      const response = await fetch(`${url}/ipfs/${query}`, { headers: { accept } });
      assert.equal(response.status, 200);
      const blocks = [...CarBufferReader.fromBytes(await bytesOf(response)).blocks()];
      const type = response.headers.get("content-type") ?? "";
      return [...blocks.map((block) => block.cid.toString()), /dups=(.)/.exec(type)?.[1] ?? ""];
    };
    const once = await get(`${cid}?format=car`);
    assert.deepEqual([once.length, once.at(-1)], [1 + 4 + 1 + 1, "n"]);
    const twice = await get(`${cid}?format=car&car-dups=y`);
    assert.deepEqual([...once.slice(0, 5), ...once.slice(1, 5), once[5], "y"], twice);
    assert.deepEqual(await get(cid, `${CAR}; version=1; order=dfs; dups=y`), twice);
    assert.deepEqual(await get(`${cid}?format=car&car-dups=n`, `${CAR}; dups=y`), once, "the query wins");
    assert.equal((await get(`${file}?format=car&entity-bytes=0:*&car-dups=y`)).at(-1), "y");
    const tags = ["y", "n"].map(async (dups) => fetch(`${url}/ipfs/${cid}?format=car&car-dups=${dups}`));
    const [y, n] = (await Promise.all(tags)).map((response) => response.headers.get("etag"));
    assert.notEqual(y, n);
  });

  it("answers HEAD like GET without a body", async () => {
    const { url, cid } = await gateway();
    for (const path of [
      `/ipfs/${cid}?format=raw`,
      `/ipfs/${cid}?format=car`,
      `/ipfs/${cid}/`,
      `/ipfs/${cid}/model.bin`,
      `/v1/dag/${cid}`,
    ]) {
      const [head, get] = await Promise.all([fetch(url + path, { method: "HEAD" }), fetch(url + path)]);
      assert.equal(head.status, get.status);
      for (const name of ["content-type", "etag", "content-length", "x-ipfs-path", "cache-control"]) {
        assert.equal(head.headers.get(name), get.headers.get(name), `${path} ${name}`);
      }
      assert.equal((await bytesOf(head)).length, 0);
    }
  });

  it("serves ranges of a file, the first of several, 416 beyond it, and the whole where a range is not understood", async () => {
    const { url, cid } = await gateway();
    const get = (range: string, headers = {}): Promise<Response> =>
      fetch(`${url}/ipfs/${cid}/model.bin`, { headers: { range, ...headers } });
    const { length } = model;
    const cases: [string, number, number][] = [
      ["bytes=0-0", 0, 1],
      ["bytes=1048570-1048580", 1_048_570, 1_048_581],
      ["bytes=2000000-", 2_000_000, length],
      ["bytes=-17", length - 17, length],
      ["bytes=0-99999999", 0, length],
      ["bytes=-99999999", 0, length],
      [`bytes=${length - 1}-${length - 1}`, length - 1, length],
      ["bytes=6-16, 0-4", 6, 17],
    ];
    for (const [range, start, end] of cases) {
      const response = await get(range);
      assert.equal(response.status, 206, range);
      assert.equal(response.headers.get("content-range"), `bytes ${start}-${end - 1}/${length}`);
      assert.equal(response.headers.get("content-length"), String(end - start));
      assert.deepEqual(Buffer.from(await bytesOf(response)), Buffer.from(model.subarray(start, end)));
    }
    for (const range of [`bytes=${length}-`, "bytes=99999999-999999999", "bytes=-0"]) {
      const response = await get(range);
      assert.equal(response.status, 416, range);
      assert.equal(response.headers.get("content-range"), `bytes */${length}`);
      await bytesOf(response);
    }
    for (const range of ["bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=-", `bytes=${"9".repeat(400)}-`]) {
      const response = await get(range);
      assert.equal(response.status, 200, range);
      assert.equal((await bytesOf(response)).length, length);
    }
    assert.equal((await get("bytes=0-0", { "if-range": '"other"' })).status, 200);
  });

  it("shows a directory as a page that allows nothing but its style", async () => {
    const { url, cid } = await gateway();
    for (const path of [`/ipfs/${cid}/`, `/ipfs/${cid}`]) {
      const response = await fetch(url + path);
      assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
      assertHarmless(response);
      const page = await response.text();
      for (const part of [cid, "model.bin", "2.4 MiB", "3 files", `href="/ipfs/${cid}/config.json"`])
        assert.ok(page.includes(part), part);
      assert.ok(!page.includes("<script"));
    }
  });

  it("escapes hostile names in listings and headers", async () => {
    const { url, store } = await gateway();
    const names = [
      "<script>alert(1)</script>.txt".replaceAll("/", "|"),
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='x",
      "javascript:alert(1)",
      "&lt;b&gt;",
      "\u202egpj.exe",
      "`${x}`",
      "{{7*7}}",
      "%3Cscript%3E",
      "a b+c#d?e&f;g=h",
      "résumé \u{1f600}.txt",
      "<svg onload=alert(1)>",
      "--><!--",
      "%2e%2e%2f",
    ];
    const cid = await store.putDirectory(Object.fromEntries(names.map((name) => [name, text(name)])));
    const page = await (await fetch(`${url}/ipfs/${cid}/`)).text();
    const inTags = page.replace(/<style>[\s\S]*?<\/style>/, "").match(/<[^>]*>/g) ?? [];
    const allowed =
      /^<\/?(!doctype html|html lang="en"|html|head|meta [^<>]*|title|body|h1|code|table|thead|tbody|tr|th|th class="\w+"|td class="\w+"( title="\d+ bytes")?|td|a href="\/ipfs\/[^"<>\s]*"|a|p|footer|style)>$/;
    for (const tag of inTags) assert.match(tag, allowed);
    assert.ok(!page.includes("\u202e"));
    for (const name of names) {
      const response = await fetch(`${url}/ipfs/${cid}/${encodeURIComponent(name)}`);
      assert.equal(response.status, 200, name);
      assert.equal(await response.text(), name);
      assertHarmless(response);
      assert.match(
        response.headers.get("content-disposition") ?? "",
        /^(attachment|inline); filename="[A-Za-z0-9._-]*"; filename\*=UTF-8''[A-Za-z0-9%._~!*-]*$/,
      );
    }
  });

  it("serves no published HTML, SVG, XML, script or PDF as such", async () => {
    const { url, store } = await gateway();
    const hostile = text("<html><svg onload=alert(1)><script>alert(1)</script>");
    const names = [
      "x.html",
      "x.htm",
      "x.svg",
      "x.xml",
      "x.xhtml",
      "x.js",
      "x.mjs",
      "x.pdf",
      "x.css",
      "x.wasm",
      "x.swf",
      "index.html",
      "x",
      "x.json.html",
      "x.HTML",
    ];
    const cid = await store.putDirectory(
      Object.fromEntries([...names, "x.json", "x.txt"].map((name) => [name, hostile])),
    );
    for (const name of names) {
      const response = await fetch(`${url}/ipfs/${cid}/${name}`);
      assert.equal(response.headers.get("content-type"), "application/octet-stream", name);
      assert.match(response.headers.get("content-disposition") ?? "", /^attachment/);
      assertHarmless(response);
      await bytesOf(response);
    }
    const page = await (await fetch(`${url}/ipfs/${cid}/`)).text();
    assert.ok(page.includes("Published directory"), "index.html does not replace the listing");
    assert.equal(
      (await fetch(`${url}/ipfs/${cid}/x.json`)).headers.get("content-type"),
      "application/json; charset=utf-8",
    );
    assert.equal((await fetch(`${url}/ipfs/${cid}/x.txt`)).headers.get("content-type"), "text/plain; charset=utf-8");
  });

  it("answers what it does not hold, cannot parse or does not offer with a status and a code", async () => {
    const { url, cid } = await gateway();
    const absent = directoryOf("a", rawBlock(text("absent"))).cid;
    const cases: [string, number, string, Record<string, string>?][] = [
      [`/ipfs/${absent}`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${absent}?format=raw`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${absent}?format=car`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${absent}`, 412, "IPFS_NOT_FOUND", { "cache-control": "only-if-cached" }],
      [`/ipfs/${cid}/absent`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${cid}/model.bin/x`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${cid}/..%2f..%2fetc%2fpasswd`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${cid}/%00`, 404, "IPFS_NOT_FOUND"],
      [`/ipfs/${cid}/__proto__`, 404, "IPFS_NOT_FOUND"],
      [`/v1/dag/${absent}`, 404, "IPFS_NOT_FOUND"],
      ["/ipfs/invalid", 400, "IPFS_CID_INVALID"],
      ["/ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", 404, "IPFS_NOT_FOUND"],
      ["/ipfs/bafkqabtimvwgy3yk", 400, "IPFS_CID_INVALID"],
      ["/v1/dag/x", 400, "IPFS_CID_INVALID"],
      ["/ipfs/%E0%A4%A", 400, "REQUEST_INVALID"],
      [`/ipfs/${cid}?format=car&dag-scope=none`, 400, "REQUEST_INVALID"],
      [`/ipfs/${cid}?format=car&entity-bytes=0`, 400, "REQUEST_INVALID"],
      [`/ipfs/${cid}?format=car&entity-bytes=a:b`, 400, "REQUEST_INVALID"],
      [`/ipfs/${cid}/model.bin?filename=a&filename=b`, 400, "REQUEST_INVALID"],
      [`/ipfs/${cid}?format=raw&format=car`, 400, "REQUEST_INVALID"],
      [`/ipfs/${cid}?format=car&car-version=2`, 406, "REQUEST_INVALID"],
      [`/ipfs/${cid}`, 406, "REQUEST_INVALID", { accept: `${CAR}; version=2` }],
      [`/ipfs/${cid}?format=tar`, 406, "REQUEST_INVALID"],
      [`/ipfs/${cid}`, 406, "REQUEST_INVALID", { accept: "application/vnd.ipld.dag-cbor" }],
      [`/ipns/example.org`, 404, "REQUEST_INVALID"],
      ["/", 404, "REQUEST_INVALID"],
    ];
    for (const [path, status, code, headers] of cases) {
      const response = await fetch(url + path, { headers: headers ?? {} });
      assert.equal(response.status, status, path);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assertHarmless(response);
      assert.equal(await codeOf(response), code, path);
    }
  });

  it("takes an authorised CAR, once stored and then as held already", async () => {
    const { url, store } = await gateway();
    const source = await bench.store();
    const cid = await source.putDirectory({ a: seededBytes(7, 1_200_000) });
    const body = (await source.exportCar(cid)) as Uint8Array<ArrayBuffer>;
    const post = (): Promise<Response> =>
      fetch(`${url}/v1/car?root=${cid}`, {
        method: "POST",
        body,
        headers: { "content-type": `${CAR}; version=1`, authorization: "Bearer right" },
      });
    const first = await post();
    assert.equal(first.status, 201);
    assert.deepEqual(await first.json(), { cid });
    assert.equal((await post()).status, 200);
    assert.equal(await store.has(cid), true);
    assert.deepEqual(await (await fetch(`${url}/v1/dag/${cid}`)).json(), { cid, complete: true });
  });

  it("refuses uploads that are not authorised, not CARs, damaged, too long, or from web pages", async () => {
    const { url, store } = await gateway({ limits: { maxUploadBytes: 100_000, maxBlocks: 100 } });
    const leaf = rawBlock(seededBytes(9, 5_000));
    const root = directoryOf("a", leaf);
    const car = handCar(root.cidBytes, [root, leaf]) as Uint8Array<ArrayBuffer>;
    const right = { "content-type": CAR, authorization: "Bearer right" };
    const post = (
      headers: Record<string, string>,
      body: Uint8Array<ArrayBuffer> = car,
      query = `?root=${root.cid}`,
    ): Promise<Response> => fetch(`${url}/v1/car${query}`, { method: "POST", body, headers });
    const damaged = Uint8Array.from(car);
    damaged[car.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    // One after another: more uploads at once than the gateway takes would be told so.
    const cases: [() => Promise<Response>, number, string][] = [
      [() => post({ "content-type": CAR }), 401, "IPFS_UPLOAD_REFUSED"],
      [() => post({ ...right, authorization: "Bearer wrong" }), 403, "IPFS_UPLOAD_REFUSED"],
      [() => post({ ...right, origin: "https://evil.example" }), 403, "HOST_REFUSED"],
      [() => post({ ...right, origin: "null" }), 403, "HOST_REFUSED"],
      [() => post({ ...right, "content-type": "application/json" }), 415, "REQUEST_INVALID"],
      [() => post({ ...right, "content-type": "text/plain" }), 415, "REQUEST_INVALID"],
      [() => post({ ...right, "content-type": "application/x-www-form-urlencoded" }), 415, "REQUEST_INVALID"],
      [() => post(right, car, ""), 400, "REQUEST_INVALID"],
      [() => post(right, car, `?root=${root.cid}&root=${root.cid}`), 400, "REQUEST_INVALID"],
      [() => post(right, car, `?root=${leaf.cid}`), 400, "IPFS_CID_INVALID"],
      [() => post(right, car, `?root=${directoryOf("b", leaf).cid}`), 400, "IPFS_CAR_INVALID"],
      [() => post(right, damaged), 400, "IPFS_BLOCK_MISMATCH"],
      [() => post(right, car.slice(0, -1)), 400, "IPFS_CAR_INVALID"],
      [() => post(right, new Uint8Array(0)), 400, "IPFS_CAR_INVALID"],
      [() => post(right, new Uint8Array(1_000_000)), 413, "REQUEST_INVALID"],
    ];
    for (const [send, status, code] of cases) {
      const response = await send();
      assert.equal(await codeOf(response), code);
      assert.equal(response.status, status, code);
    }
    assert.equal(await store.has(root.cid), false);
    assert.equal((await store.pins()).length, 1);
    assert.equal((await post(right)).status, 201);
  });

  it("decides on an upload before it reads the body, and holds few bodies at a time", async () => {
    const { url, cid } = await gateway({ limits: { maxUploads: 1 } });
    const open = (authorization: string, held?: "held"): Promise<{ status: number; end: () => void }> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(`${url}/v1/car?root=${cid}`, {
          method: "POST",
          headers: { "content-type": CAR, authorization, "content-length": 1000 },
        });
        request.on("response", (response) =>
          resolve({ status: response.statusCode ?? 0, end: () => request.destroy() }),
        );
        request.on("error", reject);
        request.write("x"); // the rest of the body never comes
        if (held === "held") setTimeout(() => resolve({ status: 0, end: () => request.destroy() }), 500);
      });
    assert.equal((await open("Bearer wrong")).status, 403);
    const first = await open("Bearer right", "held");
    assert.equal(first.status, 0, "the gateway waits for the body");
    const second = await open("Bearer right");
    assert.equal(second.status, 503);
    first.end();
    second.end();
    // An abandoned upload frees its place.
    for (let status = 503; status !== 0;) {
      const third = await open("Bearer right", "held");
      third.end();
      ({ status } = third);
    }
  });

  it("answers under its own host names only, on every route", async () => {
    const { app, cid } = await gateway();
    const routes = [`/ipfs/${cid}`, `/ipfs/${cid}/model.bin`, "/ipfs/bafkqaaa", `/v1/dag/${cid}`, "/unknown"];
    for (const url of routes) {
      for (const host of [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "x@127.0.0.1",
        "127.0.0.1@evil.example",
        "169.254.169.254",
        "localhost, evil.example",
      ]) {
        const response = await app.inject({ url, headers: { host } });
        assert.equal(response.statusCode, 403, `${url} ${host}`);
        assert.equal(response.json<{ code: string }>().code, "HOST_REFUSED");
      }
      for (const host of [...LOOPBACK_HOSTS, "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080"]) {
        assert.notEqual((await app.inject({ url, headers: { host } })).statusCode, 403, host);
      }
    }
    const upload = await app.inject({ method: "POST", url: `/v1/car?root=${cid}`, headers: { host: "evil.example" } });
    assert.equal(upload.statusCode, 403);
    const named = await gateway({ allowedHosts: ["ipfs.example"] });
    assert.equal(
      (await named.app.inject({ url: "/ipfs/bafkqaaa", headers: { host: "ipfs.example" } })).statusCode,
      200,
    );
    assert.equal((await named.app.inject({ url: "/ipfs/bafkqaaa", headers: { host: "127.0.0.1" } })).statusCode, 403);
    const open = await gateway({ allowedHosts: "any" });
    assert.equal((await open.app.inject({ url: "/ipfs/bafkqaaa", headers: { host: "x.example" } })).statusCode, 200);
  });

  it("ends connections that send too slowly or too long a head", async function () {
    this.timeout(10_000);
    const { url } = await gateway({ limits: { requestTimeoutMs: 300, idleTimeoutMs: 300 } });
    const endsWith = (chunks: readonly string[], everyMs: number): Promise<string> =>
      new Promise((resolve) => {
        let answer = "";
        const socket = connect(Number(new URL(url).port), "127.0.0.1");
        socket.on("data", (data) => (answer += data.toString()));
        socket.on("close", () => resolve(answer));
        socket.on("error", () => undefined);
        let index = 0;
        const timer = setInterval(
          () => (index < chunks.length ? socket.write(chunks[index++] ?? "") : clearInterval(timer)),
          everyMs,
        );
        socket.on("close", () => clearInterval(timer));
      });
    const slow = Array.from("GET /ipfs/bafkqaaa HTTP/1.1\r\nhost: localhost\r\n" + "x-slow: 1\r\n".repeat(20));
    assert.match(await endsWith(slow, 50), /^(HTTP\/1.1 408|$)/);
    assert.match(
      await endsWith([`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(10_000)}\r\n\r\n`], 1),
      /^HTTP\/1.1 431/,
    );
  });

  it("ends the answer early, and never with wrong bytes, when a block is damaged after the head was sent", async () => {
    const directory = await bench.folder();
    const store = await bench.store({ directory });
    const { app } = await gateway({ store });
    const cid = await store.putDirectory({ "model.bin": model });
    const blocks = [...blocksOfCar(await store.exportCar(cid)).keys()];
    await rm(blockPath(directory, blocks.at(-1) ?? ""));
    const url = app.listeningOrigin;
    for (const path of [`/ipfs/${cid}/model.bin`, `/ipfs/${cid}?format=car`]) {
      await assert.rejects(async () => bytesOf(await fetch(url + path)));
    }
    assert.equal((await fetch(`${url}/v1/dag/${cid}`)).status, 404);
    assert.equal((await fetch(`${url}/ipfs/bafkqaaa`)).status, 200);
  });

  it("never asks peers on behalf of a reader", async () => {
    let asked = 0;
    const fetchPeer = async (): Promise<Response> => {
      asked += 1;
      return new Response("x");
    };
    const store = await bench.store({ peers: () => ["http://peer.example"], fetch: fetchPeer });
    const { app } = await gateway({ store });
    const asksBefore = asked;
    const absent = directoryOf("a", rawBlock(text("absent"))).cid;
    for (const query of ["", "/", "/a", "?format=raw", "?format=car"])
      await app.inject({ url: `/ipfs/${absent}${query}`, headers: { host: "localhost" } });
    await app.inject({ url: `/v1/dag/${absent}`, headers: { host: "localhost" } });
    assert.equal(asked, asksBefore);
  });

  it("is open to pages of any origin for what is published, and for nothing else", async () => {
    const { url, cid } = await gateway();
    const headers = { origin: "https://page.example" };
    for (const path of [`/ipfs/${cid}/`, `/ipfs/${cid}/model.bin`, `/ipfs/${cid}?format=car`, "/ipfs/invalid"]) {
      const preflight = await fetch(url + path, {
        method: "OPTIONS",
        headers: { ...headers, "access-control-request-method": "GET", "access-control-request-headers": "range" },
      });
      assert.equal(preflight.status, 204, path);
      for (const response of [preflight, await fetch(url + path, { headers })]) {
        assert.equal(response.headers.get("access-control-allow-origin"), "*", path);
        assert.equal(response.headers.get("cross-origin-resource-policy"), "cross-origin", path);
        assert.match(response.headers.get("access-control-allow-methods") ?? "", /GET, HEAD, OPTIONS/);
        assert.match(response.headers.get("access-control-allow-headers") ?? "", /Range/);
        assert.match(response.headers.get("access-control-expose-headers") ?? "", /X-Ipfs-Roots/);
        assertHarmless(response);
        await bytesOf(response);
      }
    }
    for (const path of [`/v1/dag/${cid}`, "/unknown"])
      assert.equal((await fetch(url + path, { headers })).headers.get("access-control-allow-origin"), null);
    assert.equal((await fetch(`${url}/v1/car?root=${cid}`, { method: "OPTIONS", headers })).status, 404);
  });

  it("serves the blocks of a part of a file, from which that part can be read", async () => {
    const { url, store, cid } = await gateway();
    const file = (await store.list(cid)).find(({ name }) => name === "model.bin")!;
    const blocks = async (query: string): Promise<number> => {
      const response = await fetch(`${url}/ipfs/${file.cid}?format=car&${query}`);
      assert.equal(response.status, 200, query);
      return blocksOfCar(await bytesOf(response)).size;
    };
    for (const [range, count] of [
      ["0:*", 4],
      ["0:0", 2],
      ["1048575:1048576", 3],
      ["-1:*", 2],
      ["0:-2000000", 2],
      ["9999999:*", 1],
    ] as const)
      assert.equal(await blocks(`dag-scope=entity&entity-bytes=${range}`), count, range);
    assert.equal(await blocks("entity-bytes=0:0"), 2, "of the entity");
    const directory = await fetch(`${url}/ipfs/${cid}?format=car&dag-scope=entity&entity-bytes=0:5`);
    assert.equal(blocksOfCar(await bytesOf(directory)).size, 1);
  });

  it("names answers as it is asked to, and takes the type from that name", async () => {
    const { url, store, cid } = await gateway();
    const file = (await store.list(cid)).find(({ name }) => name === "config.json")!;
    const asJson = await fetch(`${url}/ipfs/${file.cid}?filename=settings.json`);
    assert.match(asJson.headers.get("content-disposition") ?? "", /^inline; filename="settings.json"/);
    assert.match(asJson.headers.get("content-type") ?? "", /^application\/json/);
    const saved = await fetch(`${url}/ipfs/${file.cid}?filename=settings.json&download=true`);
    assert.match(saved.headers.get("content-disposition") ?? "", /^attachment/);
    const hostile = await fetch(`${url}/ipfs/${file.cid}?filename=${encodeURIComponent("a\r\nb: c.html")}`);
    assert.equal(hostile.headers.get("content-type"), "application/octet-stream");
    assert.match(hostile.headers.get("content-disposition") ?? "", /^attachment; filename="a__b__c.html"/);
    for (const form of ["raw", "car"]) {
      const named = await fetch(`${url}/ipfs/${file.cid}?format=${form}&filename=x.bin`);
      assert.match(named.headers.get("content-disposition") ?? "", /^attachment; filename="x.bin"/);
    }
  });

  it("takes CIDs of version 0 and in other bases for the same content", async () => {
    const { url, cid } = await gateway();
    const parsed = CID.parse(cid);
    for (const text of [parsed.toV0().toString(), parsed.toString(base36), parsed.toString(base58btc)]) {
      const response = await fetch(`${url}/ipfs/${text}?format=raw`);
      assert.equal(response.status, 200, text);
      assert.equal((await fetch(`${url}/ipfs/${text}/notes.txt`)).status, 200);
    }
  });

  it("sends a browser from a directory without its slash to the one with it", async () => {
    const { url, cid } = await gateway();
    const response = await fetch(`${url}/ipfs/${cid}?filename=x`, { redirect: "manual" });
    assert.equal(response.status, 301);
    assert.equal(response.headers.get("location"), `/ipfs/${cid}/?filename=x`);
    assert.equal((await fetch(`${url}/ipfs/${cid}/`, { redirect: "manual" })).status, 200);
  });

  /** Opens connections from one address that send so much and then nothing. */
  const openMany = async (port: number, count: number, head: string, localAddress: string): Promise<Socket[]> => {
    const sockets = Array.from({ length: count }, () => connect({ port, host: "127.0.0.1", localAddress }));
    for (const socket of sockets) {
      socket.on("error", () => undefined);
      socket.on("connect", () => socket.write(head));
      bench.onClose(async () => void socket.destroy());
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    return sockets;
  };

  for (const [what, localAddress] of [
    ["of another address", "127.0.0.2"],
    ["of the same address", "127.0.0.1"],
  ] as const)
    it(`answers at once beside 300 slow connections ${what}`, async () => {
      const { url } = await gateway();
      const sockets = await openMany(Number(new URL(url).port), 300, "GET /ipfs/ba", localAddress);
      for (let i = 0; i < 10; i++) assert.equal((await fetch(`${url}/ipfs/bafkqaaa`)).status, 200);
      const closed = sockets.filter((socket) => socket.closed).length;
      assert.ok(closed >= 300 - 128);
      assert.ok(closed < 300, "it did not wait until their time was over");
    });

  it("serves over TLS with a certificate and its key", async function () {
    if (spawnSync("openssl", ["version"]).status !== 0) this.skip(); // makes the certificate
    const folder = await bench.folder();
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const made = spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    const endpoint = { listen: { host: "127.0.0.1", port: 0 }, tlsCert: cert, tlsKey: key };
    await rejectsCode(readTls({ listen: endpoint.listen, tlsCert: cert }), "USAGE");
    assert.equal(publicUrlOf(endpoint), "https://127.0.0.1:0");
    const { url, cid } = await gateway({ tls: (await readTls(endpoint))! });
    assert.ok(url.startsWith("https:"));
    const answer = await new Promise<number>((resolve, reject) => {
      const options = { ca: readFileSync(cert), servername: "localhost", headers: { host: "localhost" } };
      httpsGet(`${url}/ipfs/${cid}/notes.txt`, options, ({ statusCode }) => resolve(statusCode ?? 0)).on(
        "error",
        reject,
      );
    });
    assert.equal(answer, 200);
  });

  it("cuts uploads that trickle, and lets their sender have few at a time", async function () {
    this.timeout(10_000);
    const { url, store } = await gateway({
      limits: { progressWindowMs: 500, leastBytesPerWindow: 1000 },
      authoriseUpload: async () => true,
      senderOf: ({ authorization }) => String(authorization),
    });
    const other = await bench.store();
    const cid = await other.putDirectory({ x: text("x") });
    const trickle = (): Promise<number> =>
      new Promise((resolve) => {
        const headers = { "content-type": CAR, "content-length": "5000", authorization: "slow" };
        const request = httpRequest(`${url}/v1/car?root=${cid}`, { method: "POST", headers });
        const timer = setInterval(() => request.write("x"), 50);
        request.on("response", ({ statusCode }) => resolve(statusCode ?? 0));
        request.on("error", () => resolve(0));
        request.on("close", () => clearInterval(timer));
        request.flushHeaders();
      });
    const slow = [trickle(), trickle()];
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await trickle(), 429, "a third of the same sender");
    const upload = await fetch(`${url}/v1/car?root=${cid}`, {
      method: "POST",
      headers: { "content-type": CAR, authorization: "honest" },
      body: Buffer.from(await other.exportCar(cid)),
    });
    assert.equal(upload.status, 201, "another sender's goes through meanwhile");
    // Otherwise they would go on for minutes.
    assert.deepEqual(await Promise.all(slow), [0, 0]);
    assert.equal(await store.has(cid), true);
  });

  it("cuts readers that take nothing of a long answer", async function () {
    this.timeout(10_000);
    const { app, url, store } = await gateway({ limits: { progressWindowMs: 500, leastBytesPerWindow: 1000 } });
    const cid = await store.putDirectory({ long: seededBytes(61, 24_000_000) });
    const held = (): Promise<number> =>
      new Promise((resolve) => app.server.getConnections((_, count) => resolve(count)));
    await openMany(
      Number(new URL(url).port),
      3,
      `GET /ipfs/${cid}/long HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      "127.0.0.1",
    );
    assert.equal(await held(), 3);
    while ((await held()) > 0) await new Promise((resolve) => setTimeout(resolve, 100));
  });

  it("formats lengths and escapes text", () => {
    assert.deepEqual([0, 1023, 1024, 1536, 3_145_745].map(formatBytes), [
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "3.0 MiB",
    ]);
    assert.equal(escapeHtml("<a href=\"x\" b='y'>&`"), "&#60;a href=&#34;x&#34; b=&#39;y&#39;&#62;&#38;&#96;");
  });
});
