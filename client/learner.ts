/** The client's learning, from a task's document: plain SGD or DP-SGD on local data, then quantisation. */
import type { Dataset } from "../learning/examples.ts";
import type { Trainer } from "../learning/trainer.ts";
import type { TaskDocument } from "../task/document.ts";
import { updateEncoder } from "../task/encoding.ts";
import type { UpdateEncoder } from "../task/mechanisms/mechanism.ts";
import { mechanismOf } from "../task/mechanisms/registry.ts";
import { stepScale, weightsOf } from "../task/model-vector.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { LocalLearner } from "./make-submission.ts";

export interface LearnerDependencies {
  readonly trainer: Trainer;
  readonly data: Dataset;
  readonly document: TaskDocument;
  readonly random: RandomBytes;
  readonly reporter: Reporter;
}

/** Trains from the round's base for the task's epochs (or DP-SGD steps), returns the difference, and encodes it. */
export function createLearner({ trainer, data, document, random, reporter }: LearnerDependencies): LocalLearner {
  const { training } = document;
  const mechanism = mechanismOf(training.privacy);
  let encode: UpdateEncoder | undefined;
  return {
    update: async (base, round) => {
      encode = updateEncoder(document, base.weights.length, random);
      const start = weightsOf(document, base);
      const trained = await trainer
        .train(start, data, {
          learningRate: training.learningRate,
          momentum: training.momentum,
          batchSize: training.batchSize,
          localEpochs: training.localEpochs,
          seed: Number(round),
          ...mechanism.trainOptions(random),
        })
        .catch((error: unknown) => {
          if (mechanism.diverged === "sit-out" || !isVerisumError(error, "TRAINING_DIVERGED")) throw error;
          reporter.say("warn", "diverged", `round ${round}: training diverged; taking part with a zero update`, {
            round,
          });
          return undefined;
        });
      if (trained === undefined) return new Float32Array(start.length);
      const { weights, loss, steps } = trained;
      const update = weights.map((weight, i) => weight - start[i]!);
      const norm = Math.sqrt(update.reduce((sum, value) => sum + value * value, 0));
      reporter.say(
        "info",
        "trained",
        `round ${round}: trained ${steps} steps, loss ${loss.toFixed(3)}, update norm ${norm.toFixed(2)}`,
        { round, steps, loss, norm },
      );
      return update;
    },
    quantise: (update, base) => {
      // Its noise belongs to one update.
      const once = encode ?? updateEncoder(document, base.weights.length, random);
      encode = undefined;
      return once(update, stepScale(document, base));
    },
  };
}
