import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { listenAddress } from "../../command/listen-address.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { CAR_MEDIA_TYPE, encodeCar } from "../../content/car.ts";
import { createGateway } from "../../content/gateway.ts";
import { buildDirectory } from "../../content/profile.ts";
import { replicate, uploadCar } from "../../content/upload.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { openEndpoint, publicUrlOf, taskGateway } from "../../task/endpoint.ts";
import type { WritingNode } from "../../task/node.ts";
import type { PublishingTask } from "../../task/opened-task.ts";
import { uploadAuthorization } from "../../task/upload-authorisation.ts";
import { directoryOf, fileData, handCar, pbBlock, rawBlock, text, Workbench } from "../content/support.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import { createRecorder } from "../support/round-recorder.ts";

const bench = new Workbench();
/** Blocks on top that make a block final. */
const CONFIRMATIONS = 3;

async function node(): Promise<Pick<WritingNode, "chain" | "sleep" | "store">> {
  const { members } = await openMemoryTask();
  return { chain: members[0]!, sleep: async () => undefined, store: await bench.store() };
}

/** Where a gateway counts uploads. */
async function stateOf(): Promise<Pick<WritingNode, "state" | "scope">> {
  const folder = await bench.folder();
  return { state: { file: (...parts: string[]) => join(folder, ...parts) } as WritingNode["state"], scope: "scope" };
}

const PUBLIC_URL = "http://127.0.0.1";

describe("a node's endpoint", () => {
  afterEach(() => bench.clear());

  it("says that its port is in use, and announces nothing", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    bench.onClose(() => new Promise((resolve) => other.close(resolve)));
    const { port } = other.address() as AddressInfo;
    const { chain, sleep, store } = await node();
    const app = createGateway({ store, reporter: createRecorder(), authoriseUpload: async () => false });
    const opening = openEndpoint(
      app,
      { host: "127.0.0.1", port },
      `http://127.0.0.1:${port}`,
      { chain, sleep } as WritingNode,
      createRecorder(),
    );
    await rejectsCode(opening, "LISTEN_FAILED");
    assert.equal((await chain.endpoints()).size, 0);
  });

  it("is reached over IPv6 by the URL that it announces: blocks are read, and copies taken", async () => {
    const { chain, sleep, store } = await node();
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "::1", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const listen = listenAddress(`[::1]:${port}`);
    const url = publicUrlOf({ listen });
    assert.equal(url, `http://[::1]:${port}`);
    const app = createGateway({ store, reporter: createRecorder(), authoriseUpload: async () => true });
    bench.onClose(() => app.close());
    await openEndpoint(app, listen, url, { chain, sleep } as WritingNode, createRecorder());
    assert.equal((await chain.endpoints()).get(chain.account), url);
    const held = await store.putDirectory({ "a.txt": text("a") });
    const reader = await bench.store({ peers: () => [url] });
    assert.deepEqual(Buffer.from(await reader.getFile(held, "a.txt", { maxBytes: 10 })), Buffer.from("a"));
    const made = await reader.putDirectory({ "b.txt": text("b") });
    const report = await replicate(reader, made, [url], 1, { authorise: async () => "any" });
    assert.equal(report.satisfied, true);
    assert.equal(await store.has(made), true);
  });

  it("begins without an announcement where the account cannot pay, and announces once it can", async () => {
    const { chain: own, sleep } = await node();
    let isPoor = true;
    const poor = new VerisumError("CHAIN_FUNDS_MISSING", "12 wei are missing", {});
    const announce: TaskWriter["announce"] = (...given) => (isPoor ? Promise.reject(poor) : own.announce(...given));
    const chain = { ...own, announce };
    const app = createGateway({
      ...{ store: await bench.store(), reporter: createRecorder() },
      authoriseUpload: async () => true,
    });
    bench.onClose(() => app.close());
    const [url, reporter] = ["http://poor.example:1", createRecorder()];
    const listen = { host: "127.0.0.1", port: 0 };
    const again = await openEndpoint(app, listen, url, { chain, sleep } as WritingNode, reporter);
    assert.deepEqual(reporter.facts("announcement-late"), [{ url, code: "CHAIN_FUNDS_MISSING" }]);
    await again();
    assert.equal(reporter.facts("announcement-late").length, 1, "said once");
    isPoor = false;
    await again();
    assert.equal((await own.endpoints()).get(own.account), url);
  });

  it("begins, and goes on, while its announcement is not mined", async () => {
    const { chain: own, sleep } = await node();
    let announcements = 0;
    const announce: TaskWriter["announce"] = () => (announcements++, new Promise(() => undefined));
    const chain = { ...own, announce };
    const app = createGateway({
      ...{ store: await bench.store(), reporter: createRecorder() },
      authoriseUpload: async () => true,
    });
    bench.onClose(() => app.close());
    const listen = { host: "127.0.0.1", port: 0 };
    const again = await openEndpoint(
      app,
      listen,
      "http://slow.example:1",
      { chain, sleep } as WritingNode,
      createRecorder(),
    );
    await again();
    assert.equal(announcements, 1);
  }).timeout(10_000);

  it("takes share bundles and share sums, and nothing else that would lie there for ever, in no more blocks than they have", async () => {
    const task = await openMemoryTask();
    const [member] = task.members;
    const store = await bench.store();
    const opened = { parameters: task.parameters, layout: layoutOfTask(task.parameters) } as unknown as PublishingTask;
    const node = { store, chain: member!, task: opened, observer: createRecorder(), ...(await stateOf()) };
    const app = taskGateway(node, PUBLIC_URL);
    bench.onClose(() => app.close());
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const upload = async (files: Readonly<Record<string, Uint8Array>>): Promise<string> => {
      const { root, blocks } = await buildDirectory(files);
      return send(root.toString(), encodeCar(root, [...blocks].reverse()));
    };
    const send = async (root: string, car: Uint8Array): Promise<string> => {
      const now = Math.floor(Date.now() / 1000);
      const result = await uploadCar(
        url,
        root,
        car,
        await uploadAuthorization(task.clients[0]!, { root, node: PUBLIC_URL }, now),
      );
      assert.equal(await store.has(root), result.ok);
      return result.ok ? "taken" : result.code;
    };
    const answers = [
      await upload({ "seat-1.bin": text("a"), "seat-4.bin": text("b") }),
      await upload({ "share-sum.bin": text("sum") }),
      await upload({ "seat-5.bin": text("of no seat") }),
      await upload({ "seat-1.bin": text("a"), "state.bin": text("b") }),
      await upload({ "share-sum.bin": text("sum"), "seat-1.bin": text("a") }),
      await upload({ "config.json": text("{}"), "state.bin": text("b") }),
    ];
    const refused = "IPFS_UPLOAD_REFUSED";
    assert.deepEqual(answers, ["taken", "taken", refused, refused, refused, refused]);
    assert.equal((await store.pins()).length, 2);
    const crumbs = Array.from({ length: 100 }, (_, i) => rawBlock(Uint8Array.of(i)));
    const links = crumbs.map(({ cidBytes: cid }) => ({ cid, name: "", totalBytes: 1 }));
    const file = pbBlock(links, fileData(crumbs.map(() => 1)));
    const root = directoryOf("seat-1.bin", file);
    const car = handCar(root.cidBytes, [root, file, ...crumbs]);
    await (await bench.store()).importCar(car, root.cid);
    assert.equal(await send(root.cid, car), "IPFS_LIMIT_EXCEEDED");
  });

  it("takes an honest client's upload while as many as the task takes for corrupt trickle all that they may", async () => {
    const corrupt = 10;
    const task = await openMemoryTask({
      parameters: { minClients: 2 + corrupt, maxCorrupt: corrupt },
      weights: Array.from({ length: 2 + corrupt }, () => 1),
    });
    const store = await bench.store();
    const opened = { parameters: task.parameters, layout: layoutOfTask(task.parameters) } as unknown as PublishingTask;
    const node = { store, chain: task.members[0]!, task: opened, observer: createRecorder(), ...(await stateOf()) };
    const app = taskGateway(node, PUBLIC_URL);
    bench.onClose(() => app.close());
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    const { root: cid, blocks } = await buildDirectory({ "seat-1.bin": text("share") });
    const [root, car] = [cid.toString(), encodeCar(cid, [...blocks].reverse())];
    const signed = (client: TaskWriter): Promise<string> =>
      uploadAuthorization(client, { root, node: PUBLIC_URL }, Math.floor(Date.now() / 1000));
    for (const client of task.clients.slice(0, corrupt))
      for (const authorization of [await signed(client), await signed(client)]) {
        const headers = { "content-type": CAR_MEDIA_TYPE, "content-length": car.length, authorization };
        const request = httpRequest(`${url}/v1/car?root=${root}`, { method: "POST", headers });
        request.on("error", () => undefined);
        request.write("x"); // the rest takes its time
        bench.onClose(async () => void request.destroy());
      }
    await new Promise((resolve) => setTimeout(resolve, 500));
    const result = await uploadCar(url, root, car, await signed(task.clients[corrupt]!));
    assert.deepEqual(result, { ok: true, alreadyHeld: false });
  });

  it("is announced again where a reorganisation undid that, until the announcement is final", async () => {
    const { chain: memory, members, reader } = await openMemoryTask();
    const [member] = members;
    const chain = { ...member!, finalBlock: reader(CONFIRMATIONS).finalBlock };
    const store = await bench.store();
    const app = createGateway({ store, reporter: createRecorder(), authoriseUpload: async () => true });
    bench.onClose(() => app.close());
    const announced = async (): Promise<string | undefined> => (await chain.endpoints()).get(chain.account);
    const url = "https://member.example";
    const before = memory.snapshot();
    const listen = { host: "127.0.0.1", port: 0 };
    const node = { chain, sleep: async () => undefined } as unknown as WritingNode;
    const announce = await openEndpoint(app, listen, url, node, createRecorder());
    assert.equal(await announced(), url);
    await announce();
    memory.restore(before);
    assert.equal(await announced(), undefined);
    await announce();
    assert.equal(await announced(), url);
    const height = memory.blockNumber;
    await announce();
    assert.equal(memory.blockNumber, height, "what is there is not announced again");
    memory.mine(CONFIRMATIONS);
    await announce();
    await chain.announce("https://elsewhere.example");
    await announce();
    assert.equal(await announced(), "https://elsewhere.example");
  });

  for (const address of ["0.0.0.0:7700", "[::]:7700"])
    it(`is not announced as ${address}, which nobody could reach`, () => {
      const listen = listenAddress(address);
      assert.throws(() => publicUrlOf({ listen }), { code: "USAGE" });
      assert.equal(publicUrlOf({ listen, publicUrl: "https://member.example" }), "https://member.example");
    });
});
