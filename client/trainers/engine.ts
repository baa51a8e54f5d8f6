/** The built-in engine as a trainer: plain SGD, or DP-SGD where the task protects single records. */
import type { Dataset } from "../../learning/examples.ts";
import { cutWeights, joinWeights } from "../../learning/named-tensors.ts";
import type { Trainer } from "../../learning/trainer.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { TensorShape } from "../../task/checkpoint.ts";
import type { TaskDocument } from "../../task/document.ts";
import { mechanismOf } from "../../task/mechanisms/registry.ts";
import type { RoundTrainer } from "../round-trainer.ts";

/** Told of each step of training. */
export type OnTraining = (progress: { readonly round: bigint; readonly step: number; readonly steps: number }) => void;

export interface EngineDependencies {
  readonly engine: Pick<Trainer, "train">;
  readonly data: Dataset;
  readonly document: Pick<TaskDocument, "training">;
  readonly tensors: readonly TensorShape[];
  readonly random: RandomBytes;
  readonly onProgress?: OnTraining | undefined;
}

/** Trains for the task's epochs, or its steps of DP-SGD. */
export function engineTrainer({
  engine,
  data,
  document,
  tensors,
  random,
  onProgress,
}: EngineDependencies): RoundTrainer {
  const { privacy, optimiser, weightDecay, classWeights } = document.training;
  const mechanism = mechanismOf(privacy);
  const chosen = { optimiser, weightDecay, classWeights };
  return {
    train: async ({ round, tensors: base, training }) => {
      const { weights, loss, steps } = await engine.train(
        joinWeights(tensors, base),
        data,
        { ...training, ...chosen, seed: Number(round), ...mechanism.trainOptions(random) },
        onProgress && ((progress) => onProgress({ round, step: progress.step, steps: progress.steps })),
      );
      return { kind: "weights", tensors: cutWeights(tensors, weights), metrics: { steps, loss } };
    },
  };
}
