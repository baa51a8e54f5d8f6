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
      const nothing = (): never => assert.fail("it makes or sends something");
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
          submissions: () => Promise.resolve([{ round: 1n }]),
        },
        replicate: nothing,
        audit: async () => ({
          ...{ findings: [], ok: true, metrics: [] },
          model: { record: await chain.latestModel(), state: {} },
        }),
        reporter: { say: () => undefined, wait: (text: string) => void waits.push(text) },
      } as unknown as ClientLoopDependencies);
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
    const nothing = (): never => assert.fail("it draws, makes or sends something");
    const step = createClientStep({
      chain: { ...own, submit: nothing },
      task: { parameters: task.parameters, store: { getFile: nothing } },
      learner: { update: nothing, quantise: nothing },
      journal: {
        audited: () => Promise.resolve(undefined),
        setAudited: () => Promise.resolve(),
        satOut: () => Promise.resolve(false),
        vectors: () => Promise.resolve([vector]),
        vector: () => Promise.resolve({ ...vector, coordinates: Int32Array.of(1) }),
        submissions: () => Promise.resolve(submissions),
      },
      audit: async () => ({
        ...{ findings: [], ok: true, metrics: [] },
        model: { record: await own.latestModel(), state: {} },
      }),
      verifyAhead: () => Promise.resolve(),
      spread: () => undefined,
      clock: () => 0,
      reporter: { say: () => undefined, wait: () => undefined },
    } as unknown as ClientLoopDependencies);
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
    const own = task.clients[0]!;
    const nothing = (): never => assert.fail("it draws, makes or sends something");
    let audits = 0;
    const step = createClientStep({
      chain: { ...own, look: () => task.reader(50).look(), submit: nothing },
      task: { parameters: task.parameters, store: { getFile: nothing } },
      learner: { update: nothing, quantise: nothing },
      journal: {
        audited: () => Promise.resolve(undefined),
        setAudited: () => Promise.resolve(),
        find: () => Promise.resolve(undefined),
        satOut: () => Promise.resolve(false),
        vectors: () => Promise.resolve([]),
        submissions: () => Promise.resolve(Array.from({ length: 9 }, (_, i) => ({ round: BigInt(i + 1) }))),
      },
      audit: async () => {
        audits++;
        return {
          ...{ findings: [], ok: true, metrics: [] },
          model: { record: await own.latestModel(), state: {} },
        };
      },
      verifyAhead: () => Promise.resolve(),
      spread: () => undefined,
      clock: () => 0,
      reporter: { say: () => undefined, wait: () => undefined },
    } as unknown as ClientLoopDependencies);
    assert.equal(await step(), "waiting");
    task.chain.mine(50);
    assert.deepEqual([await step(), audits], ["done", 1]);
  });
});
