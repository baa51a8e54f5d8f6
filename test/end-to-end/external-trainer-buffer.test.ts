/** Programs of others as trainers, in rounds that do not wait for slow ones. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { stalenessScale } from "../../task/staleness.ts";
import {
  EXTERNAL_TASK,
  latestWeights,
  programOf,
  startExternalTask,
  TRAINER_STEPS,
  trainWith,
} from "../support/external-trainer.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const RULE = { kind: "polynomial", exponent: 1 } as const;
const SPECIFICATION = {
  ...EXTERNAL_TASK,
  rounds: { bufferGoal: 4, maxStaleness: 2, minSeparation: 1, minCollectSeconds: 0 },
  document: { ...EXTERNAL_TASK.document, training: { ...EXTERNAL_TASK.document.training, staleness: RULE } },
};

describe("a buffered task with an external model", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-external-buffer-"));
    harness = await startExternalTask({ clients: 5, specification: SPECIFICATION }, folder);
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  it("takes a slow program's update of an older model later, scaled by its age", async () => {
    const slow = harness.clients[4]!;
    let isDone: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (isDone = resolve));
    slow.running = false;
    trainWith(slow, {
      train: async (round) => {
        const result = await programOf(slow, folder).train(round);
        await done;
        return result;
      },
    });
    const step = slow.step();
    for (let round = 1; round <= 2; round++) assert.equal((await harness.playRound()).state.phase, "Finalised");
    const before = await latestWeights(harness);
    isDone();
    assert.equal(await step, "acted");
    slow.running = true;
    const { records } = await harness.playRound();
    assert.deepEqual(
      records.submitted.map(({ submission }) => submission.base).sort(),
      [0n, 2n, 2n, 2n],
      "the slow one's and three others'",
    );
    const share = (3 + stalenessScale(RULE, 2)) / 4;
    const now = await latestWeights(harness);
    const off = TRAINER_STEPS.map((add, i) => Math.abs(now[i]! - before[i]! - share * add));
    assert.ok(Math.max(...off) <= 2 ** -10, `${Math.max(...off)}`);
    assert.ok((await harness.audit()).ok);
  });
});
