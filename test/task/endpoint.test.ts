import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import { listenAddress } from "../../command/listen-address.ts";
import { createGateway } from "../../content/gateway.ts";
import { replicate } from "../../content/upload.ts";
import { openEndpoint, publicUrlOf } from "../../task/endpoint.ts";
import type { WritingNode } from "../../task/node.ts";
import { text, Workbench } from "../content/support.ts";
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
