import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "mocha";
import { createGateway } from "../../content/gateway.ts";
import { createKuboStore } from "../../content/kubo.ts";
import { DIRECTORIES } from "./directories.ts";
import { KUBO, startKubo } from "../support/kubo.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { seededBytes, text, Workbench } from "./support.ts";

/**
 * Other implementations to compare with. Each suite runs where its program is found and is skipped by name elsewhere:
 * - IPFS_KUBO_BIN, or `ipfs` in PATH: a Kubo daemon, offline, in a temporary folder
 * - IPFS_BOXO_BIN: boxo-peer, built by `cd test/content/boxo-peer && go mod tidy && go build -o boxo-peer .`
 */
const BOXO = process.env["IPFS_BOXO_BIN"];

/** The other implementation: what it says the CID of each directory is, its gateway, and its RPC interface. */
interface Other {
  readonly cids: Readonly<Record<string, string>>;
  readonly gatewayUrl: string;
  readonly apiUrl: string;
}

function sharedSuite(bench: Workbench, other: () => Other): void {
  for (const [name, files] of Object.entries(DIRECTORIES)) {
    it(`computes the same CID for the directory "${name}"`, async () => {
      const store = await bench.store();
      assert.equal(await store.putDirectory(files), other().cids[name]);
    });
  }

  it("reads directories from the other's gateway, block by block", async () => {
    const store = await bench.store({ peers: () => [other().gatewayUrl] });
    for (const [name, files] of Object.entries(DIRECTORIES)) {
      const cid = other().cids[name] ?? "";
      await store.pin(cid);
      assert.equal((await store.list(cid)).length, Object.keys(files).length);
      for (const [fileName, bytes] of Object.entries(files)) {
        const read = await store.getFile(cid, fileName, { maxBytes: 200_000_000 });
        assert.equal(Buffer.compare(read, bytes), 0, `${name}/${fileName}`);
      }
    }
  });

  it("takes CARs from the other's gateway", async () => {
    const cid = other().cids["model"] ?? "";
    const response = await fetch(`${other().gatewayUrl}/ipfs/${cid}?format=car&dag-scope=all`, {
      headers: { accept: "application/vnd.ipld.car" },
    });
    const store = await bench.store();
    await store.importCar(new Uint8Array(await response.arrayBuffer()), cid);
    assert.equal(await store.has(cid), true);
  });

  it("publishes through the other's RPC interface what its gateway then serves", async () => {
    const store = await createKuboStore({ apiUrl: other().apiUrl, reporter: createRecorder() });
    const bytes = seededBytes(57, 2_200_000);
    const cid = await store.putDirectory({ "new.bin": bytes, "a.json": text("{}") });
    assert.ok((await store.pins()).includes(cid));
    assert.equal(await store.has(cid), true);
    assert.equal(Buffer.compare(await store.getFile(cid, "new.bin", { maxBytes: 3_000_000 }), bytes), 0);
    const served = await fetch(`${other().gatewayUrl}/ipfs/${cid}/new.bin`);
    assert.equal(Buffer.compare(new Uint8Array(await served.arrayBuffer()), bytes), 0);
  });

  it("answers requests for blocks and ranges as the other's gateway does", async () => {
    const cid = other().cids["model"] ?? "";
    const store = await bench.store();
    await store.putDirectory(DIRECTORIES["model"] ?? {});
    const app = createGateway({ store, reporter: createRecorder(), authoriseUpload: async () => false });
    bench.onClose(() => app.close());
    const own = await app.listen({ host: "127.0.0.1", port: 0 });
    const requests: [string, Record<string, string>, string][] = [
      [`/ipfs/${cid}?format=raw`, {}, "GET"],
      [`/ipfs/${cid}?format=raw`, {}, "HEAD"],
      [`/ipfs/${cid}`, { accept: "application/vnd.ipld.raw" }, "GET"],
      [`/ipfs/${cid}/model.safetensors`, { range: "bytes=1048570-1048590" }, "GET"],
      [`/ipfs/${cid}/model.safetensors`, { range: "bytes=-5" }, "GET"],
      [`/ipfs/${cid}/model.safetensors`, { range: "bytes=9999999-" }, "GET"],
      [`/ipfs/${cid}/config.json`, {}, "GET"],
      ["/ipfs/bafkqaaa?format=raw", {}, "GET"],
      ["/ipfs/bafkqaaa?format=raw", {}, "HEAD"],
      [`/ipfs/${cid}/absent`, {}, "GET"],
      ["/ipfs/not-a-cid", {}, "GET"],
    ];
    for (const [path, headers, method] of requests) {
      const [ours, theirs] = await Promise.all(
        [own, other().gatewayUrl].map((base) => fetch(base + path, { headers, method })),
      );
      assert.ok(ours !== undefined && theirs !== undefined);
      assert.equal(ours.status, theirs.status, `${method} ${path} ${JSON.stringify(headers)}`);
      const [ourBody, theirBody] = await Promise.all([ours.arrayBuffer(), theirs.arrayBuffer()]);
      if (!ours.ok) continue;
      assert.deepEqual(Buffer.from(ourBody), Buffer.from(theirBody), path);
      for (const name of ["content-range", "content-length", "x-ipfs-roots"]) {
        assert.equal(ours.headers.get(name), theirs.headers.get(name), `${method} ${path} ${name}`);
      }
    }
  });
}

async function writeDirectories(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, files] of Object.entries(DIRECTORIES)) {
    await mkdir(join(folder, name));
    for (const [fileName, bytes] of Object.entries(files)) await writeFile(join(folder, name, fileName), bytes);
    paths.push(join(folder, name));
  }
  return paths;
}

(BOXO === undefined ? describe.skip : describe)(
  "ipfs exchange with boxo, Kubo's library (needs IPFS_BOXO_BIN)",
  function () {
    this.timeout(60_000);
    const bench = new Workbench();
    let other: Other | undefined;

    before(async () => {
      const paths = await writeDirectories(await bench.folder());
      const peer = spawn(BOXO ?? "", paths, { stdio: ["pipe", "pipe", "inherit"] });
      bench.onClose(async () => peer.stdin.end());
      const [line] = (await once(createInterface(peer.stdout), "line")) as [string];
      const { url, roots } = JSON.parse(line) as { url: string; roots: Record<string, string> };
      const cids = Object.fromEntries(Object.entries(roots).map(([path, cid]) => [path.split("/").at(-1) ?? "", cid]));
      other = { cids, gatewayUrl: url, apiUrl: url };
    });

    after(() => bench.clear());
    sharedSuite(bench, () => other ?? assert.fail("boxo-peer did not start"));
  },
);

(KUBO === undefined ? describe.skip : describe)(
  "ipfs exchange with Kubo (needs IPFS_KUBO_BIN or ipfs in PATH)",
  function () {
    this.timeout(60_000);
    const bench = new Workbench();
    let other: Other | undefined;

    before(async () => {
      const cids: Record<string, string> = {};
      const paths = await writeDirectories(await bench.folder());
      const kubo = await startKubo(async (ipfs) => {
        for (const path of paths) {
          const options = ["--cid-version=1", "--raw-leaves", "--chunker=size-1048576", "--max-file-links=1024"];
          cids[path.split("/").at(-1) ?? ""] = await ipfs("add", "-r", "-Q", "--hidden", ...options, path);
        }
      });
      bench.onClose(() => kubo.close());
      other = { cids, ...kubo };
    });

    after(() => bench.clear());
    sharedSuite(bench, () => other ?? assert.fail("the Kubo daemon did not start"));
  },
);
