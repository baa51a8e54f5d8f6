import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { fundsFound } from "../../../auditor/doctor/funds.ts";
import { partOf } from "../../../auditor/doctor/part.ts";
import type { TaskWriter } from "../../../chain/task-chain.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { openMemoryRound, openMemoryTask } from "../../support/memory-chain.ts";
import type { MemoryTask } from "../../support/memory-chain.ts";

const lower = ({ account }: TaskWriter): Hex => account.toLowerCase() as Hex;

describe("the doctor, about an account's part,", () => {
  let task: MemoryTask;
  beforeEach(async () => void (task = await openMemoryTask({ parameters: { maxRounds: 5 } })));
  const part = async (who: TaskWriter): Promise<readonly [unknown, readonly string[]]> => {
    const { roles, changes } = await partOf(lower(who), task.reader(0));
    return [roles, changes];
  };

  it("knows operator, members and clients before the first round and in one", async () => {
    for (const opens of [false, true]) {
      if (opens) await openMemoryRound(task);
      assert.deepEqual(await part(task.operator), [["aggregator"], []]);
      assert.deepEqual(await part(task.members[2]!), [["member"], []]);
      assert.deepEqual(await part(task.clients[0]!), [["client"], []]);
      assert.deepEqual(await part(task.stranger), [[], []]);
    }
  });

  it("says from which round on somebody comes, and until which one somebody stays", async () => {
    await openMemoryRound(task);
    await task.operator.replaceMember(4, lower(task.stranger));
    await task.operator.removeClient(lower(task.clients[0]!));
    await task.operator.registerClient(lower(task.members[0]!), 1);
    assert.deepEqual(await part(task.stranger), [["member"], ["seat 4's member from round 2 on"]]);
    assert.deepEqual(await part(task.members[3]!), [["member"], ["seat 4's member until round 2"]]);
    assert.deepEqual(await part(task.clients[0]!), [["client"], ["a client until round 2"]]);
    assert.deepEqual(await part(task.members[0]!), [["member", "client"], ["a client from round 2 on"]]);
    const { value } = fundsFound({
      ...{ account: "0x1", balanceWei: 10n ** 18n, gasPriceWei: 1n },
      ...(await partOf(lower(task.stranger), task.reader(0))),
    });
    assert.match(value, /, as member \(seat 4's member from round 2 on\); a round/);
  });

  it("knows that whoever has left has none", async () => {
    await openMemoryRound(task);
    await task.operator.registerClient(lower(task.members[0]!), 1);
    await task.operator.removeClient(lower(task.clients[0]!));
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(1n);
    await openMemoryRound(task);
    assert.deepEqual(await part(task.clients[0]!), [[], []]);
  });
});
