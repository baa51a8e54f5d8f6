/** What a client trains with and measures by: the built-in engine, or a trainer of somebody else. */
import { accuracyText, baselineWatch } from "../../learning/evaluation.ts";
import type { Dataset, LoadedData } from "../../learning/examples.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { Trainer } from "../../learning/trainer.ts";
import { ensure } from "../../protocol/errors.ts";
import type { ModelState } from "../../protocol/model.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { weightsOf } from "../../task/model-vector.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { requireOutsideTraining } from "../../task/trainer-rules.ts";
import type { RoundTrainer } from "../round-trainer.ts";
import { checkedTrainer } from "./checked.ts";
import { engineTrainer } from "./engine.ts";
import { httpTrainer } from "./http.ts";
import { processTrainer } from "./process.ts";

/** Where a trainer outside this process is: a command to start in each round, or a server on this machine. */
export type TrainerAddress =
  { readonly words: readonly [string, ...string[]] } | { readonly url: URL; readonly token: string };

export interface Training {
  readonly trainer: RoundTrainer;
  /** Reports how good a model is on local data; absent where there are none. */
  readonly measure?: (round: bigint, model: ModelState) => Promise<void>;
}

export interface TrainingDependencies {
  readonly task: Pick<OpenTask, "document" | "tensors">;
  readonly reporter: Reporter;
  readonly random: RandomBytes;
  /** For the folders and logs of a command. */
  readonly directory: string;
}

/**
 * @throws USAGE without data and without a trainer; MODEL_EXTERNAL where the engine has no such model;
 * TRAINER_PRIVACY_UNCHECKED
 */
export async function openTraining(
  { data, trainer }: { readonly data?: LoadedData; readonly trainer?: RoundTrainer | TrainerAddress },
  { task, reporter, random, directory }: TrainingDependencies,
): Promise<Training> {
  const { document, tensors } = task;
  const engine = data === undefined ? undefined : await createTrainer(document.model);
  const measure =
    data === undefined || engine === undefined ? undefined : accuracyOn(data.test, engine, document, reporter);
  const measured = measure === undefined ? {} : { measure };
  if (trainer !== undefined) {
    requireOutsideTraining(document);
    return { trainer: checkedTrainer(outside(trainer, directory, reporter)), ...measured };
  }
  ensure(data !== undefined && engine !== undefined, "USAGE", "without a trainer, data is needed to train on");
  return { trainer: engineTrainer({ engine, data: data.train, document, tensors, random }), ...measured };
}

function outside(trainer: RoundTrainer | TrainerAddress, directory: string, reporter: Reporter): RoundTrainer {
  if ("train" in trainer) return trainer;
  if ("url" in trainer) return httpTrainer({ ...trainer, now: Date.now });
  return processTrainer({ ...trainer, directory, reporter, now: Date.now });
}

function accuracyOn(
  test: Dataset,
  engine: Trainer,
  document: OpenTask["document"],
  reporter: Reporter,
): NonNullable<Training["measure"]> {
  const learnsNothing = baselineWatch();
  return async (round, model) => {
    const evaluation = await engine.evaluate(weightsOf(document, model), test);
    const { accuracy, majority, balancedAccuracy } = evaluation;
    const facts = { round, accuracy, majority, balancedAccuracy };
    reporter.say("info", "accuracy", `model of round ${round}: ${accuracyText(evaluation)} on local test data`, facts);
    const nothing = learnsNothing(evaluation);
    if (nothing !== undefined) reporter.say("warn", "learns-nothing", nothing, { round });
  };
}
