import assert from "node:assert/strict";
import fastify from "fastify";
import { describe, it } from "mocha";
import type { TaskReader } from "../../chain/task-chain.ts";
import { statementJson } from "../../task/statements.ts";
import { word } from "../support/random.ts";
import { Departures } from "./departures.ts";
import { showStatements } from "./statement-proxy.ts";

const CONFIRMATIONS = 12;
const SETTLED = { settlement: word("settlement"), blockNumber: 100 };

function releaseOf(settlement = SETTLED.settlement, sum = "sum"): unknown {
  const signature = { r: word("r"), vs: word("vs") };
  return statementJson({ kind: "release", round: 1n, seat: 2, settlement, releaseCid: word(sum), signature });
}

function departuresAt(height: number): Departures {
  const reader = { latestBlock: async () => height, records: async () => ({ settled: SETTLED }) };
  return new Departures(reader as unknown as TaskReader, CONFIRMATIONS);
}

describe("a release that leaves a member", () => {
  it("is too early until its settlement is final", async () => {
    const early = await departuresAt(SETTLED.blockNumber + CONFIRMATIONS - 1).statement(1n, releaseOf());
    assert.match(String(early), /seat 2 releases round 1, settled in block 100, at 111/);
    assert.equal(await departuresAt(SETTLED.blockNumber + CONFIRMATIONS).statement(1n, releaseOf()), undefined);
  });

  it("is of the settlement that the chain has", async () => {
    const rule = await departuresAt(1000).statement(1n, releaseOf(word("another settlement")));
    assert.match(String(rule), /seat 2 releases in round 1 for no settlement of it/);
  });

  it("may be told again, and is one sum for good", async () => {
    const departures = departuresAt(1000);
    assert.equal(await departures.statement(1n, releaseOf()), undefined);
    assert.equal(await departures.statement(1n, releaseOf()), undefined);
    const rule = await departures.statement(1n, releaseOf(SETTLED.settlement, "another sum"));
    assert.match(String(rule), /seat 2 releases in round 1: two different ones/);
    assert.equal(departures.releases, 3);
  });

  it("is seen before a node is told, and before it tells others", async () => {
    const happened: string[] = [];
    const app = fastify();
    app.get("/v1/statements/1", () => ({ round: "1", statements: [releaseOf(), releaseOf()] }));
    app.post("/v1/statements/1", (_request, reply) => {
      happened.push("told");
      return reply.status(201).send({ seat: 2 });
    });
    const upstream = await app.listen({ host: "127.0.0.1", port: 0 });
    const proxy = await showStatements(upstream, async (round, statement) => {
      assert.deepEqual([round, statement], [1n, releaseOf()]);
      happened.push("seen");
    });
    try {
      const url = `${proxy.url}/v1/statements/1`;
      const headers = { "content-type": "application/json" };
      const told = await fetch(url, { method: "POST", headers, body: JSON.stringify(releaseOf()) });
      assert.deepEqual([told.status, await told.json()], [201, { seat: 2 }]);
      assert.deepEqual(happened.splice(0), ["seen", "told"]);
      assert.deepEqual(await (await fetch(url)).json(), { round: "1", statements: [releaseOf(), releaseOf()] });
      assert.deepEqual(happened, ["seen", "seen"]);
    } finally {
      proxy.close();
      await app.close();
    }
  });
});
