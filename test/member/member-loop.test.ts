import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createMemberStep } from "../../member/member-loop.ts";
import type { MemberLoopDependencies } from "../../member/member-loop.ts";
import { recordsOf } from "../../chain/round-records.ts";
import { VerisumError } from "../../protocol/errors.ts";

const ROUND = { number: 1n, phase: "Aggregating", keyMask: 1n, included: 3n, sum: { x: 1n, y: 2n } };
const RECORDS = {
  opened: { round: 1n },
  submitted: [],
  attested: new Map([[1, 3n]]),
  settled: { round: 1n, included: 3n, members: 1n, totalWeight: 2, sum: { x: 1n, y: 2n }, blockNumber: 1 },
  released: [{ round: 1n, seat: 1, releaseCid: `0x${"00".repeat(32)}` }],
  aborted: false,
};

function dependencies(change: {
  readonly records?: unknown;
  readonly nodes?: readonly string[];
  readonly fetch?: typeof fetch;
}): MemberLoopDependencies {
  return {
    seat: 1,
    chain: { round: () => Promise.resolve(ROUND), records: () => Promise.resolve(change.records ?? RECORDS) },
    task: {
      store: { getFile: () => Promise.reject(new VerisumError("IPFS_NOT_FOUND", "gone")) },
      layout: { elementCount: 1 },
      parameters: { threshold: 2 },
    },
    keys: { topUp: () => Promise.resolve(0), eraseBefore: () => Promise.resolve() },
    reporter: { say: () => undefined, wait: () => undefined },
    nodes: () => change.nodes ?? [],
    fetch: change.fetch ?? fetch,
  } as unknown as MemberLoopDependencies;
}

const word = `0x${"00".repeat(32)}`;
const proposal = JSON.stringify({
  round: "1",
  result: { aggregateCid: word, aggregateDigest: word, modelCid: word, modelDigest: word },
  metrics: null,
});

describe("a member's loop", () => {
  it("waits while the endpoint's events and state are of different blocks", async () => {
    const step = createMemberStep(dependencies({ records: recordsOf([], 1n) }));
    assert.equal(await step(), false);
  });

  it("asks every node for its proposal at each look, whatever another node proposed before", async () => {
    const asked: string[] = [];
    const answer = (url: URL): Promise<Response> => {
      asked.push(url.hostname);
      return Promise.resolve(new Response(proposal));
    };
    const step = createMemberStep(
      dependencies({ nodes: ["http://liar", "http://honest"], fetch: answer as unknown as typeof fetch }),
    );
    await step(); // notices its own release
    await step();
    await step();
    assert.deepEqual(asked, ["liar", "honest", "liar", "honest"]);
  });

  it("stops reading a proposal that never ends", async () => {
    let sent = 0;
    const endless = (): Promise<Response> =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            pull: (controller) => {
              sent += 1024;
              controller.enqueue(new Uint8Array(1024));
            },
          }),
        ),
      );
    const step = createMemberStep(dependencies({ nodes: ["http://liar"], fetch: endless }));
    await step();
    assert.equal(await step(), false);
    assert.ok(sent < 65_536);
  });
});
