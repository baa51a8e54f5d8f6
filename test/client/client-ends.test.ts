import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import type { SubmissionName } from "../../client/journal.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

/** A client that may neither draw, make nor send anything, with what its journal has. */
function idleClient(
  task: MemoryTask,
  journal: object,
  { chain = task.clients[0]!, wait = () => undefined }: { chain?: TaskWriter; wait?: (text: string) => void } = {},
): { readonly step: ReturnType<typeof createClientStep>; readonly audits: () => number } {
  const nothing = (): never => assert.fail("it draws, makes or sends something");
  let audits = 0;
  const step = createClientStep({
    chain: { ...chain, submit: nothing },
    task: { parameters: task.parameters, store: { getFile: nothing } },
    learner: { update: nothing, quantise: nothing },
    journal: {
      audited: () => Promise.resolve(undefined),
      setAudited: () => Promise.resolve(),
      find: () => Promise.resolve(undefined),
      satOut: () => Promise.resolve(false),
      sitOut: nothing,
      ...journal,
    },
    replicate: nothing,
    spread: () => undefined,
    audit: async () => {
      audits++;
      return { findings: [], ok: true, metrics: [], model: { record: await chain.latestModel(), state: {} } };
    },
    verifyAhead: () => Promise.resolve(),
    clock: () => 0,
    reporter: { say: () => undefined, wait },
  } as unknown as ClientLoopDependencies);
  return { step, audits: () => audits };
}

describe("a client whose part is over", () => {
  for (const [what, maxRoundsPerClient, why] of [
    ["used up", 1, /1 settlements count this client, and the task allows 1: fl-client leave takes it off/],
    ["taken off", 0, /this account takes part in no round from 2 on/],
  ] as const)
    it(`makes nothing that the contract would refuse when it is ${what}: it ends, and says why`, async () => {
      const task = await openMemoryTask({ parameters: { maxRoundsPerClient } });
      await settleMemoryRound(task, await openMemoryRound(task));
      await finalizeMemoryRound(task, 1n, "one");
      const chain = task.clients[0]!;
      if (what === "taken off") {
        await task.operator.removeClient(chain.account);
        await task.operator.registerClient(task.stranger.account, 1);
      }
      await openMemoryRound(task);
      const waits: string[] = [];
      const { step } = idleClient(
        task,
        { submissions: () => Promise.resolve([{ round: 1n }]) },
        { chain, wait: (text) => void waits.push(text) },
      );
      assert.equal(await step(), "done");
      assert.match(waits.join("\n"), why);
    });

  it("waits for the rounds that may give its last vector back where its budget is spent, and ends, done, after them", async () => {
    const buffer = { bufferGoal: 4, maxStaleness: 2, minSeparation: 1, minCollectSeconds: 0 };
    const budget = { privacyBudget: 9n, privacyCostPerRound: 1n, maxRoundsPerClient: 1 };
    const task = await openMemoryTask({ parameters: { ...buffer, ...budget }, weights: Array(8).fill(1) });
    const own = task.clients[0]!;
    const vector = { base: 0n, firstRound: 2n, baseModelDigest: (await own.latestModel()).digest };
    const submissions: SubmissionName[] = [];
    const share = async (): Promise<void> => {
      const round = await openMemoryRound(task);
      submissions.push({ round, baseModelDigest: vector.baseModelDigest });
      await own.submit(round, { ...memorySubmission(task, `own ${round}`), base: 0n });
    };
    const finalise = async (others: readonly TaskWriter[]): Promise<void> => {
      const { number } = await task.operator.round();
      for (const client of others) await client.submit(number, memorySubmission(task, `${client.account} ${number}`));
      await task.operator.settle(number, await memoryAttestations(task), 0b1111n, []);
      await finalizeMemoryRound(task, number, `round ${number}`);
    };
    const { step } = idleClient(task, {
      vectors: () => Promise.resolve([vector]),
      vector: () => Promise.resolve({ ...vector, coordinates: Int32Array.of(1) }),
      submissions: () => Promise.resolve(submissions),
    });
    await openMemoryRound(task);
    await finalise(task.clients.slice(1, 5));
    await share();
    assert.equal(await step(), "waiting", "in flight, and there is a newer model");
    task.chain.setTime((await own.round()).deadline);
    await task.operator.abort(2n);
    assert.equal(await step(), "waiting", "a later round may take it");
    await share();
    await finalise(task.clients.slice(5));
    assert.equal(await step(), "done");
  });

  it("waits with a spent budget where rounds wait for everybody, too: its last one may still be undone", async () => {
    const task = await openMemoryTask({ parameters: { privacyBudget: 9n, privacyCostPerRound: 1n } });
    await settleMemoryRound(task, await openMemoryRound(task));
    await finalizeMemoryRound(task, 1n, "one");
    await openMemoryRound(task);
    const { step, audits } = idleClient(
      task,
      {
        vectors: () => Promise.resolve([]),
        submissions: () => Promise.resolve(Array.from({ length: 9 }, (_, i) => ({ round: BigInt(i + 1) }))),
      },
      { chain: { ...task.clients[0]!, look: () => task.reader(50).look() } },
    );
    assert.equal(await step(), "waiting");
    task.chain.mine(50);
    assert.deepEqual([await step(), audits()], ["done", 1]);
  });
});
