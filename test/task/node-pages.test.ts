import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { FastifyInstance } from "fastify";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { createGateway } from "../../content/gateway.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { addNodePages } from "../../task/node-pages.ts";
import { fetchNodeStatus } from "../../task/node-status.ts";
import { poll } from "../../task/role.ts";
import { createVitals } from "../../task/vitals.ts";
import type { Vitals } from "../../task/vitals.ts";
import { Workbench } from "../content/support.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { createRecorder } from "../support/round-recorder.ts";

const bench = new Workbench();
const POLL_MS = 1000;
const PAGES = ["/", "/health", "/ready", "/status", "/metrics"];
const NAME = `<script>alert("1")</script>`;

/** A chain of which only what is known without asking may be used. */
function silent(chain: TaskWriter): TaskWriter {
  return new Proxy(chain, {
    get: (target, name) => {
      if (name === "context" || name === "account") return target[name];
      throw new Error(`the chain was asked for ${String(name)}`);
    },
  });
}

describe("a node's pages", () => {
  let task: MemoryTask;
  let vitals: Vitals;
  let now: number;
  let app: FastifyInstance;
  let url: string;
  beforeEach(async () => {
    task = await openMemoryTask();
    now = 0;
    vitals = createVitals(() => now, POLL_MS);
    const authoriseUpload = async (): Promise<string> => "nobody uploads here";
    app = createGateway({ store: await bench.store(), authoriseUpload, reporter: createRecorder() });
    bench.onClose(() => app.close());
    const member = task.members[1]!;
    const opened = { document: { name: NAME }, parameters: task.parameters } as Parameters<
      typeof addNodePages
    >[1]["task"];
    addNodePages(app, { chain: silent(member), task: opened }, { role: "member", seat: 2 }, vitals);
    url = await app.listen({ host: "127.0.0.1", port: 0 });
  });
  afterEach(() => bench.clear());

  const get = async (path: string): Promise<{ status: number; body: string; headers: Headers }> => {
    const response = await fetch(url + path);
    return { status: response.status, body: await response.text(), headers: response.headers };
  };
  /** The value of a metric, by its name and labels. */
  const metric = async (name: string): Promise<number | undefined> => {
    const line = (await get("/metrics")).body.split("\n").find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  };
  /** Steps the role's loop, which does nothing but look, so often. */
  const loop = async (times: number, chain: TaskWriter = task.members[1]!): Promise<void> => {
    let left = times;
    await poll(
      {
        node: { chain, network: { refresh: async () => undefined } as never },
        reporter: vitals.watching(createRecorder()),
        pace: { moved: () => undefined, pause: async () => undefined },
        vitals,
      },
      async () => {
        vitals.looked(await chain.look());
        return false;
      },
      async () => left-- <= 0,
    );
  };

  it("say who it is and what its loop saw last, to GET and HEAD, without asking the chain", async () => {
    const round = await openMemoryRound(task);
    await loop(1);
    vitals.watching(createRecorder()).wait("round 1: collecting, 0/3");
    vitals.measured({ accuracy: 0.9, loss: 0.4, samples: 10 });
    now = 2500;
    for (const path of PAGES) {
      const head = await fetch(url + path, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [200, ""], path);
      assert.equal((await get(path)).headers.get("cache-control"), "no-store", path);
    }
    const status = await fetchNodeStatus(url, fetch);
    const { number, phase, deadline } = await task.operator.round();
    assert.deepEqual([number, phase], [round, "Collecting"]);
    assert.deepEqual(
      { ...status, version: "", uptimeSeconds: 0 },
      {
        schemaVersion: 1,
        ...{ role: "member", seat: 2, version: "", task: NAME, chainId: task.operator.context.chainId.toString() },
        ...{ contract: task.contract, account: task.members[1]!.account.toLowerCase() },
        ...{ healthy: true, ready: true, trouble: null, uptimeSeconds: 0, lookSecondsAgo: 2.5 },
        round: { number: "1", phase: "Collecting", deadline, submitted: 0, expected: 3 },
        finalisedRounds: 0,
        metrics: { claimed: { accuracy: 0.9, loss: 0.4, samples: 10 } },
        waitsFor: { text: "round 1: collecting, 0/3", seconds: 2.5 },
      },
    );
  });

  it("are healthy while the loop looks at the chain, and say why when it does not", async () => {
    assert.equal((await get("/health")).status, 200);
    assert.deepEqual([(await get("/ready")).status, (await fetchNodeStatus(url, fetch))?.round], [503, null]);
    await loop(1);
    assert.equal((await get("/ready")).status, 200);
    const away = async (): Promise<never> => {
      throw new VerisumError("CHAIN_UNREACHABLE", "http://10.1.2.3:8545/ does not answer; asked from /home/somebody");
    };
    now += 30_000;
    await loop(1, { ...task.members[1]!, look: away });
    assert.equal((await get("/health")).status, 200);
    now += 2000;
    await loop(1, { ...task.members[1]!, look: away });
    for (const path of ["/health", "/ready"]) {
      const { status, body } = await get(path);
      assert.equal(status, 503);
      assert.match(body, /no look at the chain for 32 s: CHAIN_UNREACHABLE/);
    }
    for (const path of PAGES) assert.doesNotMatch((await get(path)).body, /10\.1\.2\.3|somebody/, path);
    assert.equal(await metric('verisum_errors_total{code="CHAIN_UNREACHABLE"}'), 2);
    await loop(1);
    assert.equal((await get("/health")).status, 200);
  });

  it("give a step that waits for the chain minutes before it counts as stuck", async () => {
    await loop(1);
    vitals.watching(createRecorder()).wait("the transaction is not mined yet");
    now = 180_000 + POLL_MS;
    assert.equal((await get("/health")).status, 200);
    now += 1;
    assert.equal((await get("/health")).status, 503);
  });

  it("wait for nothing once the role has acted", async () => {
    vitals.watching(createRecorder()).wait("something");
    assert.equal((await fetchNodeStatus(url, fetch))?.waitsFor?.text, "something");
    vitals.acted();
    assert.equal((await fetchNodeStatus(url, fetch))?.waitsFor, null);
  });

  it("show what others wrote as text, in a page in which nothing runs, with links to the content", async () => {
    await loop(1);
    const { body, headers } = await get("/");
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; style-src 'sha256-/);
    assert.doesNotMatch(policy, /script-src|unsafe|style-src [^;]*self/);
    assert.doesNotMatch(body, /<script|alert\("/);
    assert.ok(body.includes("&#60;script&#62;"));
    const { taskCid, genesisCid } = task.parameters;
    for (const link of [...PAGES.slice(1), `/ipfs/${cidFromDigest(taskCid)}/`, `/ipfs/${cidFromDigest(genesisCid)}/`])
      assert.ok(body.includes(`href="${link}"`), link);
  });

  it("count requests, bytes and errors, and show the process, for Prometheus", async () => {
    await loop(1);
    const { headers, body } = await get("/metrics");
    assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for (const line of body.split("\n").slice(0, -1))
      assert.match(
        line,
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+)$/,
      );
    const names = [...body.matchAll(/^# TYPE ([a-z_]+) /gm)].map(([, name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
    const requests = 'verisum_http_requests_total{route="/health",method="GET",status="200"}';
    assert.equal(await metric(requests), undefined);
    const before = await metric("verisum_http_sent_bytes_total");
    for (let i = 0; i < 3; i++) await get("/health");
    assert.equal(await metric(requests), 3);
    await get(`/${"x".repeat(50)}`);
    assert.equal(await metric('verisum_http_requests_total{route="",method="GET",status="404"}'), 1);
    assert.ok((await metric("verisum_http_sent_bytes_total"))! > before! + 3 * '{"healthy":true}'.length);
    const resident = (await metric("process_resident_memory_bytes"))!;
    assert.ok(resident > 1e7 && resident < 1e11);
    if (process.platform === "linux") assert.ok((await metric("process_open_fds"))! > 3);
    assert.equal(await metric("verisum_rounds_finalised_total"), 0);
    assert.equal(await metric('verisum_round_phase{phase="Idle"}'), 1);
    const said = vitals.watching(createRecorder());
    said.say("warn", "bad-release", "a release is unusable", { code: "ENCODING_LENGTH" });
    said.say("warn", "copy-refused", "again and again", { code: "ENCODING_LENGTH", unsaid: 4 });
    said.say("warn", "odd", "not a code", { code: "x\ny" });
    assert.equal(await metric('verisum_errors_total{code="ENCODING_LENGTH"}'), 6);
  });

  it("are behind the gateway's limits: host names, headers and methods", async () => {
    for (const path of PAGES) {
      const foreign = await app.inject({ url: path, headers: { host: "evil.example" } });
      assert.deepEqual([foreign.statusCode, foreign.json<{ code: string }>().code], [403, "HOST_REFUSED"]);
      assert.equal((await fetch(url + path, { method: "POST" })).status, 404);
      const { headers } = await get(path);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
  });

  it("are read from others' nodes only if they are what they should be, and soon", async () => {
    const answers =
      (body: string): typeof fetch =>
      async () =>
        new Response(body);
    const { body } = await get("/status");
    assert.ok(await fetchNodeStatus("http://x.example", answers(body)));
    for (const wrong of ["", "null", body.replace('"member"', '"stranger"'), body + " ".repeat(20_000)])
      assert.equal(await fetchNodeStatus("http://x.example", answers(wrong)), undefined);
    assert.equal(await fetchNodeStatus("no url", fetch), undefined);
  });
});
