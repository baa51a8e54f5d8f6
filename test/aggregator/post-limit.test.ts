import { afterEach, beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import { mock } from "node:test";
import Fastify from "fastify";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { addRelayRoute } from "../../aggregator/relay.ts";
import type { Relay } from "../../aggregator/relay.ts";
import { createGateway } from "../../content/gateway.ts";
import type { ContentStore } from "../../content/store.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** As many posts in a minute as all clients of the largest cohort may have checked. */
const MOST_POSTS = 4 * 256;

describe("a relay's limit on posts", () => {
  let accepted = 0;
  let app: FastifyInstance;
  const post = (remoteAddress: string, payload = "{}"): Promise<LightMyRequestResponse> =>
    app.inject({
      method: "POST",
      url: "/v1/submissions/1",
      remoteAddress,
      headers: { "content-type": "application/json" },
      payload,
    });
  const statuses = async (...addresses: readonly string[]): Promise<number[]> => {
    const found: number[] = [];
    for (const address of addresses) found.push((await post(address)).statusCode);
    return found;
  };
  const exhaust = async (address: string): Promise<void> => {
    for (let made = 0; made < MOST_POSTS; made++) assert.deepEqual(await statuses(address), [400]);
  };
  beforeEach(() => {
    mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
    accepted = 0;
    app = Fastify();
    const relay: Relay = {
      accept: () => {
        accepted++;
        return Promise.resolve();
      },
      step: () => Promise.resolve(false),
    };
    addRelayRoute(app, relay, { chunkKinds: [0], committeeSize: 4, threshold: 2 } as unknown as TaskParameters);
  });
  afterEach(async () => {
    await app.close();
    mock.timers.reset();
  });

  it("refuses an address that posts too often for a minute, before it reads on, and no other one", async () => {
    await exhaust("192.0.2.1");
    assert.deepEqual(await statuses("192.0.2.1", "192.0.2.2"), [429, 400]);
    const refused = await post("192.0.2.1", "not JSON, and not read");
    assert.deepEqual([refused.statusCode, refused.json<{ code: string }>().code], [429, "POSTS_TOO_MANY"]);
    mock.timers.setTime(1_059_999);
    assert.deepEqual(await statuses("192.0.2.1"), [429]);
    mock.timers.setTime(1_060_000);
    assert.deepEqual(await statuses("192.0.2.1"), [400]);
    assert.equal(accepted, 0);
  });

  it("counts the 2^64 addresses of an IPv6 network as one, and an IPv4 address the same however it is written", async () => {
    await exhaust("2001:db8:0:7::1");
    const network = ["2001:db8:0:7:ffff:1:2:3", "2001:db8:0:7::", "2001:db8::7:9:a:b:c"];
    assert.deepEqual(await statuses(...network), [429, 429, 429]);
    const others = ["2001:db8:0:8::1", "2001:db8::1", "::1", "fe80::1:2:3:4%eth0", "10.0.0.2"];
    assert.deepEqual(await statuses(...others), [400, 400, 400, 400, 400]);
    await exhaust("10.0.0.1");
    assert.deepEqual(await statuses("::ffff:10.0.0.1", "::ffff:10.0.0.3"), [429, 400]);
  });

  it("does not believe what a client says of its own address", async () => {
    await exhaust("192.0.2.1");
    for (const name of ["x-forwarded-for", "forwarded", "x-real-ip"]) {
      const response = await app.inject({
        method: "POST",
        url: "/v1/submissions/1",
        remoteAddress: "192.0.2.1",
        headers: {
          "content-type": "application/json",
          [name]: name === "forwarded" ? "for=203.0.113.9" : "203.0.113.9",
        },
        payload: "{}",
      });
      assert.equal(response.statusCode, 429, name);
    }
  });

  it("keeps no more than 10,000 addresses", async function () {
    this.timeout(60_000);
    await exhaust("192.0.2.1");
    assert.deepEqual(await statuses("192.0.2.1"), [429]);
    for (let made = 0; made < 10_000; made++) await post(`10.1.${made >> 8}.${made & 255}`);
    assert.deepEqual(await statuses("192.0.2.1"), [400]);
  });

  it("is told like every refusal of the gateway", async () => {
    const reporter = createRecorder();
    const gateway = createGateway({
      store: {} as ContentStore,
      reporter,
      authoriseUpload: () => Promise.resolve(false),
    });
    addRelayRoute(gateway, { accept: () => Promise.resolve(), step: () => Promise.resolve(false) }, {
      chunkKinds: [0],
      committeeSize: 4,
      threshold: 2,
    } as unknown as TaskParameters);
    const own = app;
    app = gateway;
    for (let made = 0; made < MOST_POSTS; made++) await post("192.0.2.1");
    const refused = await app.inject({
      method: "POST",
      url: "/v1/submissions/1",
      remoteAddress: "192.0.2.1",
      headers: { host: "localhost" },
    });
    assert.equal(refused.statusCode, 429);
    assert.deepEqual(refused.json(), { code: "POSTS_TOO_MANY", message: "this address posts too often" });
    assert.deepEqual(reporter.events, []);
    await gateway.close();
    app = own;
  });
});
