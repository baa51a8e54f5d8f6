import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "mocha";
import type { TaskReader } from "../../chain/task-chain.ts";
import type { ContentStore } from "../../content/store.ts";
import { announcedNodes, bundleCopies, createPeerNetwork } from "../../task/peer-network.ts";
import { rejectsCode } from "../support/errors.ts";
import { createRecorder } from "../support/round-recorder.ts";

const MEMBER = "0x00000000000000000000000000000000000000aa";
const TERM = { seat: 1, member: MEMBER, fromRound: 1n, untilRound: undefined };
const CID = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

describe("a task's network", () => {
  it("tells of an announced address that nobody may ask, and of nodes that take no copy", async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.method === "HEAD" ? 404 : 403);
      response.end(request.method === "HEAD" ? "" : '{"code":"IPFS_UPLOAD_REFUSED","message":"no room"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const node = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const chain = {
      look: () => Promise.resolve({ round: { number: 1n }, seats: [TERM] }),
      operator: () => Promise.resolve(MEMBER),
      endpoints: () => Promise.resolve(new Map([[MEMBER, "http://100.100.100.200/latest/meta-data"]])),
    } as unknown as TaskReader;
    const store = { exportCar: () => Promise.resolve(new Uint8Array(8)) } as unknown as ContentStore;
    const reporter = createRecorder();
    const network = createPeerNetwork(chain, {
      bootstrap: [node],
      authorise: () => Promise.resolve("Verisum a secret"),
      sleep: () => Promise.resolve(),
      clock: () => 0,
      reporter,
    });
    await rejectsCode(
      network.replicate(store, CID, () => 2),
      "IPFS_UNAVAILABLE",
    );
    server.close();
    assert.deepEqual(network.peers(), [node]);
    assert.equal(reporter.facts("peer-not-asked")[0]?.["subject"], "http://100.100.100.200/latest/meta-data");
    const refused = { subject: `${node}/`, cid: CID, code: "IPFS_UPLOAD_REFUSED", reason: "no room" };
    assert.deepEqual(reporter.facts("copy-refused")[0], refused);
    assert.ok(!JSON.stringify(reporter.events).includes("secret"));
  });

  it("waits for an honest node beside as many as may lie, and pushes on to those that failed, one upload at a time", async () => {
    const uploads = new Map<string, number>();
    let isReady = false;
    /** A node that claims to hold everything, or takes `failing` uploads badly and the next one slowly. */
    const open = async (name: string, failing?: number): Promise<{ url: string; close: () => void }> => {
      let holds = failing === undefined;
      const server = createServer((request, response) => {
        request.resume();
        const answer = (status: number): void => void response.writeHead(status).end();
        if (request.method === "HEAD") return answer(holds ? 200 : 404);
        const count = (uploads.get(name) ?? 0) + 1;
        uploads.set(name, count);
        if (count <= failing!) return answer(503);
        setTimeout(() => {
          isReady = holds = true;
          answer(201);
        }, 300);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
    };
    const nodes = [await open("liar"), await open("liar 2"), await open("slow", 1), await open("later", 2)];
    let now = 0;
    const chain = {
      look: () => Promise.resolve({ round: { number: 1n }, seats: [] }),
      operator: () => Promise.resolve(MEMBER),
      endpoints: () => Promise.resolve(new Map()),
    } as unknown as TaskReader;
    const store = { exportCar: () => Promise.resolve(new Uint8Array(8)) } as unknown as ContentStore;
    const network = createPeerNetwork(chain, {
      bootstrap: [...nodes.map(({ url }) => url), "http://127.0.0.1:9"],
      authorise: () => Promise.resolve("Verisum"),
      sleep: () => Promise.resolve(),
      clock: () => now,
      reporter: createRecorder(),
    });
    await network.replicate(store, CID, (peers) => bundleCopies(peers, 2));
    assert.equal(isReady, true, "two copies are two claims");
    for (let looks = 0; looks < 40 && (uploads.get("later") ?? 0) < 3; looks++, now += 5000) {
      network.spread(store, CID);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    for (const { close } of nodes) close();
    assert.deepEqual([uploads.get("slow"), uploads.get("later")], [2, 3]);
    assert.deepEqual(
      [1, 2, 4, 5, 8].map((peers) => bundleCopies(peers, 2)),
      [2, 2, 2, 3, 3],
    );
  });

  /** A node that holds everything, or refuses everything that it has read, and counts what it was sent. */
  const nodeThat = async (holds: boolean): Promise<{ url: string; sent: () => number; close: () => void }> => {
    let sent = 0;
    const server = createServer((request, response) => {
      if (request.method !== "HEAD") sent++;
      request.resume().on("end", () => response.writeHead(holds ? 200 : request.method === "HEAD" ? 404 : 403).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { url, sent: () => sent, close: () => server.close() };
  };
  const store = { exportCar: () => Promise.resolve(new Uint8Array(8)) } as unknown as ContentStore;

  it("asks for as many copies as its nodes can give, whatever other names and peers that are gone it was told", async () => {
    const honest = [await nodeThat(true), await nodeThat(true)];
    // Nothing listens at the discard port.
    const announced = [...honest.map(({ url }) => url), "http://127.0.0.1:9", "http://127.0.0.2:9"];
    const accounts = announced.map((_, i) => `0x${String(i + 1).repeat(40)}`);
    const chain = {
      look: async () => ({
        round: { number: 1n },
        seats: accounts.map((member, i) => ({ ...TERM, seat: i + 1, member })),
      }),
      operator: async () => accounts[0],
      endpoints: async () => new Map(accounts.map((account, i) => [account, announced[i]])),
    } as unknown as TaskReader;
    const network = createPeerNetwork(chain, {
      bootstrap: [`${honest[0]!.url}/`, "http://127.0.0.3:9"],
      authorise: async () => "Verisum",
      sleep: async () => undefined,
      clock: () => 0,
      reporter: createRecorder(),
    });
    await network.replicate(store, CID, (peers) => bundleCopies(peers, 2));
    assert.equal(network.peers().length, 5, "one was named twice");
    for (const { close } of honest) close();
  });

  it("sends a node that refuses what it read the same ever more seldom", async () => {
    const refusing = await nodeThat(false);
    let now = 0;
    const chain = {
      look: async () => ({ round: { number: 1n }, seats: [] }),
      operator: async () => MEMBER,
      endpoints: async () => new Map(),
    } as unknown as TaskReader;
    const network = createPeerNetwork(chain, {
      bootstrap: [refusing.url],
      authorise: async () => "Verisum",
      sleep: async () => undefined,
      clock: () => now,
      reporter: createRecorder(),
    });
    await network.refresh();
    for (; now < 3_600_000; now += 60_000) {
      network.spread(store, CID);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    refusing.close();
    assert.ok(refusing.sent() >= 2 && refusing.sent() < 10, `${refusing.sent()} times in an hour`);
  });

  it("is what members and the operator announce: strangers' addresses are asked by nobody", async () => {
    const [operator, stranger] = [`0x${"b".repeat(40)}`, `0x${"c".repeat(40)}`];
    const chain = {
      look: () => Promise.resolve({ round: { number: 1n }, seats: [TERM] }),
      operator: () => Promise.resolve(operator),
      endpoints: () =>
        Promise.resolve(
          new Map([
            [stranger, "https://stranger.example"],
            [operator, "https://operator.example"],
            [MEMBER, "https://member.example"],
          ]),
        ),
    } as unknown as TaskReader;
    assert.deepEqual(await announcedNodes(chain, createRecorder()), [
      [operator, "https://operator.example"],
      [MEMBER, "https://member.example"],
    ]);
  });

  it("knows the latest few strangers besides, who may aggregate where nobody else does", async () => {
    const accounts = Array.from({ length: 10 }, (_, i) => `0x${String(i).repeat(40)}`);
    const urlOf = (account: string): string => `https://stranger-${account[2]}.example`;
    const chain = {
      look: () => Promise.resolve({ round: { number: 1n }, seats: [TERM] }),
      operator: () => Promise.resolve(MEMBER),
      endpoints: () =>
        Promise.resolve(
          new Map([
            ...accounts.map((account) => [account, urlOf(account)] as const),
            [MEMBER, "https://member.example"],
            ["0xaa", "http://169.254.169.254/"],
          ]),
        ),
    } as unknown as TaskReader;
    const network = createPeerNetwork(chain, {
      ...{ bootstrap: [urlOf(accounts[8]!)], own: urlOf(accounts[7]!) },
      authorise: () => Promise.resolve("Verisum"),
      sleep: () => Promise.resolve(),
      clock: () => 0,
      reporter: createRecorder(),
    });
    assert.deepEqual(network.strangers(), []);
    await network.refresh();
    const latest = [9, 6, 5, 4, 3].map((i) => accounts[i]!);
    assert.deepEqual(network.strangers(), latest.map(urlOf));
    for (const account of latest) assert.deepEqual(network.announcersOf(urlOf(account)), [account]);
    assert.deepEqual(network.peers(), ["https://member.example", urlOf(accounts[8]!)]);
  });
});
