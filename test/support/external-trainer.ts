/** Clients of a round whose trainers are programs of others, and a task for them. For tests only. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLearner } from "../../client/learner.ts";
import type { RoundTrainer } from "../../client/round-trainer.ts";
import { checkedTrainer } from "../../client/trainers/checked.ts";
import { processTrainer } from "../../client/trainers/process.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { csprng, startHarness } from "./round-harness.ts";
import type { ClientRole, HarnessOptions, RoundHarness } from "./round-harness.ts";
import { TINY_SPECIFICATION } from "./tiny-specification.ts";

/** The program that behaves as its first argument says. */
export const TRAINER = fileURLToPath(new URL("trainer.mjs", import.meta.url));

/** What an operator's file gives: the trained tensors of {@link EXTERNAL_TASK}. */
export const FIRST_TENSORS = [
  { name: "adapter.a", shape: [5, 4], data: Float32Array.from({ length: 20 }, (_, i) => i / 8) },
  { name: "adapter.b", shape: [4], data: Float32Array.of(1, -1, 0.5, 0) },
];

/** What {@link TRAINER} adds to them in a round. */
export const TRAINER_STEPS = FIRST_TENSORS.flatMap(({ data }) => Array.from(data, (_, i) => 0.01 * ((i % 7) - 3)));

/** A frozen embedding, two trained tensors, and plain averaging. */
export const EXTERNAL_TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    model: {
      kind: "external",
      parameters: [
        { name: "embedding", shape: [1000, 4] },
        ...FIRST_TENSORS.map(({ name, shape }) => ({ name, shape })),
      ],
      trainable: FIRST_TENSORS.map(({ name }) => name),
      options: { step: 0.015625 },
    },
    quantisation: { stepBits: 10, clipSteps: 150 },
    server: { ...TINY_SPECIFICATION.document.server, momentum: { numerator: 0, denominatorBits: 0 } },
  },
};

/** The client trains by this from now on, held to what every trainer of somebody else is held to. */
export function trainWith(client: ClientRole, trainer: RoundTrainer): void {
  client.restart((deps) => ({
    ...deps,
    learner: createLearner({
      trainer: checkedTrainer(trainer),
      document: deps.task.document,
      tensors: deps.task.tensors,
      random: csprng,
      reporter: client.reporter,
    }),
  }));
}

/** A command as the client's trainer; its logs are below the folder. */
export function commandOf(client: ClientRole, words: readonly [string, ...string[]], folder: string): RoundTrainer {
  const directory = join(folder, client.account);
  return processTrainer({ words, directory, reporter: client.reporter, now: Date.now });
}

/** {@link TRAINER} as the client's. */
export function programOf(client: ClientRole, folder: string, way = "difference"): RoundTrainer {
  return commandOf(client, [process.execPath, TRAINER, way], folder);
}

/** A task that begins with {@link FIRST_TENSORS}, all of whose clients train by {@link TRAINER}. */
export async function startExternalTask(
  options: Pick<HarnessOptions, "clients" | "specification">,
  folder: string,
): Promise<RoundHarness> {
  const initial = join(folder, "first.safetensors");
  await writeFile(initial, encodeSafetensors(FIRST_TENSORS));
  const harness = await startHarness({ ...options, initial, learning: "scripted" });
  for (const client of harness.clients) trainWith(client, programOf(client, folder));
  return harness;
}

/** Of the task's latest model. */
export async function latestWeights({ operator, task }: RoundHarness): Promise<Float32Array> {
  const { cid, digest } = await operator.latestModel();
  return weightsOf(task.document, await loadModelState(task, cid, digest));
}
