import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "mocha";
import { parsePeerUrl } from "../../content/peers.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { blocksOfCar, fakePeers, rejectsWith, seededBytes, text, Workbench } from "./support.ts";

const bench = new Workbench();
const A = "http://a.example";
const B = "http://b.example";
const LIMITS = { maxBytes: 10_000_000 };

async function published(): Promise<{ cid: string; bytes: Uint8Array; blocks: Map<string, Uint8Array> }> {
  const bytes = seededBytes(21, 2_500_000);
  const source = await bench.store();
  const cid = await source.putDirectory({ model: bytes, note: text("n") });
  return { cid, bytes, blocks: blocksOfCar(await source.exportCar(cid)) };
}

describe("ipfs fetching from peers", () => {
  afterEach(() => bench.clear());

  it("fetches what is missing, verifies it, keeps it, and asks no peer twice", async () => {
    const { cid, bytes, blocks } = await published();
    const { fetch, asked } = fakePeers({ [A]: blocks });
    const store = await bench.store({ peers: () => [A], fetch });
    assert.deepEqual(Buffer.from(await store.getFile(cid, "model", LIMITS)), Buffer.from(bytes));
    assert.equal(asked.length, 5); // directory, file node, three leaves
    await store.getFile(cid, "model", LIMITS);
    assert.equal(asked.length, 5);
    assert.equal(await store.has(cid), false); // the other file was not asked for
    await store.pin(cid);
    assert.equal(await store.has(cid), true);
    assert.deepEqual(await store.pins(), [cid]);
  });

  it("catches a lying peer at every block position and takes the block from the next peer", async () => {
    const { cid, bytes, blocks } = await published();
    for (const [lie] of blocks) {
      const wrong = new Map(blocks);
      const changed = Uint8Array.from(blocks.get(lie) ?? []);
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
      wrong.set(lie, changed);
      const reporter = createRecorder();
      const { fetch, asked } = fakePeers({ [A]: wrong, [B]: blocks });
      const store = await bench.store({ peers: () => [A, B], fetch, reporter });
      await store.pin(cid);
      assert.deepEqual(Buffer.from(await store.getFile(cid, "model", LIMITS)), Buffer.from(bytes));
      // The liar is asked up to its lie, the other peer from there on.
      const turn = asked.indexOf(`${B} ${lie}`);
      assert.equal(asked[turn - 1], `${A} ${lie}`);
      assert.ok(asked.every((request, i) => request.startsWith(i < turn ? A : B)));
      assert.deepEqual(
        reporter.events.map(({ level, event, facts }) => [level, event, facts["subject"], facts["cid"]]),
        [["warn", "peer-wrong-bytes", A, lie]],
      );
      assert.match(String(reporter.events[0]!.facts["reason"]), /IPFS_BLOCK_MISMATCH/);
      const alone = await bench.store({ peers: () => [A], fetch });
      const error = await rejectsWith(alone.pin(cid), "IPFS_UNAVAILABLE");
      assert.ok(error.message.includes(A));
    }
  });

  it("asks a peer that keeps it waiting once, and last from then on", async () => {
    const { cid, blocks } = await published();
    const { fetch, asked } = fakePeers({ [A]: new Map(), [B]: blocks });
    const store = await bench.store({ peers: () => [A, B], fetch });
    await store.pin(cid);
    assert.equal(asked.filter((request) => request.startsWith(A)).length, 1);
  });

  it("says which peers failed and how, and that trying again may help", async () => {
    const { cid } = await published();
    const { fetch } = fakePeers({ [A]: new Map(), [B]: () => new Response("wrong bytes") });
    const store = await bench.store({ peers: () => [A, "http://gone.example", B, "ftp://x"], fetch });
    const error = await rejectsWith(store.getFile(cid, "model", LIMITS), "IPFS_UNAVAILABLE");
    assert.ok(isVerisumError(error));
    assert.equal(error.details["retryable"], true);
    assert.deepEqual(
      (error.details["failures"] as readonly string[]).map((failure) => failure.split(": ")[0]),
      [A, "http://gone.example", B, "ftp://x"],
    );
    await rejectsWith((await bench.store()).getFile(cid, "model", LIMITS), "IPFS_UNAVAILABLE");
  });

  it("works again once a peer is back", async () => {
    const { cid, blocks } = await published();
    const peers: string[] = [];
    const { fetch } = fakePeers({ [A]: blocks });
    const store = await bench.store({ peers: () => peers, fetch });
    await rejectsWith(store.pin(cid), "IPFS_UNAVAILABLE");
    peers.push(A);
    await store.pin(cid);
    assert.equal(await store.has(cid), true);
  });

  it("stops reading an answer that is longer than a block may be", async () => {
    const { cid } = await published();
    let sentBytes = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            sentBytes += 65_536;
            controller.enqueue(new Uint8Array(65_536));
          },
        }),
      );
    const { fetch } = fakePeers({ [A]: endless });
    const store = await bench.store({ peers: () => [A], fetch });
    await rejectsWith(store.pin(cid), "IPFS_UNAVAILABLE");
    assert.ok(sentBytes < 4_000_000, `${sentBytes} bytes were taken`);
  });

  it("gives up on peers that stall, within the time for a block and for the call", async () => {
    const { cid } = await published();
    const server = createServer((_request, response) => {
      response.writeHead(200);
      response.write("x"); // and never ends
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    bench.onClose(async () => server.closeAllConnections());
    bench.onClose(async () => server.close());
    const peer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const slow = await bench.store({
      peers: () => [peer, peer],
      limits: { blockTimeoutMs: 60, callTimeoutMs: 10_000 },
    });
    await rejectsWith(slow.pin(cid), "IPFS_UNAVAILABLE");
    const patient = await bench.store({
      peers: () => [peer, peer, peer],
      limits: { blockTimeoutMs: 10_000, callTimeoutMs: 100 },
    });
    await rejectsWith(patient.pin(cid), "IPFS_UNAVAILABLE");
  });

  /** A peer that answers each request in its own time. */
  async function slowPeer(answer: (path: string, response: ServerResponse) => void): Promise<string> {
    const server = createServer((request, response) => answer(request.url ?? "", response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    bench.onClose(async () => server.closeAllConnections());
    bench.onClose(async () => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("takes a block from the next peer when one sends nothing, or a few bytes now and then", async function () {
    this.timeout(10_000);
    const { cid, blocks } = await published();
    const held = await slowPeer((path, response) => response.end(blocks.get(path.split(/[/?]/)[2] ?? "")));
    const silent = await slowPeer(() => undefined);
    const trickling = await slowPeer((_path, response) => {
      const timer = setInterval(() => response.write("x"), 50);
      response.on("close", () => clearInterval(timer));
    });
    for (const slow of [silent, trickling]) {
      const reporter = createRecorder();
      const store = await bench.store({ peers: () => [slow, held], limits: { blockPatienceMs: 300 }, reporter });
      await store.pin(cid);
      assert.equal(reporter.facts("peer-too-slow").length > 0, true);
    }
  });

  it("lets a peer that gets on take its time, and asks others first from then on", async function () {
    this.timeout(20_000);
    const { cid, blocks } = await published();
    const asked: string[] = [];
    const answer =
      (name: string, delayMs: number) =>
      (path: string, response: ServerResponse): void => {
        asked.push(name);
        const bytes = Buffer.from(blocks.get(path.split(/[/?]/)[2] ?? "") ?? []);
        setTimeout(() => response.end(bytes), delayMs);
      };
    const [late, quick] = [await slowPeer(answer("late", 2200)), await slowPeer(answer("quick", 0))];
    const store = await bench.store({ peers: () => [late, quick] });
    await store.list(cid);
    assert.equal(asked[0], "late");
    assert.ok(asked.length > 1 && asked.slice(1).every((name) => name === "quick"), asked.join());
  });

  it("does not follow redirects, not even to the right bytes", async () => {
    const { cid, blocks } = await published();
    let followed = false;
    const server = createServer((request, response) => {
      const asked = (request.url ?? "").split("?")[0]?.split("/").at(-1) ?? "";
      if (request.url?.startsWith("/elsewhere") === true) {
        followed = true;
        response.end(blocks.get(asked));
      } else response.writeHead(302, { location: `/elsewhere/${asked}` }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    bench.onClose(async () => server.closeAllConnections());
    bench.onClose(async () => server.close());
    const store = await bench.store({ peers: () => [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] });
    await rejectsWith(store.pin(cid), "IPFS_UNAVAILABLE");
    assert.equal(followed, false);
  });

  it("accepts http and https peers, with a path or without", () => {
    assert.equal(parsePeerUrl("http://127.0.0.1:8080").href, "http://127.0.0.1:8080/");
    assert.equal(parsePeerUrl("https://ipfs.example/gateway").href, "https://ipfs.example/gateway/");
    assert.equal(parsePeerUrl("http://[::1]:8080/").href, "http://[::1]:8080/");
    for (const host of ["10.0.0.7", "192.168.1.2", "100.64.0.9", "8.8.8.8", "[fd12:3456::1]", "[2a00:1450::1]", "node"])
      assert.equal(parsePeerUrl(`http://${host}/`).href, `http://${host}/`);
    assert.equal(parsePeerUrl("http://[::ffff:127.0.0.1]/").href, "http://[::ffff:7f00:1]/");
  });

  it("refuses other schemes, credentials, and addresses where no peer lives", () => {
    const refused = [
      "",
      "127.0.0.1:8080",
      "file:///etc/passwd",
      "gopher://x",
      "ftp://x",
      "data:text/plain,x",
      "javascript:alert(1)",
      "ipfs://x",
      "http://user@x",
      "http://u:p@x/",
      "http://x/?a=b",
      "http://x/#f",
      "http://169.254.169.254/latest",
      "http://0xa9fea9fe/",
      "http://2852039166/",
      "http://0.0.0.0/",
      "http://0/",
      "http://[::]/",
      "http://[fe80::1]/",
      "http://[::ffff:169.254.169.254]/",
      "http://[ff02::1]/",
      "http://224.0.0.1/",
      "http://239.1.1.1/",
      "http://255.255.255.255/",
      "http://240.0.0.1/",
      "http://169.254.169.254./",
      // clouds' metadata services, and forms of IPv6 that translators and tunnels turn into them
      "http://100.100.100.200/",
      "http://168.63.129.16/",
      "http://0xa83f8110/",
      "http://192.0.0.192/",
      "http://[fd00:ec2::254]/",
      "http://[fd00:ec2::23]/",
      "http://[fd00:c1::a9fe:a9fe]/",
      "http://[fd00:42::42]/",
      "http://[fd12:3456::169.254.0.23]/",
      "http://[fd00:0ec2:0:0:0:0:0:254]/",
      "http://[fd20:ce::254]/",
      "http://[fe80::a9fe:a9fe]/",
      "http://[::ffff:100.100.100.200]/",
      "http://[::ffff:168.63.129.16]/",
      "http://[::ffff:0:169.254.169.254]/",
      "http://[::169.254.169.254]/",
      "http://[64:ff9b::169.254.169.254]/",
      "http://[64:ff9b::100.100.100.200]/",
      "http://[64:ff9b::168.63.129.16]/",
      "http://[64:ff9b:1::169.254.169.254]/",
      "http://[2002:a9fe:a9fe::1]/",
      "http://[2002:6464:64c8::]/",
      "http://[2002:a83f:8110::]/",
      "http://[2001:0:a9fe:a9fe::1]/",
    ];
    for (const url of refused)
      assert.throws(
        () => parsePeerUrl(url),
        (error) => isVerisumError(error, "IPFS_PEER_URL"),
        url,
      );
  });
});
