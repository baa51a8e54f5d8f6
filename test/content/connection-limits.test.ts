import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { partyOf } from "../../content/connection-limits.ts";
import { createGateway } from "../../content/gateway.ts";
import type { GatewayOptions } from "../../content/gateway.ts";
import { createRecorder } from "../support/round-recorder.ts";
import { seededBytes, Workbench } from "./support.ts";

const bench = new Workbench();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function gateway(options: Partial<GatewayOptions>): Promise<{ url: string; port: number; cid: string }> {
  const store = await bench.store();
  const cid = await store.putDirectory({ long: seededBytes(61, 12_000_000) });
  const app = createGateway({ store, reporter: createRecorder(), authoriseUpload: async () => false, ...options });
  bench.onClose(() => app.close());
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  return { url, port: Number(new URL(url).port), cid };
}

/** Connections from one address, each with a request that is never read further, or none. */
async function occupy(port: number, count: number, localAddress: string, head = ""): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: "127.0.0.1", localAddress }).pause());
  for (const socket of sockets) {
    socket.on("error", () => undefined);
    if (head !== "") socket.on("connect", () => socket.write(head));
    bench.onClose(async () => void socket.destroy());
  }
  await pause(300);
  return sockets;
}

describe("the limits on a gateway's connections", () => {
  afterEach(() => bench.clear());

  it("count a network of 2^64 addresses as one party, and an address the same however it is written", () => {
    assert.equal(partyOf("2001:db8:0:7::1"), partyOf("2001:db8:0:7:ffff:1:2:3"));
    assert.notEqual(partyOf("2001:db8:0:7::1"), partyOf("2001:db8:0:8::1"));
    assert.equal(partyOf("::ffff:192.0.2.1"), partyOf("192.0.2.1"));
    assert.notEqual(partyOf("192.0.2.1"), partyOf("192.0.2.2"));
    assert.equal(partyOf("fe80::1%eth0"), partyOf("fe80::2%eth0"));
    assert.equal(partyOf(undefined), "unknown");
  });

  it("let a newcomer in where strangers of two addresses keep every connection busy", async () => {
    const { url, port, cid } = await gateway({ limits: { maxConnections: 16, maxConnectionsPerAddress: 8 } });
    const head = `GET /ipfs/${cid}/long HTTP/1.1\r\nhost: localhost\r\n\r\n`;
    await occupy(port, 8, "127.0.0.2", head);
    await occupy(port, 8, "127.0.0.3", head);
    for (let i = 0; i < 4; i++) assert.equal((await fetch(`${url}/ipfs/bafkqaaa`)).status, 200);
  });

  it("do not let a party that has as many as it may push out its own busy ones", async () => {
    const { port, cid } = await gateway({ limits: { maxConnectionsPerAddress: 4 } });
    const busy = await occupy(port, 4, "127.0.0.2", `GET /ipfs/${cid}/long HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    const more = await occupy(port, 2, "127.0.0.2");
    for (const socket of more) socket.resume();
    await pause(200);
    assert.deepEqual([busy.filter(({ closed }) => closed).length, more.filter(({ closed }) => closed).length], [0, 2]);
  });

  it("count connections over TLS that never finish a handshake", async function () {
    if (spawnSync("openssl", ["version"]).status !== 0) this.skip(); // makes the certificate
    const folder = await bench.folder();
    const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", keyFile, "-out", certFile],
    ]);
    const [key, cert] = [keyFile, certFile].map((file) => readFileSync(file, "utf8")) as [string, string];
    const limits = { maxConnections: 16, maxConnectionsPerAddress: 8 };
    const { port, cid } = await gateway({ tls: { key, cert }, limits });
    const silent = await occupy(port, 40, "127.0.0.2");
    for (const socket of silent) socket.resume();
    await pause(200);
    assert.equal(silent.filter(({ closed }) => !closed).length, 8);
    const read = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { ca: cert, servername: "localhost", headers: { host: "localhost" }, agent: false } as const;
        get(`https://127.0.0.1:${port}/ipfs/${cid}?format=raw`, options, (response) => {
          response.resume().on("end", () => resolve(response.statusCode ?? 0));
        }).on("error", reject);
      });
    for (let i = 0; i < 20; i++) assert.equal(await read(), 200, "closed connections are no longer counted");
  });
});
