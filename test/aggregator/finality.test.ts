/** An aggregator on a chain whose finality is longer than the task's window for releases. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { createCoordinator } from "../../aggregator/coordinator.ts";
import type { CoordinatorDependencies, CoordinatorStep } from "../../aggregator/coordinator.ts";
import type { ChainTiming } from "../../chain/timing.ts";
import type { StatementBoard } from "../../task/statement-board.ts";
import { memoryAttestations, memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { quietStatements } from "../support/quiet-statements.ts";
import { word } from "../support/random.ts";

const ALL_SEATS = 0b1111n;

describe("a settlement that could not become final in time", () => {
  let task: MemoryTask;
  let timing: ChainTiming;
  let said: string[];
  let waits: string[];
  let rereads: number;
  let step: CoordinatorStep;
  let board: StatementBoard;
  beforeEach(async () => {
    task = await openMemoryTask({
      parameters: { privacyCostPerRound: 1n, privacyBudget: 5n, maxRounds: 5, minClients: 2, maxCorrupt: 1 },
    });
    [said, waits, rereads] = [[], [], 0];
    const chain = {
      ...task.operator,
      timing: () => Promise.resolve(timing),
      rereadRound: () => Promise.resolve(void (rereads += 1)),
    };
    const statements = quietStatements(task.operator);
    ({ board } = statements);
    step = createCoordinator({
      ...{ chain, ...statements },
      task: { parameters: task.parameters },
      reporter: {
        say: (_level: string, event: string, text: string) => void said.push(`${event}: ${text}`),
        wait: (text: string) => void waits.push(text),
      },
    } as unknown as CoordinatorDependencies);
    const round = await openMemoryRound(task);
    for (const client of task.clients) await client.submit(round, memorySubmission(task, client.account));
    for (const statement of await memoryAttestations(task)) await board.add({ kind: "attestation", ...statement });
  });
  const slow = (): ChainTiming => ({ secondsPerBlock: 12, finalitySeconds: task.parameters.aggregateSeconds - 11 });
  const fast = (): ChainTiming => ({ secondsPerBlock: 12, finalitySeconds: task.parameters.aggregateSeconds - 12 });
  const play = async (steps: number): Promise<void> => {
    for (let i = 0; i < steps; i++) await step();
  };

  it("is not made: the round ends by its deadline, nothing is charged, and the number that would do is named once", async () => {
    timing = slow();
    await play(3);
    const { phase, deadline } = await task.operator.round();
    assert.equal(phase, "Attesting");
    task.chain.setTime(deadline);
    await step();
    assert.equal((await task.operator.round()).phase, "Aborted");
    assert.equal(await task.operator.privacySpent(), 0n);
    const warnings = said.filter((line) => line.startsWith("not-settled"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /windowSeconds\.aggregate is \d+, .*: \d+ would do$/);
  });

  it("is made with a second more", async () => {
    timing = fast();
    await play(2);
    assert.equal((await task.operator.round()).phase, "Aggregating");
    assert.equal(await task.operator.privacySpent(), 1n);
  });

  it("is put off where a stranger's proposal stands, since only a settlement ends that phase, and made when it can be", async () => {
    const twoGood = await memoryAttestations(task, { good: 0b011n });
    await task.stranger.settle(1n, twoGood, ALL_SEATS, []);
    timing = slow();
    task.chain.setTime((await task.operator.round()).deadline);
    await play(3);
    assert.equal((await task.operator.round()).phase, "Attesting");
    assert.equal(await task.operator.privacySpent(), 0n);
    assert.match(waits.at(-1)!, /^round 1 is not settled, since .*: \d+ would do$/);
    timing = fast();
    await step();
    assert.equal((await task.operator.round()).phase, "Aggregating");
  });

  it("is not believed to be too late before everything was read again, once a round", async () => {
    timing = slow();
    await play(3);
    assert.equal(rereads, 1);
  });

  it("is not begun: no round opens, and the number that would do is named once, until the chain is fast enough", async () => {
    timing = slow();
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(1n);
    for (const member of task.members) await member.registerRoundKeys(2n, [word(member.account)]);
    assert.equal((await task.operator.round()).phase, "Aborted");
    await play(3);
    assert.equal((await task.operator.round()).number, 1n);
    assert.equal(said.filter((line) => line.startsWith("not-opened: round 2 is not opened")).length, 1);
    timing = fast();
    await step();
    assert.deepEqual([(await task.operator.round()).number, rereads], [2n, 1]);
  });
});
