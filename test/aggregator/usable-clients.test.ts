/** An aggregator of a task whose clients were in as many rounds as they may. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createUsableClients } from "../../aggregator/usable-clients.ts";
import { createCoordinator } from "../../aggregator/coordinator.ts";
import type { CoordinatorDependencies, CoordinatorStep } from "../../aggregator/coordinator.ts";
import {
  finalizeMemoryRound,
  memoryAttestations,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { quietStatements } from "../support/quiet-statements.ts";
import { word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("a round that could count nobody", () => {
  let task: MemoryTask;
  let step: CoordinatorStep;
  let asked: number;
  let waits: string[];

  const begin = async (maxRoundsPerClient: number): Promise<void> => {
    task = await openMemoryTask({ parameters: { maxRoundsPerClient, minClients: 2, maxCorrupt: 1 } });
    [asked, waits] = [0, []];
    const reporter = { ...createRecorder(), wait: (text: string) => void waits.push(text) };
    const chain = { ...task.operator, client: (account: never) => (asked++, task.operator.client(account)) };
    const deps = { chain, ...quietStatements(chain), task: { parameters: task.parameters }, reporter };
    step = createCoordinator(deps as unknown as CoordinatorDependencies);
  };
  const settleOn = async (round: bigint, good: bigint): Promise<void> => {
    for (const client of task.clients) await client.submit(round, memorySubmission(task, client.account));
    const refused = ((1n << BigInt(task.clients.length)) - 1n) & ~good;
    const { submitted } = await task.operator.records(round);
    const excluded = submitted.filter(({ index }) => (refused >> BigInt(index)) & 1n);
    await task.operator.settle(round, await memoryAttestations(task, { good, refused }), 0b1111n, excluded);
  };
  /** Ends the round by its deadline; members have keys for the next one. */
  const abort = async (): Promise<void> => {
    const { number, deadline } = await task.operator.round();
    task.chain.setTime(deadline);
    await task.operator.abort(number);
    const next = number + 1n;
    for (const member of task.members) await member.registerRoundKeys(next, [word(`${member.account} ${next}`)]);
  };
  /** A first round that counts these clients, and a second in which nobody is. */
  const played = async (maxRoundsPerClient: number, good: bigint): Promise<void> => {
    await begin(maxRoundsPerClient);
    const round = await openMemoryRound(task);
    await settleOn(round, good);
    await finalizeMemoryRound(task, round, "first");
    await openMemoryRound(task).catch(() => undefined);
    await abort();
  };
  const numberAfter = async (steps: number): Promise<bigint> => {
    for (let i = 0; i < steps; i++) await step();
    return (await task.operator.round()).number;
  };

  it("is not opened where fewer are left than a settlement needs, and each is asked for once", async () => {
    await played(1, 0b011n);
    assert.equal(await numberAfter(3), 2n);
    assert.equal(asked, task.clients.length);
    assert.match(waits.at(-1)!, /further rounds may count 1 of the 3 registered, 2 needed/);
  });

  it("is opened where as many are left, or where no number is set", async () => {
    for (const [most, good] of [
      [2, 0b111n],
      [0, 0b111n],
    ] as const) {
      await played(most, good);
      assert.equal(await numberAfter(1), 3n);
    }
  });

  it("is opened once enough others are listed", async () => {
    await played(1, 0b111n);
    assert.equal(await numberAfter(2), 2n);
    for (const { account } of [task.stranger, task.members[0]!]) await task.operator.registerClient(account, 1);
    assert.equal(await numberAfter(2), 3n);
  });

  it("is opened where a reorganisation took back the settlement that counted them", async () => {
    await begin(1);
    const round = await openMemoryRound(task);
    await settleOn(round, 0b111n);
    await abort();
    // Also where it is of a round before the present one.
    const usableAt = async (ofPresent: boolean): Promise<void> => {
      let isThere = true;
      const look: MemoryTask["operator"]["look"] = async () => {
        const seen = await task.operator.look();
        const { settled: taken, ...others } = seen.records(round);
        const settlement = isThere && ofPresent ? { settled: taken! } : {};
        return { ...seen, records: () => ({ ...others, ...settlement, settledRounds: isThere ? 1 : 0 }) };
      };
      const client: MemoryTask["operator"]["client"] = async (account) => ({
        ...(await task.operator.client(account)),
        includedRounds: isThere ? 1 : 0,
      });
      const usable = createUsableClients({ chain: { look, client }, task });
      assert.equal(await usable(), 0);
      isThere = false;
      assert.equal(await usable(), 3);
    };
    for (const ofPresent of [true, false]) await usableAt(ofPresent);
  });

  it("is not opened after a round that settled on all who were left, and ended without a model", async () => {
    await begin(1);
    await openMemoryRound(task);
    await abort();
    assert.equal(await numberAfter(1), 2n);
    await settleOn(2n, 0b111n);
    await abort();
    assert.equal(await numberAfter(2), 2n);
    assert.match(waits.at(-1)!, /further rounds may count 0 of the 3/);
  });
});
