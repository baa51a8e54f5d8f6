import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createTidying } from "../../aggregator/tidying.ts";
import { VerisumError } from "../../protocol/errors.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
} from "../support/memory-chain.ts";
import type { MemoryTask, MemoryTaskOptions } from "../support/memory-chain.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** A task whose first round settled with these clients left out, as refused by everybody. */
async function settled(parameters: MemoryTaskOptions["parameters"], refused = 0n): Promise<MemoryTask> {
  const task = await openMemoryTask({ parameters: { ...parameters }, weights: [1, 1, 1, 1] });
  const round = await openMemoryRound(task);
  for (const client of task.clients.slice(0, 3)) await client.submit(round, memorySubmission(task, client.account));
  await task.clients[3]!.submit(round, memorySubmission(task, task.clients[3]!.account));
  const good = 0b1111n & ~refused;
  const { submitted } = await task.operator.records(round);
  const excluded = submitted.filter(({ index }) => (refused >> BigInt(index)) & 1n);
  await task.operator.settle(round, await memoryAttestations(task, { good, refused }), 0b1111n, excluded);
  return task;
}

/** Whom a stranger's chore takes off. */
async function tidied(task: MemoryTask): Promise<readonly unknown[]> {
  const reporter = createRecorder();
  const tidy = createTidying({ chain: task.stranger, task, reporter });
  for (let calls = 0; calls < 5; calls++) await tidy();
  return reporter.facts("client-removed").map(({ account }) => account);
}

describe("the aggregator's tidying", () => {
  it("takes off clients that are used up, once a settlement counts them, before the next round opens", async () => {
    const task = await settled({ maxRoundsPerClient: 1 }, 0b1000n);
    const used = task.clients.slice(0, 3).map(({ account }) => account);
    assert.deepEqual(await tidied(task), used);
    assert.deepEqual(await tidied(task), [], "they are not listed any more");
    for (const account of used) assert.equal((await task.operator.client(account)).untilRound, 2n);
  });

  it("takes off clients that were refused as often as the task says, and nobody else", async () => {
    assert.deepEqual(await tidied(await settled({ maxRefusals: 2 }, 0b1000n)), []);
    const task = await settled({ maxRefusals: 1 }, 0b1000n);
    assert.deepEqual(await tidied(task), [task.clients[3]!.account]);
    assert.deepEqual(await tidied(await settled({ maxRefusals: 0 }, 0b1000n)), []);
  });

  it("takes one off at a time: what the round needs comes between", async () => {
    const task = await settled({ maxRoundsPerClient: 1 });
    const reporter = createRecorder();
    const tidy = createTidying({ chain: task.stranger, task, reporter });
    const isListed = async ({ account }: MemoryTask["clients"][number]): Promise<boolean> =>
      (await task.operator.client(account)).untilRound === 0n;
    for (let call = 1; call <= 4; call++) {
      await tidy();
      const listed = await Promise.all(task.clients.map(isListed));
      assert.equal(listed.filter((is) => !is).length, call);
    }
  });

  it("waits until the round has settled, and looks once a round", async () => {
    const task = await settled({ maxRefusals: 1 });
    await finalizeMemoryRound(task, 1n, "first");
    await openMemoryRound(task).catch(() => undefined);
    let asked = 0;
    const chain = { ...task.stranger, client: (account: never) => (asked++, task.stranger.client(account)) };
    const tidy = createTidying({ chain, task, reporter: createRecorder() });
    await tidy();
    assert.equal(asked, 0, "the round collects");
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(2n);
    await tidy();
    await tidy();
    assert.equal(asked, 4);
  });

  it("waits until the settlement is final: nobody is taken off for what a reorganisation takes back", async () => {
    const task = await settled({ maxRoundsPerClient: 1 });
    let final = false;
    const look: MemoryTask["operator"]["look"] = async () => {
      const seen = await task.operator.look();
      const records: typeof seen.records = (round) => ({
        ...seen.records(round),
        finalBlock: final ? seen.finalBlock : 0,
      });
      return { ...seen, records };
    };
    const reporter = createRecorder();
    const tidy = createTidying({ chain: { ...task.operator, look }, task, reporter });
    await tidy();
    assert.deepEqual(reporter.facts("client-removed"), []);
    final = true;
    await tidy();
    assert.equal(reporter.facts("client-removed").length, 1);
  });

  it("waits for the rounds before as well, where theirs may be taken back", async () => {
    const task = await settled({ maxRoundsPerClient: 1 });
    const { number, deadline } = await task.operator.round();
    task.chain.setTime(deadline);
    await task.operator.abort(number);
    await openMemoryRound(task);
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(number + 1n);
    let closedRound = 0n;
    const look: MemoryTask["operator"]["look"] = async () => ({ ...(await task.operator.look()), closedRound });
    const reporter = createRecorder();
    const tidy = createTidying({ chain: { ...task.operator, look }, task, reporter });
    await tidy();
    assert.deepEqual(reporter.facts("client-removed"), []);
    closedRound = number;
    await tidy();
    assert.equal(reporter.facts("client-removed").length, 1);
  });

  it("tries again after an error that passes", async () => {
    const task = await settled({ maxRoundsPerClient: 1 }, 0b1000n);
    const [account] = task.clients;
    let isAway = true;
    const away = new VerisumError("CHAIN_UNREACHABLE", "away", {});
    const removeClient: MemoryTask["stranger"]["removeClient"] = (...given) =>
      isAway ? Promise.reject(away) : task.stranger.removeClient(...given);
    const tidy = createTidying({ chain: { ...task.stranger, removeClient }, task, reporter: createRecorder() });
    await assert.rejects(tidy(), { code: "CHAIN_UNREACHABLE" });
    isAway = false;
    await tidy();
    assert.equal((await task.operator.client(account!.account)).untilRound, 2n);
  });

  it("goes on where somebody else was first", async () => {
    const task = await settled({ maxRoundsPerClient: 1 });
    const removeClient = (): Promise<never> =>
      Promise.reject(new VerisumError("CHAIN_REVERTED", "not listed", { error: "VerisumNotRegistered" }));
    const tidy = createTidying({ chain: { ...task.stranger, removeClient }, task, reporter: createRecorder() });
    await tidy();
  });
});
