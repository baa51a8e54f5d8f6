/** Two rounds of a task with buffers, the second of which counts an update from the genesis. For tests only. */
import assert from "node:assert/strict";
import type { SubmittedRecord } from "../../chain/task-chain.ts";
import { startHarness } from "./round-harness.ts";
import type { HarnessOptions, RoundHarness } from "./round-harness.ts";
import { TINY_SPECIFICATION } from "./tiny-specification.ts";

/** A round closes at four of five clients' submissions, from the latest model or the one before it. */
const BUFFERED_SPECIFICATION = {
  ...TINY_SPECIFICATION,
  rounds: { bufferGoal: 4, maxStaleness: 1, minSeparation: 1, minCollectSeconds: 0 },
};

export interface StaleRounds {
  readonly harness: RoundHarness;
  /** The submission of the second round that starts from the genesis. */
  readonly stale: SubmittedRecord;
}

/** Plays them: the last client begins before the first model is made, and is done after it. */
export async function playStaleRounds(options: Omit<HarnessOptions, "clients">): Promise<StaleRounds> {
  const harness = await startHarness({ specification: BUFFERED_SPECIFICATION, ...options, clients: 5 });
  const slow = harness.clients[4]!;
  slow.running = false;
  let made: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (made = resolve));
  const { learner } = slow.deps;
  slow.restart((deps) => ({
    ...deps,
    learner: { ...learner, update: (...given) => waiting.then(() => learner.update(...given)) },
  }));
  const step = slow.step();
  assert.equal((await harness.playRound()).state.phase, "Finalised");
  made();
  assert.equal(await step, "acted");
  slow.running = true;
  const { state, records } = await harness.playRound();
  assert.equal(state.phase, "Finalised");
  const stale = records.submitted.find(({ client }) => client === slow.account);
  assert.equal(stale?.submission.base, 0n, "the slow client's update starts from the genesis");
  assert.notEqual((records.settled!.included >> BigInt(stale.index)) & 1n, 0n, "and is in the second sum");
  return { harness, stale };
}
