import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { LookupAddress } from "node:dns";
import { after, before, describe, it } from "mocha";
import { createPeerFetch } from "../../content/peer-fetch.ts";
import { isVerisumError } from "../../protocol/errors.ts";

describe("a connection to a peer by its name", () => {
  let port: number;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.headers.host));
    response.end("here");
  });
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const resolvingTo =
    (...addresses: readonly string[]) =>
    (_name: string, callback: (error: null, found: LookupAddress[]) => void): void =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );

  it("goes to an address that was checked, by the name that it was asked for", async () => {
    const fetch = createPeerFetch(resolvingTo("169.254.169.254", "127.0.0.1"));
    assert.equal(await (await fetch(`http://peer.example:${port}/`)).text(), "here");
    assert.deepEqual(asked.splice(0), [`peer.example:${port}`]);
  });

  for (const address of [
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd00:c1::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::ffff:169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
  ])
    it(`is not made to ${address}`, async () => {
      const fetch = createPeerFetch(resolvingTo(address));
      await assert.rejects(fetch(`http://peer.example:${port}/`), ({ cause }: Error) =>
        isVerisumError(cause, "IPFS_PEER_URL"),
      );
      assert.deepEqual(asked, []);
    });

  for (const host of ["169.254.169.254", "[fd00:ec2::254]", "0xa9fea9fe", "[::ffff:100.100.100.200]"])
    it(`is not made to ${host} where a URL says so itself`, async () => {
      // What was tried fails with the connection's error.
      await assert.rejects(createPeerFetch()(`http://${host}:${port}/`), (error) =>
        isVerisumError(error, "IPFS_PEER_URL"),
      );
    });

  it("is not made where a redirect leads", async () => {
    const away = createServer((_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
    });
    await new Promise<void>((resolve) => away.listen(0, "127.0.0.1", resolve));
    const { port: from } = away.address() as AddressInfo;
    await assert.rejects(createPeerFetch(resolvingTo("127.0.0.1"))(`http://peer.example:${from}/`), /fetch failed/);
    assert.deepEqual(asked, []);
    away.close();
  });

  it("goes to each address that was checked at the time of the connection, not to an earlier answer", async () => {
    let answers = ["127.0.0.1"];
    const fetch = createPeerFetch((name, callback) => resolvingTo(...answers)(name, callback));
    assert.equal(
      await (await fetch(`http://peer.example:${port}/`, { headers: { connection: "close" } })).text(),
      "here",
    );
    asked.splice(0);
    answers = ["169.254.169.254"];
    await assert.rejects(fetch(`http://peer.example:${port}/`));
    assert.deepEqual(asked, []);
  });

  it("fails when the name is unknown", async () => {
    const fetch = createPeerFetch((_name, callback) => callback(new Error("no such name"), []));
    await assert.rejects(fetch(`http://peer.example:${port}/`), /fetch failed/);
  });

  it("lasts as long as it is told while the peer takes slowly what it is sent", async () => {
    const slow = createServer((request, response) => {
      request.pause();
      setTimeout(() => request.resume().on("end", () => response.end("taken")), 3000);
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
    const send = (silenceMs: number): Promise<Response> =>
      createPeerFetch(undefined, silenceMs)(url, { method: "POST", body: new Uint8Array(32_000_000) });
    await assert.rejects(send(200), /fetch failed/);
    assert.equal(await (await send(60_000)).text(), "taken");
    slow.closeAllConnections();
    slow.close();
  });
});
