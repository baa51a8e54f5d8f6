import assert from "node:assert/strict";
import fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Statement } from "../../task/statements.ts";
import { checkOrigin, parseStatement, statementJson } from "../../task/statements.ts";
import { MOST_OF_SEAT } from "../../task/statement-board.ts";
import { openStatements } from "../../task/node-statements.ts";
import type { NodeStatements } from "../../task/node-statements.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";
import { waitsOf } from "../support/waits.ts";

/** Nodes by host; what each answers is its app's, or its own. */
class Network {
  readonly apps = new Map<string, FastifyInstance>();
  readonly answers = new Map<string, () => Promise<Response>>();
  readonly requests: string[] = [];

  readonly fetch = (async (input: URL, init?: RequestInit) => {
    const { hostname, pathname } = input;
    this.requests.push(`${init?.method ?? "GET"} ${hostname}`);
    const answer = this.answers.get(hostname);
    if (answer !== undefined) return answer();
    const app = this.apps.get(hostname);
    if (app === undefined) throw new TypeError("fetch failed");
    const { statusCode, body } = await app.inject({
      method: init?.method === "POST" ? "POST" : "GET",
      url: pathname,
      headers: { "content-type": "application/json" },
      ...(typeof init?.body === "string" ? { payload: init.body } : {}),
    });
    return new Response(body, { status: statusCode });
  }) as typeof globalThis.fetch;
}

describe("statements between nodes", function () {
  this.timeout(20_000);
  let task: MemoryTask;
  let network: Network;
  let now: number;
  let checks: number;
  const nodes: FastifyInstance[] = [];
  beforeEach(async () => {
    task = await openMemoryTask();
    network = new Network();
    now = 0;
    checks = 0;
  });
  afterEach(async () => {
    for (const app of nodes.splice(0)) await app.close();
  });

  const node = async (name: string, peers: readonly string[] = []): Promise<NodeStatements> => {
    const app = fastify();
    nodes.push(app);
    const statements = openStatements(
      app,
      { chain: task.operator, network: { peers: () => peers.map((peer) => `http://${peer}/`) } },
      {
        fetch: network.fetch,
        clock: () => now,
        check: (...origin) => {
          checks += 1;
          return checkOrigin(...origin);
        },
      },
    );
    await app.ready();
    network.apps.set(name, app);
    return statements;
  };
  const attestation = async (seat: number, good = 0b011n, intake = word("intake")): Promise<Statement> => {
    const said = { round: 1n, intake, good, refused: 0b100n };
    return { kind: "attestation", ...said, seat, signature: await task.members[seat - 1]!.signAttestation(said) };
  };
  const release = async (seat: number): Promise<Statement> => {
    const said = { round: 1n, settlement: word("settlement"), releaseCid: word("cid") };
    return { kind: "release", ...said, seat, signature: await task.members[seat - 1]!.signRelease(said) };
  };
  const seats = ({ board }: NodeStatements): number[] => board.of(1n).map(({ seat }) => seat);

  it("are the same after the way through JSON, and refused with anything more or less in them", async () => {
    for (const statement of [await attestation(1), await release(2)]) {
      const json = statementJson(statement);
      assert.deepEqual(parseStatement(1n, JSON.parse(JSON.stringify(json))), statement);
      await rejectsCode(async () => parseStatement(1n, { ...json, more: 1 }), "REQUEST_INVALID");
      await rejectsCode(async () => parseStatement(1n, { ...json, seat: 33 }), "REQUEST_INVALID");
      await rejectsCode(async () => parseStatement(1n, { ...json, r: "0x12" }), "REQUEST_INVALID");
    }
  });

  it("go both ways: a node hears what others know, and tells them what they lack of its own", async () => {
    const other = await node("other");
    const own = await node("own", ["other"]);
    await other.board.add(await attestation(2));
    const mine = await attestation(1);
    await own.board.add(mine);
    assert.equal(await own.exchange.tell(1n, [mine]), 1);
    assert.deepEqual(
      [seats(own), seats(other)],
      [
        [1, 2],
        [1, 2],
      ],
    );
    network.requests.length = 0;
    await own.exchange.tell(1n, [mine]);
    assert.deepEqual(network.requests, ["GET other"], "what is known is not told again");
  });

  it("reach everybody by any node: what one heard, the next one hears from it", async () => {
    const first = await node("first");
    const second = await node("second", ["first"]);
    const third = await node("third", ["second"]);
    await first.board.add(await release(4));
    await second.exchange.tell(1n, []);
    await third.exchange.tell(1n, []);
    assert.deepEqual(seats(third), [4]);
  });

  it("are read once where several nodes say the same, or one says it again, and anew once it says more", async () => {
    const own = await node("own", ["first", "second"]);
    for (const name of ["first", "second"]) await (await node(name)).board.add(await release(4));
    const { parse } = JSON;
    let read = 0;
    JSON.parse = (text, ...rest) => {
      if (text.includes('"statements"')) read += 1;
      return parse(text, ...rest) as unknown;
    };
    try {
      for (let look = 0; look < 3; look++) await own.exchange.tell(1n, []);
      assert.equal(read, 1);
      await own.exchange.tell(1n, [await attestation(1)]);
      assert.equal(read, 1);
      assert.equal(await own.exchange.tell(1n, []), 2);
      assert.equal(read, 2, "both say more, and alike");
      assert.deepEqual(seats(own), [1, 4]);
    } finally {
      JSON.parse = parse;
    }
  });

  it("are believed of no node after the first that is false, and cost the others nothing", async () => {
    const own = await node("own", ["liar", "away", "garbage", "honest"]);
    const honest = await node("honest");
    await honest.board.add(await attestation(3));
    const [forged, good] = [{ ...(await attestation(1)), seat: 2 }, await attestation(4)];
    const lies = JSON.stringify({ round: "1", statements: [forged, good].map(statementJson) });
    network.answers.set("liar", () => Promise.resolve(new Response(lies)));
    network.answers.set("garbage", () => Promise.resolve(new Response("{")));
    assert.equal(await own.exchange.tell(1n, []), 2, "the liar and the honest node answered");
    assert.deepEqual(seats(own), [3]);
  });

  it("are few of a seat in one look, whatever it signs and whoever repeats it; the others' are none the fewer", async () => {
    const flood = await Promise.all(
      Array.from({ length: 3 * MOST_OF_SEAT }, (_, i) => attestation(1, 0b011n, word(`intake ${i}`))),
    );
    const own = await node("own", ["flooding", "repeating"]);
    const answer = JSON.stringify({ round: "1", statements: [...flood, await attestation(2)].map(statementJson) });
    for (const name of ["flooding", "repeating"])
      network.answers.set(name, () => Promise.resolve(new Response(answer)));
    for (const looks of [1, 2]) {
      await own.exchange.tell(1n, []);
      assert.deepEqual(seats(own), [...Array<number>(MOST_OF_SEAT).fill(1), 2]);
      assert.equal(checks, looks * MOST_OF_SEAT + 1);
    }
  });

  it("count where every node is slow: an answer that came after one look is one of the next, of the same round", async () => {
    const own = await node("own", ["slow"]);
    const said = await release(3);
    let arrive: (response: Response) => void = () => undefined;
    network.answers.set("slow", () => new Promise((resolve) => (arrive = resolve)));
    assert.equal(await own.exchange.tell(1n, []), 0, "nobody answered in time");
    network.answers.set("slow", () => Promise.reject(new TypeError("fetch failed")));
    arrive(new Response(JSON.stringify({ round: "1", statements: [statementJson(said)] })));
    while (seats(own).length === 0) await new Promise(setImmediate);
    now += 10_000;
    await own.exchange.hear(1n, []);
    assert.equal(await own.exchange.tell(1n, []), 1);
    assert.equal(await own.exchange.tell(1n, []), 0, "each answer counts once");
    await own.exchange.hear(1n, []);
    assert.equal(await own.exchange.tell(2n, []), 0, "and for its own round");
  });

  it("are not waited for from a node that never answers, which is not asked again meanwhile", async () => {
    const own = await node("own", ["stalling", "honest"]);
    const honest = await node("honest");
    network.answers.set("stalling", () => new Promise(() => undefined));
    await honest.board.add(await attestation(3));
    const waits = await waitsOf(100, async () => {
      for (let look = 0; look < 3; look++) await own.exchange.tell(1n, []);
    });
    assert.equal(waits.length, 1, "once for some seconds");
    assert.equal(network.requests.filter((request) => request.endsWith("stalling")).length, 1);
    assert.deepEqual(seats(own), [3]);
  });

  it("are asked for once in a while, and at once in another round", async () => {
    const own = await node("own", ["other"]);
    await node("other");
    for (const [round, at] of [
      [1n, 0],
      [1n, 500],
      [2n, 600],
      [2n, 1599],
      [2n, 1600],
    ] as const) {
      now = at;
      await own.exchange.hear(round, []);
    }
    assert.equal(network.requests.length, 3);
  });

  it("are served and taken over HTTP, each refusal with its code and status", async () => {
    const { board } = await node("own");
    const app = network.apps.get("own")!;
    const post = async (payload: unknown, round = "1"): Promise<[number, string]> => {
      const answer = await app.inject({ method: "POST", url: `/v1/statements/${round}`, payload: payload as object });
      return [answer.statusCode, answer.json<{ code?: string }>().code ?? ""];
    };
    const json = statementJson(await attestation(1));
    assert.deepEqual(await post(json), [201, ""]);
    assert.deepEqual(await post(json), [200, ""]);
    assert.deepEqual(await post(json, "2"), [403, "SIGNATURE_INVALID"]);
    assert.deepEqual(await post({ ...json, refused: json.kind === "attestation" ? json.good : "" }), [
      400,
      "STATEMENT_CONTRADICTORY",
    ]);
    assert.deepEqual(await post({ ...json, seat: 0 }), [400, "REQUEST_INVALID"]);
    assert.deepEqual(await post(json, "x"), [400, "REQUEST_INVALID"]);
    assert.equal((await app.inject({ url: "/v1/statements/x" })).statusCode, 400);
    assert.deepEqual((await app.inject({ url: "/v1/statements/1" })).json(), { round: "1", statements: [json] });
    assert.equal(board.of(1n).length, 1);
  });
});
