import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { Wallet } from "ethers";
import { after, before, describe, it } from "mocha";
import { createAccountKeeper } from "../../../client/page/account.ts";
import type { Guard } from "../../../client/page/guard.ts";
import { dataAt, keepData, specOf } from "../../../client/page/kept-data.ts";
import { createPageServer } from "../../../client/page/page-server.ts";
import { createRunner } from "../../../client/page/run.ts";
import type { Join } from "../../../client/page/run.ts";
import { openSession } from "../../../client/page/session.ts";
import { platformRandom } from "../../../command/platform-random.ts";
import { VerisumError } from "../../../protocol/errors.ts";
import { rejectsCode, throwsCode } from "../../support/errors.ts";
import { createRecorder } from "../../support/round-recorder.ts";

const ORIGIN = "http://127.0.0.1:7900";
const HOST = { host: "127.0.0.1:7900" };
const KEY = `0x${"11".repeat(32)}`;
const never: Join = () => Promise.reject(new Error("nobody joins here"));

describe("the participant's page, against those who were not invited", () => {
  let folder: string;
  let app: FastifyInstance;
  let guard: Guard;
  let cookie: string;
  let key: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-page-"));
    const reporter = createRecorder();
    const session = await openSession({
      ...{
        folder,
        records: { directory: join(folder, "records"), release: "test" },
        reporter,
        random: platformRandom,
        join: never,
        now: Date.now,
      },
    });
    const server = await createPageServer({
      ...{ session, random: platformRandom, reporter, origin: () => ORIGIN },
      chainIdAt: () => Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "nobody answers")),
      onOpened: () => undefined,
    });
    ({ app, guard } = server);
    const opened = await open(guard.code());
    cookie = String(opened.headers["set-cookie"]);
    ({ key } = opened.json<{ readonly key: string }>());
  });
  after(async () => {
    await app.close();
    await rm(folder, { recursive: true });
  });

  const open = (code: string, headers: Readonly<Record<string, string>> = {}): Promise<LightMyRequestResponse> =>
    app.inject({ method: "POST", url: "/api/open", headers: { ...HOST, ...headers }, payload: { code } });
  const asWindow = (): Record<string, string> => ({
    ...HOST,
    cookie: cookie.split(";")[0]!,
    "x-verisum-page": key,
  });
  const get = (headers: Record<string, string>): Promise<LightMyRequestResponse> =>
    app.inject({ method: "GET", url: "/api/state", headers });
  const post = (url: string, payload: NonNullable<InjectOptions["payload"]>): Promise<LightMyRequestResponse> =>
    app.inject({ method: "POST", url, headers: asWindow(), payload });

  it("answers the window that was opened", async () => {
    assert.match(cookie, /^verisum-page=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/api\/$/);
    assert.equal((await get(asWindow())).statusCode, 200);
    assert.equal((await get({ ...asWindow(), origin: ORIGIN, "sec-fetch-site": "same-origin" })).statusCode, 200);
  });

  for (const [what, change] of [
    ["without the cookie", { cookie: "" }],
    ["without the key, as a server on another port that was sent the cookie", { "x-verisum-page": "" }],
    ["with another key", { "x-verisum-page": "A".repeat(43) }],
    ["from a page that no origin is told of", { origin: "null" }],
    ["from a page of another origin", { origin: "http://127.0.0.1:9999" }],
    ["from a page of another site", { "sec-fetch-site": "cross-site" }],
    ["from a page of another port", { "sec-fetch-site": "same-site" }],
  ] as const)
    it(`refuses a request ${what}`, async () => {
      const { statusCode, json } = await get({ ...asWindow(), ...change });
      assert.equal(statusCode, 401);
      assert.equal(json<{ readonly code: string }>().code, "HOST_REFUSED");
    });

  for (const host of ["localhost:7900", "127.0.0.1:7901", "evil.example", "127.0.0.1:7900.evil.example"])
    it(`does not answer as ${host}`, async () => {
      for (const url of ["/", "/api/state"])
        assert.equal((await app.inject({ method: "GET", url, headers: { ...asWindow(), host } })).statusCode, 403);
    });

  // A router reads more than one spelling of a path: no guard may go by the spelling.
  for (const [method, url] of [
    ["GET", `${ORIGIN}/api/state`],
    ["GET", "http://evil.example/api/state"],
    ["GET", "/%61pi/state"],
    ["GET", "/api%2Fstate"],
    ["GET", "//api/state"],
    ["GET", "/api;x/../api/state"],
    ["HEAD", "/%61pi/state"],
    ["POST", "/%61pi/leave"],
    ["POST", "/api/%73tart"],
    ["POST", `${ORIGIN}/api/pause`],
    ["POST", "/api/%6fpen"],
  ] as const)
    it(`does nothing for a stranger's ${method} ${url}`, async () => {
      const { statusCode, body } = await overSocket(app, `${method} ${url}`);
      assert.ok([400, 401, 404].includes(statusCode), `${statusCode} ${body}`);
      assert.doesNotMatch(body, /revision/);
    });

  it("takes a code once, never a wrong one, and not from a page of somebody else", async () => {
    const code = guard.code();
    assert.equal((await open("x".repeat(43))).statusCode, 401);
    assert.equal((await open(code, { origin: "http://evil.example" })).statusCode, 401);
    assert.equal((await open(code)).statusCode, 200);
    assert.notEqual(guard.code(), code);
    assert.equal((await open(code)).statusCode, 401);
  });

  it("names what it refuses, and repeats no secret", async () => {
    const wrong = await post("/api/account/import", { secret: "0xsecret", password: "long enough" });
    assert.equal(wrong.json<{ readonly code: string }>().code, "KEY_INVALID");
    assert.ok(!wrong.body.includes("0xsecret"));
    const short = await post("/api/account/make", { password: "short" });
    assert.match(short.json<{ readonly message: string }>().message, /has 5 characters: it needs 8/);
    const malformed = await post("/api/task", { contract: "0x12", rpc: [], peers: [], chainId: null });
    assert.equal(malformed.json<{ readonly code: string }>().code, "REQUEST_INVALID");
    const extra = await post("/api/account/make", { password: "long enough", more: 1 });
    assert.equal(extra.statusCode, 400);
    const away = await post("/api/task", {
      ...{ contract: `0x${"ab".repeat(20)}`, rpc: ["http://127.0.0.1:1"], peers: [], chainId: null },
    });
    assert.equal(away.json<{ readonly code: string }>().code, "CHAIN_UNREACHABLE");
    for (const [url, code] of [
      ["/api/start", "KEY_MISSING"],
      ["/api/data/label", "REQUEST_INVALID"],
    ] as const)
      assert.equal((await post(url, {})).json<{ readonly code: string }>().code, code);
  });

  it("keeps data that the page sends in its own folder, and shows what is in it", async () => {
    const { statusCode, body } = await app.inject({
      method: "POST",
      url: "/api/data?name=..%2F..%2Fward.csv",
      headers: { ...asWindow(), "content-type": "application/octet-stream" },
      payload: "age,sick\n40,1\n50,0\n60,1\n41,1\n51,0\n61,1\n",
    });
    assert.equal(statusCode, 200, body);
    assert.deepEqual(await readdir(join(folder, "data")), ["ward.csv"]);
    assert.ok(!body.includes(folder.slice(1)) || !body.includes("ward.csv,"), "no path of the copy is shown");
    const labelled = await post("/api/data/label", { label: "sick", classes: null });
    assert.match(labelled.body, /"train":4,"test":2/);
  });
});

describe("the page's account", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-account-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("is encrypted by scrypt in a file of its owner, opened by its password alone, and never overwritten", async () => {
    const file = join(folder, "account.json");
    await createAccountKeeper(file, platformRandom).import(KEY, "long enough");
    const text = await readFile(file, "utf8");
    assert.match(text, /"kdf":"scrypt"/);
    assert.ok(!text.includes("11".repeat(32)));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const keeper = createAccountKeeper(file, platformRandom);
    const address = new Wallet(KEY).address.toLowerCase();
    assert.deepEqual(await keeper.read(), { address, wallet: undefined });
    await rejectsCode(keeper.open("another one"), "KEY_INVALID");
    await keeper.open("long enough");
    assert.equal((await keeper.read())?.wallet?.privateKey, KEY);
    await rejectsCode(keeper.make("long enough"), "KEY_INVALID");
    assert.equal(await readFile(file, "utf8"), text);
  });
});

describe("data that a page connects", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-data-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("is refused without an ending, by half a path, and with names that would say something else", async () => {
    await rejectsCode(keepData(join(folder, "data"), "ward", Readable.from(["x"])), "DATASET_NOT_FOUND");
    throwsCode(() => dataAt("ward.csv"), "DATASET_NOT_FOUND");
    throwsCode(() => dataAt("/data/ward.csv?label=a"), "DATASET_NOT_FOUND");
    throwsCode(() => specOf({ ...dataAt("/ward.csv"), label: "a&test=0.9" }), "DATASET_SPEC_INVALID");
    assert.equal(
      specOf({ ...dataAt("/ward.csv"), label: "sick", classes: "no,yes" }),
      "/ward.csv?label=sick&classes=no,yes",
    );
  });

  it("takes the place of what was there once it is whole, and not before", async () => {
    const kept = join(folder, "kept");
    await keepData(kept, "ward.csv", Readable.from(["a,b\n1,2\n"]));
    async function* cut(): AsyncGenerator<string> {
      yield "a,b\n";
      await Promise.reject(new Error("the browser went away"));
    }
    await assert.rejects(keepData(kept, "other.csv", Readable.from(cut())), /went away/);
    assert.deepEqual(await readdir(kept), ["ward.csv"]);
    await keepData(kept, "other.csv", Readable.from(["c\n"]));
    assert.deepEqual(await readdir(kept), ["other.csv"]);
  });
});

describe("taking part from a page", () => {
  it("runs once at a time, pauses, and says why it ended", async () => {
    let started = 0;
    let fail: (error: Error) => void = () => undefined;
    const join: Join = (_options, { signal, reporter }) => {
      started += 1;
      reporter.say("good", "ready", "ready to take part");
      return new Promise((_, reject) => {
        fail = reject;
        signal.addEventListener("abort", () => reject(new VerisumError("INTERRUPTED", "stopped")));
      });
    };
    const runner = createRunner({
      ...{ reporter: createRecorder(), random: platformRandom, join, onChange: () => undefined, now: () => 5 },
    });
    const options = { rpc: "", contract: "0x", stateDirectory: "", peers: [] } as const;
    runner.start(options);
    runner.start(options);
    assert.equal(started, 1);
    assert.equal(runner.read().state, "running");
    await runner.pause();
    assert.equal(runner.read().state, "paused");
    runner.start(options);
    fail(new VerisumError("CHAIN_WRONG_NETWORK", "another chain"));
    await new Promise((resolve) => setImmediate(resolve));
    const { state, failure } = runner.read();
    assert.equal(state, "failed");
    assert.equal(failure?.code, "CHAIN_WRONG_NETWORK");
    assert.ok(failure.advice.length > 10);
    assert.deepEqual(
      runner.events().map(({ event }) => event),
      ["ready", "ready"],
    );
  });
});

/** A request line as it is written: clients normalise paths. */
async function overSocket(
  app: FastifyInstance,
  line: string,
): Promise<{ readonly statusCode: number; readonly body: string }> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  socket.end(`${line} HTTP/1.1\r\nHost: ${HOST.host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  const body = await textOf(socket);
  return { statusCode: Number(/^HTTP\/1\.1 (\d+)/.exec(body)?.[1]), body };
}
