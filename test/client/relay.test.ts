import { beforeEach, describe, it } from "mocha";
import assert from "node:assert/strict";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { createRelayClient } from "../../client/relay.ts";
import type { SendThroughRelay } from "../../client/relay.ts";
import type { Submission } from "../../protocol/submission.ts";
import { parseSignedSubmission } from "../../task/signed-submission.ts";
import { memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

describe("a client that hands its submission over", () => {
  let task: MemoryTask;
  let client: TaskWriter;
  let submission: Submission;
  beforeEach(async () => {
    task = await openMemoryTask();
    await openMemoryRound(task);
    client = task.clients[0]!;
    submission = memorySubmission(task, "handed over");
  });
  const through = (
    nodes: readonly string[],
    fetch: typeof globalThis.fetch,
    sleep = (): void => undefined,
  ): SendThroughRelay =>
    createRelayClient({
      chain: client,
      nodes: () => nodes,
      fetch,
      sleep: async () => sleep(),
      reporter: { say: () => undefined, wait: () => undefined },
    });

  it("sees it on chain when a node relays it, whatever the nodes before answer", async () => {
    const asked: string[] = [];
    const relay: typeof globalThis.fetch = async (url, init) => {
      asked.push(String(url));
      if (asked.length === 1) return new Response("", { status: 429 });
      await task.stranger.submitBatch(1n, [parseSignedSubmission(JSON.parse(init!.body as string))]);
      return new Response("", { status: 202 });
    };
    assert.equal(await through(["http://192.0.2.1", "http://192.0.2.2/x"], relay)(1n, submission), true);
    assert.deepEqual(asked, ["http://192.0.2.1/v1/submissions/1", "http://192.0.2.2/x/v1/submissions/1"]);
    const { submitted } = await client.records(1n);
    assert.deepEqual(
      submitted.map((record) => [record.client, record.submission]),
      [[client.account, submission]],
    );
  });

  it("sends its own when the node that took it is late", async () => {
    const accept: typeof globalThis.fetch = () => Promise.resolve(new Response("", { status: 202 }));
    const start = task.chain.nextTime;
    let slept = 0;
    const sleep = (): void => task.chain.setTime(start + 10 * ++slept);
    assert.equal(await through(["http://192.0.2.1"], accept, sleep)(1n, submission), false);
    assert.equal(slept, 6, "a minute");
    assert.deepEqual((await client.records(1n)).submitted, []);
  });

  it("gives nodes that stall half of the time that is left, all together, and then sends its own", async () => {
    task.chain.setTime((await client.round()).deadline - 1);
    const asked: string[] = [];
    const stall: typeof globalThis.fetch = (url, init) => {
      asked.push(String(url));
      return new Promise((_, reject) =>
        init!.signal!.addEventListener("abort", () => reject(new Error("ended")), { once: true }),
      );
    };
    const nodes = Array.from({ length: 20 }, (_, i) => `http://192.0.2.${i}`);
    // The signal does not keep the process alive, a timer does.
    const awake = setTimeout(() => undefined, 10_000);
    assert.equal(await through(nodes, stall)(1n, submission), false);
    clearTimeout(awake);
    assert.equal(asked.length, 1);
  }).timeout(12_000);
});
