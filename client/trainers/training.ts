/** What a client trains with and measures by: the built-in engine, or a trainer of somebody else. */
import { join } from "node:path";
import { baselineWatch, evaluationText, recallText } from "../../learning/evaluation.ts";
import type { Evaluation } from "../../learning/evaluation.ts";
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
import type { RoundEvaluator, RoundTrainer } from "../round-trainer.ts";
import type { TrainerAddress } from "./address.ts";
import { checkedTrainer } from "./checked.ts";
import { engineTrainer } from "./engine.ts";
import type { OnTraining } from "./engine.ts";
import { httpEvaluator, httpTrainer } from "./http.ts";
import { metricsBy } from "./local-metrics.ts";
import { processEvaluator, processTrainer } from "./process.ts";

export interface Training {
  readonly trainer: RoundTrainer;
  /** Reports how good a model is on local data; absent where there are none. */
  readonly measure?: (round: bigint, model: ModelState) => Promise<void>;
}

export interface TrainingDependencies {
  readonly task: Pick<OpenTask, "document" | "tensors">;
  readonly reporter: Reporter;
  readonly random: RandomBytes;
  /** For the folders and logs of commands. */
  readonly directory: string;
  /** Aborted when the client is told to stop. */
  readonly signal: AbortSignal;
  /** Told of the built-in engine's steps. */
  readonly onProgress?: OnTraining | undefined;
}

export interface TrainingOptions {
  readonly data?: LoadedData;
  readonly trainer?: RoundTrainer | TrainerAddress;
  readonly evaluator?: RoundEvaluator | TrainerAddress;
}

/**
 * @throws USAGE without data and without a trainer; MODEL_EXTERNAL where the engine has no such model;
 * TRAINER_PRIVACY_UNCHECKED
 */
export async function openTraining(
  { data, trainer, evaluator }: TrainingOptions,
  deps: TrainingDependencies,
): Promise<Training> {
  const { task, reporter, random, onProgress } = deps;
  const { document, tensors } = task;
  const engine = data === undefined ? undefined : await createTrainer(document.model);
  const measures = [
    ...(data === undefined || engine === undefined ? [] : [accuracyOn(data.test, engine, document, reporter)]),
    ...(evaluator === undefined ? [] : [metricsBy(outsideEvaluator(evaluator, deps), deps)]),
  ];
  const measure = async (round: bigint, model: ModelState): Promise<void> => {
    for (const one of measures) await one(round, model);
  };
  const measured = measures.length === 0 ? {} : { measure };
  if (trainer !== undefined) {
    requireOutsideTraining(document);
    return { trainer: checkedTrainer(outsideTrainer(trainer, deps)), ...measured };
  }
  ensure(data !== undefined && engine !== undefined, "USAGE", "without a trainer, data is needed to train on");
  return { trainer: engineTrainer({ engine, data: data.train, document, tensors, random, onProgress }), ...measured };
}

function outsideTrainer(trainer: RoundTrainer | TrainerAddress, deps: TrainingDependencies): RoundTrainer {
  if ("train" in trainer) return trainer;
  return "url" in trainer
    ? httpTrainer({ ...trainer, now: Date.now })
    : processTrainer({ ...trainer, ...deps, directory: join(deps.directory, "trainer"), now: Date.now });
}

function outsideEvaluator(evaluator: RoundEvaluator | TrainerAddress, deps: TrainingDependencies): RoundEvaluator {
  if ("evaluate" in evaluator) return evaluator;
  return "url" in evaluator
    ? httpEvaluator({ ...evaluator, now: Date.now })
    : processEvaluator({ ...evaluator, ...deps, directory: join(deps.directory, "evaluator"), now: Date.now });
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
    const byClass = "recall" in evaluation ? `; ${recallText(evaluation.recall, test.classNames)}` : "";
    const text = `model of round ${round}: ${evaluationText(evaluation)} on local test data${byClass}`;
    reporter.say("info", "accuracy", text, { round, ...figuresOf(evaluation) });
    const nothing = learnsNothing(evaluation);
    if (nothing !== undefined) reporter.say("warn", "learns-nothing", nothing, { round });
  };
}

/** For programs: what there is one number of. */
function figuresOf(evaluation: Evaluation): Readonly<Record<string, number>> {
  if ("accuracy" in evaluation) {
    const { accuracy, majority, balancedAccuracy } = evaluation;
    return { accuracy, majority, balancedAccuracy };
  }
  const { rootMeanSquaredError, meanAbsoluteError, baselineError } = evaluation;
  return { rootMeanSquaredError, meanAbsoluteError, baselineError };
}
