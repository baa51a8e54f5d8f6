import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { createMemberStep } from "../../member/member-loop.ts";
import type { MemberLoopDependencies } from "../../member/member-loop.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { NodeStatements } from "../../task/node-statements.ts";
import {
  finalizeMemoryRound,
  memoryRelease,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import { quietStatements } from "../support/quiet-statements.ts";
import { waitsOf } from "../support/waits.ts";

/** A member that released its share sum of a settled round, before anything is proposed. */
async function released(): Promise<{
  readonly chain: TaskWriter;
  readonly statements: NodeStatements;
  readonly time: { readonly passes: (seconds: number) => void };
}> {
  const task = await openMemoryTask();
  const round = await openMemoryRound(task);
  await settleMemoryRound(task, round);
  const chain = task.members[0]!;
  const statements = quietStatements(chain);
  await statements.board.add({ kind: "release", ...(await memoryRelease(task, 1)) });
  return { chain, statements, time: { passes: (seconds) => task.chain.setTime(task.chain.nextTime + seconds) } };
}

function dependencies(
  { chain, statements }: Pick<Awaited<ReturnType<typeof released>>, "chain" | "statements">,
  change: { readonly nodes?: readonly string[]; readonly fetch?: typeof fetch } = {},
): MemberLoopDependencies {
  return {
    seat: 1,
    ...{ chain, ...statements },
    task: {
      store: { getFile: () => Promise.reject(new VerisumError("IPFS_NOT_FOUND", "gone")) },
      layout: { elementCount: 1 },
      parameters: { threshold: 2 },
    },
    keys: {
      topUp: async () => 0,
      erase: async () => undefined,
      eraseBefore: async () => undefined,
      eraseAll: async () => undefined,
    },
    state: { file: () => join(folder, "record.json"), copied: true, adopt: () => Promise.resolve() },
    reporter: { say: () => undefined, wait: () => undefined },
    nodes: () => change.nodes ?? [],
    strangers: () => [],
    announcersOf: (node: string) => [node],
    fetch: change.fetch ?? fetch,
  } as unknown as MemberLoopDependencies;
}

let folder: string;
const word: Hex = `0x${"00".repeat(32)}`;
const proposal = JSON.stringify({
  round: "1",
  result: { aggregateCid: word, aggregateDigest: word, modelCid: word, modelDigest: word },
  metrics: null,
});

describe("a member's loop", () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-loop-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("asks every node for its proposal at each look, whatever another node proposed before", async () => {
    const asked: string[] = [];
    const answer = (url: URL): Promise<Response> => {
      asked.push(url.hostname);
      return Promise.resolve(new Response(proposal));
    };
    const step = createMemberStep(
      dependencies(await released(), {
        nodes: ["http://liar", "http://honest"],
        fetch: answer as unknown as typeof fetch,
      }),
    );
    await step();
    await step();
    assert.deepEqual(asked, ["liar", "honest", "liar", "honest"]);
  });

  it("asks nodes of strangers once half of the time that was left is over without a result", async () => {
    const asked: string[] = [];
    const fetchFrom = (url: URL): Promise<Response> => {
      asked.push(url.hostname);
      return Promise.resolve(new Response(proposal));
    };
    const { chain, statements, time } = await released();
    const parts = dependencies({ chain, statements }, { nodes: ["http://known"], fetch: fetchFrom as typeof fetch });
    const { aggregateSeconds } = await chain.parameters();
    const step = createMemberStep({
      ...parts,
      task: { ...parts.task, parameters: { ...parts.task.parameters, aggregateSeconds } },
      strangers: () => ["http://stranger"],
    });
    await step();
    assert.deepEqual(asked, ["known"]);
    time.passes(Math.floor(aggregateSeconds / 4));
    await step();
    assert.deepEqual(asked, ["known", "known"]);
    time.passes(Math.floor(aggregateSeconds / 4));
    await step();
    assert.deepEqual(asked, ["known", "known", "known", "stranger"]);
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
    const step = createMemberStep(dependencies(await released(), { nodes: ["http://liar"], fetch: endless }));
    assert.equal(await step(), false);
    assert.ok(sent < 65_536);
  });

  it("hears the honest node at each look, while another one never answers", async function () {
    this.timeout(20_000);
    const asked: string[] = [];
    const fetchFrom = (url: URL): Promise<Response> => {
      asked.push(url.hostname);
      return url.hostname === "stalling" ? new Promise(() => undefined) : Promise.resolve(new Response(proposal));
    };
    const step = createMemberStep(
      dependencies(await released(), {
        nodes: ["http://stalling", "http://honest"],
        fetch: fetchFrom as unknown as typeof fetch,
      }),
    );
    await step();
    assert.deepEqual(await waitsOf(100, async () => (await step(), await step())), [], "it waited for it once");
    assert.deepEqual(asked, ["stalling", "honest", "honest", "honest"]);
  });

  it("hears what is proposed while the shares of its own sum never come", async function () {
    this.timeout(20_000);
    const task = await openMemoryTask();
    await settleMemoryRound(task, await openMemoryRound(task));
    const state = await openStateDirectory(join(folder, "own"));
    const publicKey = new Uint8Array(32);
    const chain = { ...task.members[0]!, roundKey: () => Promise.resolve(word) };
    let [fetched, proposals] = [0, 0];
    const parts = dependencies(
      { chain, statements: quietStatements(chain) },
      { nodes: ["http://honest"], fetch: () => ((proposals += 1), Promise.resolve(new Response(proposal))) },
    );
    const step = createMemberStep({
      ...parts,
      state,
      scope: "scope-1",
      exchange: { ...parts.exchange, tell: () => Promise.resolve(1) },
      keys: { ...parts.keys, find: () => Promise.resolve({ publicKey, secretKey: publicKey }) },
      task: {
        ...parts.task,
        store: { ...parts.task.store, getFile: () => ((fetched += 1), new Promise(() => undefined)) },
      },
    });
    assert.equal(await step(), false);
    assert.deepEqual(await waitsOf(1000, step), [], "it waited for them once");
    assert.ok(fetched > 0);
    assert.equal(proposals, 2);
  });

  it("does its part while a transaction for its keys is not mined, and sends no second one", async function () {
    this.timeout(20_000);
    let [sent, asked] = [0, 0];
    const parts = dependencies(await released(), {
      nodes: ["http://honest"],
      fetch: () => ((asked += 1), Promise.resolve(new Response(proposal))),
    });
    const topUp = (): Promise<number> => ((sent += 1), new Promise(() => undefined));
    const step = createMemberStep({ ...parts, keys: { ...parts.keys, topUp } });
    assert.equal(await step(), false);
    const waits = await waitsOf(100, async () => {
      for (let look = 0; look < 2; look++) assert.equal(await step(), false);
    });
    assert.deepEqual(waits, [], "it waited for it once");
    assert.deepEqual([sent, asked], [1, 3]);
  });

  it("registers no key for rounds after its last one, and erases that one's when it is closed for good", async () => {
    const task = await openMemoryTask();
    const round = await openMemoryRound(task);
    const chain = task.members[0]!;
    const acts: string[] = [];
    const keys: Partial<MemberLoopDependencies["keys"]> = {
      topUp: (_chain, seat, from) => Promise.resolve(acts.push(`keys of seat ${seat} from round ${from}`)),
      eraseBefore: (before) => Promise.resolve(void acts.push(`erase before round ${before}`)),
    };
    const parts = dependencies({ chain, statements: quietStatements(chain) });
    const step = createMemberStep({ ...parts, keys: { ...parts.keys, ...keys } });
    await step();
    await task.operator.replaceMember(1, task.stranger.account);
    await step();
    await settleMemoryRound(task, round);
    await finalizeMemoryRound(task, round, "last");
    await openMemoryRound({ ...task, members: [task.stranger, ...task.members.slice(1)] });
    await step();
    assert.deepEqual(acts, ["erase before round 1", "keys of seat 1 from round 2", "erase before round 2"]);
  });

  it("asks for its keys at each block until what it saw is final, and again before each round", async () => {
    const CONFIRMATIONS = 3;
    const task = await openMemoryTask();
    const round = await openMemoryRound(task);
    const reader = task.reader(CONFIRMATIONS);
    const chain = { ...task.members[0]!, look: reader.look };
    let asked = 0;
    const topUp = async (): Promise<number> => {
      asked += 1;
      return 0;
    };
    const parts = dependencies({ chain, statements: quietStatements(chain) });
    const step = createMemberStep({ ...parts, keys: { ...parts.keys, topUp } });
    const afterBlocks = async (blocks: number): Promise<number> => {
      asked = 0;
      for (let block = 0; block < blocks; block++) {
        await step();
        await step();
        task.chain.mine();
      }
      return asked;
    };
    assert.equal(await afterBlocks(10), CONFIRMATIONS + 1);
    await settleMemoryRound(task, round);
    await finalizeMemoryRound(task, round, "first");
    await openMemoryRound(task);
    assert.equal(await afterBlocks(10), CONFIRMATIONS + 1);
  });
});
