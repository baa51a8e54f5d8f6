/** What a change of the lists sends, what it warns of, and what it refuses before anything is sent. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { planChange } from "../../operator/list-changes.ts";
import type { ListChange, ListPlan } from "../../operator/list-changes.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { finalizeMemoryRound, openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

const lower = ({ account }: TaskWriter): Hex => account.toLowerCase() as Hex;

describe("a change of a task's lists", () => {
  let task: MemoryTask;
  /** What the next member has. */
  let balance: bigint;
  beforeEach(() => void (balance = 0n));
  beforeEach(async () => void (task = await openMemoryTask({ parameters: { maxCorrupt: 0, maxRounds: 2 } })));

  const plan = async (who: TaskWriter, change: ListChange): Promise<ListPlan> =>
    planChange(change, {
      ...{ chain: task.operator, look: await task.operator.look(), account: lower(who) },
      balanceOf: () => Promise.resolve(balance),
    });
  const removal = (...clients: readonly TaskWriter[]): ListChange => ({
    kind: "remove-clients",
    accounts: clients.map(lower),
  });
  const seat = (number: number, member: Hex, fundWei?: bigint): ListChange => ({
    ...{ kind: "replace-member", seat: number, member },
    ...(fundWei === undefined ? {} : { fundWei }),
  });
  const abort = async (): Promise<void> => {
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort((await task.operator.round()).number);
  };

  it("that is made already holds from the round that it began to hold in", async () => {
    const [gone, stays] = [task.clients[0]!, task.clients[1]!];
    const next = lower(task.stranger);
    await openMemoryRound(task);
    await task.operator.removeClient(gone.account);
    await task.operator.replaceMember(2, next);
    await abort();
    await task.operator.registerClient(task.members[3]!.account, 1);
    for (const member of [task.members[0]!, task.members[2]!, task.members[3]!, task.stranger])
      await member.registerRoundKeys(2n, [`0x${"01".repeat(32)}`]);
    task.chain.setTime(task.chain.nextTime + task.parameters.keyWindowSeconds);
    await task.operator.openRound();
    assert.equal((await task.operator.round()).number, 2n);
    for (const change of [removal(gone), seat(2, next)]) {
      const { steps, fromRound } = await plan(task.operator, change);
      assert.deepEqual([steps, fromRound], [[], 2n]);
    }
    assert.equal((await plan(task.operator, seat(1, lower(task.members[0]!)))).fromRound, 1n);
    const both = await plan(task.operator, removal(gone, stays));
    assert.deepEqual([both.steps.length, both.fromRound], [1, 3n]);
  });

  it("is refused to whoever may not make it, naming who may", async () => {
    const [one, other] = [task.clients[0]!, task.clients[1]!];
    await rejectsCode(plan(other, removal(one)), "ROLE_NOT_REGISTERED", { account: lower(other) });
    assert.equal((await plan(one, removal(one))).steps.length, 1);
    await rejectsCode(plan(task.members[0]!, seat(2, lower(task.stranger))), "ROLE_NOT_REGISTERED");
    assert.equal((await plan(task.members[1]!, seat(2, lower(task.stranger)))).steps.length, 1);
  });

  it("is anybody's where the client was counted as often as the task says", async () => {
    task = await openMemoryTask({ parameters: { maxCorrupt: 0, maxRoundsPerClient: 1 } });
    await rejectsCode(plan(task.stranger, removal(task.clients[0]!)), "ROLE_NOT_REGISTERED");
    await settleMemoryRound(task, await openMemoryRound(task));
    assert.equal((await plan(task.stranger, removal(task.clients[0]!))).steps.length, 1);
  });

  it("that leaves too few clients or members for a round is warned of, and made", async () => {
    const few = await plan(task.operator, removal(task.clients[0]!));
    assert.deepEqual(few.warnings, [
      "from round 1 on 2 clients are registered, and a round needs 3: none opens until add-client lists others",
    ]);
    await task.operator.registerClient(task.stranger.account, 1);
    assert.deepEqual((await plan(task.operator, removal(task.clients[0]!))).warnings, []);
    await openMemoryRound(task);
    assert.deepEqual((await plan(task.operator, seat(4, ZERO_ADDRESS))).warnings, []);
    await task.operator.replaceMember(4, ZERO_ADDRESS);
    assert.deepEqual((await plan(task.operator, seat(3, ZERO_ADDRESS))).warnings, [
      "from round 2 on 2 seats have a member, and a round needs 3: none opens until replace-member fills others",
    ]);
  });

  it("pays the next member where it is told to, before its seat", async () => {
    const next = lower(task.stranger);
    const { steps } = await plan(task.operator, seat(2, next, 5n));
    assert.deepEqual(
      steps.map(({ request }) => [request.to, request.value]),
      [
        [next, 5n],
        [task.contract, undefined],
      ],
    );
    const data = VERISUM_INTERFACE.encodeFunctionData("replaceMember", [2, next]);
    assert.equal(steps[1]!.request.data, data);
    await openMemoryRound(task);
    await rejectsCode(plan(task.operator, seat(2, ZERO_ADDRESS, 5n)), "ROSTER_INVALID");
    // Begun in a round, and repeated in a later one.
    balance = 5n;
    const again = (await plan(task.operator, seat(2, next, 5n))).steps;
    assert.deepEqual(
      again.map(({ label }) => label),
      [`seat 2 to ${next}`],
    );
  });

  it("is refused where the contract would not take it", async () => {
    await rejectsCode(plan(task.operator, seat(2, ZERO_ADDRESS)), "ROSTER_INVALID");
    await rejectsCode(plan(task.operator, seat(2, lower(task.members[2]!))), "ROSTER_INVALID");
    await rejectsCode(plan(task.operator, seat(5, lower(task.stranger))), "ROSTER_INVALID");
    await rejectsCode(plan(task.operator, removal(task.stranger)), "ROSTER_INVALID");
  });

  it("gives no seat of a task that is complete, and takes clients off for their bonds", async () => {
    for (const round of [1n, 2n]) {
      await settleMemoryRound(task, await openMemoryRound(task));
      await finalizeMemoryRound(task, round, `round ${round}`);
    }
    await rejectsCode(plan(task.operator, seat(2, lower(task.stranger))), "TASK_COMPLETE");
    assert.equal((await plan(task.operator, removal(task.clients[0]!))).steps.length, 1);
  });
});
