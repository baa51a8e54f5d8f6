/** Programs of others as trainers, in rounds that do not wait for slow ones. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { RoundTrainer } from "../../client/round-trainer.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { stalenessScale } from "../../task/staleness.ts";
import { commandOf, EXTERNAL_TASK, FIRST_TENSORS, TRAINER, trainWith } from "../support/external-trainer.ts";
import { startHarness } from "../support/round-harness.ts";
import type { ClientRole, RoundHarness } from "../support/round-harness.ts";

/** What the trainer of the tests adds. */
const STEPS = FIRST_TENSORS.flatMap(({ data }) => Array.from(data, (_, i) => 0.01 * ((i % 7) - 3)));
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
    const initial = join(folder, "first.safetensors");
    await writeFile(initial, encodeSafetensors(FIRST_TENSORS));
    harness = await startHarness({ clients: 5, specification: SPECIFICATION, initial, learning: "scripted" });
    for (const client of harness.clients) trainWith(client, program(client));
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  const program = (client: ClientRole): RoundTrainer =>
    commandOf(client, [process.execPath, TRAINER, "difference"], folder);
  const weights = async (): Promise<Float32Array> => {
    const { cid, digest } = await harness.operator.latestModel();
    return weightsOf(harness.task.document, await loadModelState(harness.task, cid, digest));
  };

  it("takes a slow program's update of an older model later, scaled by its age", async () => {
    const slow = harness.clients[4]!;
    let isDone: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (isDone = resolve));
    slow.running = false;
    trainWith(slow, {
      train: async (round) => {
        const result = await program(slow).train(round);
        await done;
        return result;
      },
    });
    const step = slow.step();
    for (let round = 1; round <= 2; round++) assert.equal((await harness.playRound()).state.phase, "Finalised");
    const before = await weights();
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
    const now = await weights();
    const off = STEPS.map((add, i) => Math.abs(now[i]! - before[i]! - share * add));
    assert.ok(Math.max(...off) <= 2 ** -10, `${Math.max(...off)}`);
    assert.ok((await harness.audit()).ok);
  });
});
