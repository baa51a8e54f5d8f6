import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";

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
});
