import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { after, before, describe, it } from "mocha";
import { createGateway } from "../../content/gateway.ts";
import { addIndexPages } from "../../indexer/api/health.ts";
import { API_ROUTES } from "../../indexer/api/routes.ts";
import { addApi } from "../../indexer/api/serve-api.ts";
import { createStreams } from "../../indexer/api/stream.ts";
import type { Database, Queries } from "../../indexer/database/database.ts";
import { openDatabase } from "../../indexer/database/open-database.ts";
import { indexTask, taskKey } from "../../indexer/index-task.ts";
import { NOTHING_SERVED } from "../support/empty-gateway.ts";
import {
  finalizeMemoryRound,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { SNAPSHOT } from "./snapshot.ts";

const NOW = 1_700_100_000;

describe("the API of an index", () => {
  let folder: string;
  let database: Database;
  let task: MemoryTask;
  let key: string;
  let app: FastifyInstance;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-api-"));
    database = await openDatabase(join(folder, "index.sqlite"));
    task = await openMemoryTask();
    for (const label of ["one", "two"]) {
      const round = await openMemoryRound(task);
      await settleMemoryRound(task, round);
      await finalizeMemoryRound(task, round, label);
    }
    await task.clients[0]!.submit(await openMemoryRound(task), memorySubmission(task, "three"));
    const reader = task.reader(0);
    await indexTask(database, reader);
    key = taskKey(reader.context);
    await database.run("UPDATE tasks SET snapshot = ?, checked_at = ?", [JSON.stringify(SNAPSHOT), NOW - 5]);
    app = served();
  });
  after(async () => {
    await app.close();
    await database.close();
    await rm(folder, { recursive: true });
  });

  function served(mostAMinute = 600): FastifyInstance {
    const made = createGateway(NOTHING_SERVED);
    addApi(made, { database, now: () => NOW, mostAMinute });
    addIndexPages(made, { database, now: () => NOW, tasks: 1 });
    return made;
  }

  const get = (url: string, headers: Readonly<Record<string, string>> = {}) =>
    app.inject({ method: "GET", url, headers: { host: "localhost", ...headers } });
  const filled = (path: string): string => path.replace(":task", key).replace(":round", "1");

  for (const { path, answer, csv } of API_ROUTES) {
    it(`answers ${path} as it says`, async () => {
      const response = await get(filled(path));
      assert.equal(response.statusCode, 200, response.body);
      const body: unknown = response.json();
      assert.deepEqual(answer.parse(body), body);
      if (csv === undefined) return;
      const rows = (body as Record<string, readonly object[]>)[csv.key]!;
      assert.ok(rows.length > 0);
      const table = await get(`${filled(path)}?format=csv`);
      assert.match(String(table.headers["content-type"]), /^text\/csv/);
      assert.equal(table.body.split("\r\n")[0], Object.keys(csv.row.shape).join(","));
    });
  }

  it("describes every route that it answers, and no other", async () => {
    const document = (await get("/api/openapi.json")).json<{
      readonly openapi: string;
      readonly paths: Readonly<
        Record<string, { readonly get: { readonly parameters?: { readonly name: string; readonly in: string }[] } }>
      >;
    }>();
    assert.match(document.openapi, /^3\.1/);
    for (const [path, { get: operation }] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name!);
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      assert.deepEqual(
        inPath.map(({ name }) => name),
        names,
        path,
      );
      assert.ok(app.hasRoute({ method: "GET", url: path.replaceAll(/\{([a-z]+)\}/g, ":$1") }), path);
    }
    for (const { path } of API_ROUTES)
      assert.ok(document.paths[path.replaceAll(/:([a-z]+)/g, "{$1}")] !== undefined, path);
    assert.equal(Object.keys(document.paths).length, API_ROUTES.length + 1);
  });

  it("pages through rounds and events without losing or repeating any", async () => {
    const rounds = (await get(`/api/tasks/${key}/rounds`)).json().rounds as { readonly number: number }[];
    assert.deepEqual(
      rounds.map(({ number }) => number),
      [3, 2, 1],
    );
    const older = (await get(`/api/tasks/${key}/rounds?before=3&limit=1`)).json().rounds as {
      readonly number: number;
    }[];
    assert.deepEqual(
      older.map(({ number }) => number),
      [2],
    );
    const all = (await get(`/api/tasks/${key}/events?limit=1000`)).json().events as {
      block: number;
      position: number;
    }[];
    const paged: typeof all = [];
    for (let before = ""; ;) {
      const page = (await get(`/api/tasks/${key}/events?limit=7${before}`)).json().events as typeof all;
      if (page.length === 0) break;
      paged.push(...page);
      const { block, position } = page.at(-1)!;
      before = `&before=${block}:${position}`;
    }
    assert.deepEqual(paged, all);
  });

  it("says who took part in which round", async () => {
    const { rounds, clients } = (await get(`/api/tasks/${key}/participation`)).json();
    assert.deepEqual(rounds, [1, 2, 3]);
    assert.deepEqual(
      clients.map(({ marks }: { marks: string }) => marks),
      ["++?", "++.", "++."],
    );
  });

  for (const [name, url, status] of [
    ["an unknown task", `/api/tasks/1-0x${"00".repeat(20)}`, 404],
    ["an unknown round", `/api/tasks/KEY/rounds/99`, 404],
    ["a parameter that there is not", `/api/tasks/KEY/rounds?order=up`, 400],
    ["more than a page may have", `/api/tasks/KEY/rounds?limit=1001`, 400],
    ["a malformed task", `/api/tasks/x`, 400],
    ["SQL in the place of a client", `/api/tasks/KEY/submissions?client=0x'%20OR%201=1`, 400],
    ["a repeated parameter", `/api/tasks/KEY/rounds?limit=1&limit=2`, 400],
  ] as const)
    it(`refuses ${name} with ${status}`, async () => {
      const response = await get(url.replace("KEY", key));
      assert.equal(response.statusCode, status, response.body);
      assert.deepEqual(Object.keys(response.json<object>()), ["code", "message"]);
    });

  it("refuses other hosts, pages of other origins, and every method that writes", async () => {
    assert.equal((await get("/api/tasks", { host: "evil.example" })).statusCode, 403);
    assert.equal((await get("/api/tasks", { origin: "https://evil.example" })).statusCode, 403);
    assert.equal((await get("/api/tasks", { origin: "http://localhost" })).statusCode, 200);
    for (const method of ["POST", "PUT", "DELETE", "PATCH"] as const)
      assert.equal((await app.inject({ method, url: "/api/tasks", headers: { host: "localhost" } })).statusCode, 404);
  });

  it("refuses an address that asks too often with 429", async () => {
    const strict = served(3);
    const ask = () => strict.inject({ method: "GET", url: "/api/tasks", headers: { host: "localhost" } });
    for (let i = 0; i < 3; i++) assert.equal((await ask()).statusCode, 200);
    assert.equal((await ask()).statusCode, 429);
    await strict.close();
  });

  it("writes no cell that a spreadsheet would compute", async () => {
    const { csvOf } = await import("../../indexer/api/csv.ts");
    assert.equal(csvOf(["a", "b"], [{ a: "=1+1", b: 'say "x", y' }]), `a,b\r\n'=1+1,"say ""x"", y"\r\n`);
  });

  it("tells a stream of every change, once", async () => {
    const streaming = served();
    const url = await streaming.listen({ host: "127.0.0.1", port: 0 });
    const response = await fetch(`${url}/api/stream`);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (count: number): Promise<void> => {
      while (text.split("event: task").length - 1 < count) text += (await reader.read()).value ?? "";
    };
    await until(1);
    await database.run("UPDATE tasks SET revision = revision + 1");
    await until(2);
    const told = [...text.matchAll(/data: (.*)/g)].map(([, json]) => JSON.parse(json!) as { revision: number });
    assert.equal(told[1]!.revision, told[0]!.revision + 1);
    await reader.cancel();
    await streaming.close();
  });

  it("looks into the database once for all streams, also for those that begin during a look", async () => {
    let looks = 0;
    const slow: Queries = {
      run: () => Promise.reject(new Error("nothing is written")),
      all: async () => {
        looks += 1;
        await setTimeout(20);
        return [];
      },
    };
    const streams = createStreams(slow);
    const streaming = createGateway(NOTHING_SERVED);
    streaming.get("/stream", (_request, reply) => streams.open(reply));
    const url = await streaming.listen({ host: "127.0.0.1", port: 0 });
    const started = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => fetch(`${url}/stream`)));
    await setTimeout(700);
    assert.ok(looks > 1 && looks <= 1 + (performance.now() - started) / 500, String(looks));
    streams.close();
    await Promise.all(answers.map((answer) => answer.text()));
    await streaming.close();
  });

  it("is healthy while it is looked after, and counts in Prometheus' form", async () => {
    assert.equal((await get("/health")).statusCode, 200);
    assert.equal((await get("/ready")).statusCode, 200);
    assert.match((await get("/metrics")).body, /^verisum_index_age_seconds\{task="[^"]+"\} 5$/m);
    await database.run("UPDATE tasks SET trouble = 'CHAIN_UNREACHABLE: away'");
    assert.equal((await get("/health")).statusCode, 503);
    await database.run("UPDATE tasks SET trouble = NULL");
  });
});
