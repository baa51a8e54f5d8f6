import { describe, it } from "mocha";
import assert from "node:assert/strict";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { createRelayClient } from "../../client/relay.ts";

describe("a client that hands its submission over", () => {
  it("gives nodes that stall half of the time that is left, all together, and then sends its own", async () => {
    const chain = {
      account: "0x01",
      signSubmission: () => Promise.resolve({}),
      blockTime: () => Promise.resolve(100),
      round: () => Promise.resolve({ deadline: 101 }),
    } as unknown as TaskWriter;
    const asked: string[] = [];
    const stall: typeof globalThis.fetch = (url, init) => {
      asked.push(String(url));
      return new Promise((_, reject) =>
        init!.signal!.addEventListener("abort", () => reject(new Error("ended")), { once: true }),
      );
    };
    const nodes = Array.from({ length: 20 }, (_, i) => `http://192.0.2.${i}`);
    const send = createRelayClient({
      chain,
      nodes: () => nodes,
      fetch: stall,
      sleep: () => Promise.resolve(),
      reporter: { say: () => undefined, wait: () => undefined },
    });
    // The signal does not keep the process alive, a timer does.
    const awake = setTimeout(() => undefined, 10_000);
    const started = performance.now();
    assert.equal(await send(1n, {} as never), false);
    clearTimeout(awake);
    assert.ok(performance.now() - started < 5_000);
    assert.equal(asked.length, 1);
  }).timeout(12_000);
});
