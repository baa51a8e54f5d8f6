import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { memoryAttestations, memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";

describe("a client whose submission is on the chain", () => {
  it("copies its shares on while the round collects or attests, also after a restart, and no longer", async () => {
    const task = await openMemoryTask();
    await openMemoryRound(task);
    const chain = task.clients[0]!;
    const spread: string[] = [];
    const restarted = (): ReturnType<typeof createClientStep> =>
      createClientStep({
        chain,
        task: { parameters: task.parameters },
        journal: {
          audited: () => Promise.resolve(undefined),
          setAudited: () => Promise.resolve(),
          submissions: () => Promise.resolve([{ round: 1n }]),
        },
        spread: (cid: string) => void spread.push(cid),
        audit: async () => ({
          ...{ findings: [], ok: true, metrics: [] },
          model: { record: await chain.latestModel(), state: {} },
        }),
        verifyAhead: () => Promise.resolve(),
        reporter: { say: () => undefined, wait: () => undefined },
      } as unknown as ClientLoopDependencies);
    const step = restarted();
    const own = memorySubmission(task, "own");
    await chain.submit(1n, own);
    assert.equal(await step(), "waiting");
    for (const other of task.clients.slice(1)) await other.submit(1n, memorySubmission(task, other.account));
    assert.equal((await chain.round()).phase, "Attesting");
    assert.equal(await restarted()(), "waiting");
    const cid = cidFromDigest(own.sharesCid);
    assert.deepEqual(spread, [cid, cid]);
    await task.operator.settle(1n, await memoryAttestations(task), 0b1111n, []);
    assert.equal(await step(), "waiting");
    assert.equal(spread.length, 2);
  });
});
