/** A task whose model only its trainers know: rounds with real processes, real proofs, and the auditor. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { createLearner } from "../../client/learner.ts";
import { checkedTrainer } from "../../client/trainers/checked.ts";
import { processTrainer } from "../../client/trainers/process.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { csprng, startHarness } from "../support/round-harness.ts";
import type { ClientRole, RoundHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

const TRAINER = fileURLToPath(new URL("../support/trainer.mjs", import.meta.url));
const FIRST = [
  { name: "adapter.a", shape: [5, 4], data: Float32Array.from({ length: 20 }, (_, i) => i / 8) },
  { name: "adapter.b", shape: [4], data: Float32Array.of(1, -1, 0.5, 0) },
];
/** What the trainer of the tests adds. */
const STEPS = FIRST.flatMap(({ data }) => Array.from(data, (_, i) => 0.01 * ((i % 7) - 3)));
const TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    model: {
      kind: "external",
      parameters: [{ name: "embedding", shape: [1000, 4] }, ...FIRST.map(({ name, shape }) => ({ name, shape }))],
      trainable: FIRST.map(({ name }) => name),
    },
    quantisation: { stepBits: 10, clipSteps: 150 },
    server: { ...TINY_SPECIFICATION.document.server, momentum: { numerator: 0, denominatorBits: 0 } },
  },
};

describe("a task with an external model", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-external-"));
    const initial = join(folder, "first.safetensors");
    await writeFile(initial, encodeSafetensors(FIRST));
    harness = await startHarness({ clients: 4, specification: TASK, initial, learning: "scripted" });
    harness.clients.forEach((client) => train(client, "difference"));
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  const train = (client: ClientRole, way: string): void =>
    client.restart((deps) => ({
      ...deps,
      learner: createLearner({
        trainer: checkedTrainer(
          processTrainer({
            words: [process.execPath, TRAINER, way],
            directory: join(folder, client.account),
            reporter: client.reporter,
            now: Date.now,
          }),
        ),
        document: deps.task.document,
        tensors: deps.task.tensors,
        random: csprng,
        reporter: client.reporter,
      }),
    }));
  const weights = async (): Promise<Float32Array> => {
    const { cid, digest } = await harness.operator.latestModel();
    return weightsOf(harness.task.document, await loadModelState(harness.task, cid, digest));
  };

  it("begins with the operator's file, and moves by the mean of what the processes gave, within one step", async () => {
    const first = await weights();
    assert.deepEqual([...first], [...FIRST[0]!.data, ...FIRST[1]!.data]);
    const { state } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    const second = await weights();
    const off = STEPS.map((step, i) => Math.abs(second[i]! - first[i]! - step));
    assert.ok(Math.max(...off) <= 2 ** -10, `${Math.max(...off)}`);
    assert.ok((await harness.audit()).ok);
  });

  it("goes on without a client whose trainer fails, which takes part again in the next round", async () => {
    const [broken] = harness.clients;
    train(broken!, "fails");
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.ok(!records.submitted.some(({ client }) => client === broken!.account));
    train(broken!, "weights");
    const next = await harness.playRound();
    assert.ok(next.records.submitted.some(({ client }) => client === broken!.account));
    assert.equal(next.state.phase, "Finalised");
  });
});
