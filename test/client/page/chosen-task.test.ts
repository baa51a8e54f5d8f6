import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { contributionsOf } from "../../../client/page/chosen-task.ts";
import type { KnownCosts } from "../../../client/page/chosen-task.ts";
import type { TransactionCost } from "../../../chain/task-chain.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../../support/memory-chain.ts";

describe("the page's list of contributions", () => {
  it("asks once for what each one cost, however often it is shown, and again where it is in another block", async () => {
    const task = await openMemoryTask();
    const [client] = task.clients;
    for (const label of ["one", "two"]) {
      const round = await openMemoryRound(task);
      await settleMemoryRound(task, round);
      await finalizeMemoryRound(task, round, label);
    }
    const { account } = client!;
    const asked: Hex[] = [];
    const cost = { sender: account, gasUsed: 432_285n } as unknown as TransactionCost;
    const chain = {
      look: () => client!.look(),
      transactionCost: (hash: Hex) => Promise.resolve(asked.push(hash) === 1 ? undefined : cost),
    };
    const layout = { elementCount: 4 } as unknown as Parameters<typeof contributionsOf>[1]["layout"];
    const costs: KnownCosts = new Map();
    const read = async (): Promise<readonly (number | null)[]> =>
      (await contributionsOf(chain, { layout, parameters: task.parameters }, account, costs)).map(({ gas }) => gas);
    assert.deepEqual(await read(), [null, 432_285], "an endpoint that is behind is asked again");
    assert.deepEqual(await read(), [432_285, 432_285]);
    assert.equal(asked.length, 3);
    assert.deepEqual(await read(), [432_285, 432_285]);
    assert.equal(asked.length, 3);
    for (const [key, known] of [...costs]) {
      costs.delete(key);
      costs.set(key.replace(/ .*/, " 0"), known);
    }
    await read();
    assert.equal(asked.length, 5);
  });
});
