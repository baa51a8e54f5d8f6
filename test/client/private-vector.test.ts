/** Which vector a client shares of a base model, whatever becomes of the rounds that share it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { openJournal } from "../../client/journal.ts";
import type { Journal, PrivateVector } from "../../client/journal.ts";
import { unsettledVector } from "../../client/private-vector.ts";
import type { HeldBack } from "../../client/private-vector.ts";
import { targetIn } from "../../client/target.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { rejectsCode } from "../support/errors.ts";
import {
  memoryAttestations,
  memorySubmission,
  openMemoryRound,
  openMemoryTask,
  settleMemoryRound,
} from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";

describe("a client's vector of a base model", () => {
  let directory: string;
  let journal: Journal;
  let task: MemoryTask;
  let drawn: PrivateVector;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-vector-"));
    const state = await openStateDirectory(directory);
    journal = openJournal(state, "scope");
    await state.release();
    task = await openMemoryTask({ weights: [1, 1, 1, 1] });
    const { digest } = await task.operator.latestModel();
    drawn = { base: 0n, firstRound: 1n, baseModelDigest: digest, coordinates: Int32Array.of(1, 2) };
    await openMemoryRound(task);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const own = (): MemoryTask["clients"][number] => task.clients[0]!;
  /** @param confirmations blocks on top that make a block final */
  const unsettled = async (confirmations = 0): Promise<PrivateVector | HeldBack | undefined> =>
    unsettledVector({ chain: own(), journal }, await task.reader(confirmations).look(), drawn.baseModelDigest);
  /** The first client draws the vector, and has made its submission of it. */
  const share = async (round: bigint): Promise<void> => {
    if ((await journal.vectors()).length === 0) await journal.keepVector(drawn);
    const { parameters } = task;
    const parametersHash = await task.operator.parametersHash();
    const target = await targetIn({ chain: own(), task: { parameters, parametersHash } }, await own().records(round));
    await journal.keep({ ...target, submission: memorySubmission(task, own().account) });
  };
  const abort = async (round: bigint): Promise<void> => {
    task.chain.setTime((await task.operator.round()).deadline);
    await task.operator.abort(round);
  };

  it("is not there before it is drawn, and the same while rounds end before they settle, however many", async () => {
    assert.equal(await unsettled(), undefined);
    for (let round = 1n; round <= 5n; round += 1n) {
      await share(round);
      await own().submit(round, memorySubmission(task, own().account));
      await abort(round);
      await openMemoryRound(task);
      assert.deepEqual(await unsettled(), drawn);
    }
    assert.equal((await journal.vectors()).length, 1);
  });

  it("is shared no second time once a settlement counts it, whatever became of its round", async () => {
    await share(1n);
    await settleMemoryRound(task, 1n);
    await abort(1n);
    assert.equal(await unsettled(), undefined);
    const second = { ...drawn, firstRound: 2n, coordinates: Int32Array.of(3, 4) };
    await journal.keepVector(second);
    assert.deepEqual(await unsettled(), second);
  });

  it("is the same still if the settlement leaves it out: it is in no sum", async () => {
    await share(1n);
    for (const client of task.clients) await client.submit(1n, memorySubmission(task, client.account));
    const { submitted } = await task.operator.records(1n);
    const statements = await memoryAttestations(task, { good: 0b1110n, refused: 0b0001n });
    await task.operator.settle(1n, statements, 0b1111n, [submitted[0]!]);
    assert.equal((await task.operator.round()).phase, "Aggregating");
    assert.deepEqual(await unsettled(), drawn);
  });

  it("is held back until final blocks say that the round which took it counts it not, and never shared if they say it does", async () => {
    await share(1n);
    await settleMemoryRound(task, 1n);
    assert.deepEqual(await unsettled(50), { heldBy: 1n });
    task.chain.mine(50);
    assert.equal(await unsettled(50), undefined, "before its round is over");
  });

  it("is held back in a round that a reorganisation brings back: a later one may take what was made for it as it is", async () => {
    const before = task.chain.snapshot();
    await abort(1n);
    await openMemoryRound(task);
    await share(2n);
    assert.deepEqual(await unsettled(), drawn);
    task.chain.restore(before);
    assert.deepEqual(await unsettled(), { heldBy: 2n });
  });

  it("is not drawn again where it cannot be read", async () => {
    await journal.loseVector(drawn);
    await rejectsCode(unsettled(), "ROUND_RECORD_DAMAGED");
  });
});
