/** The port through which roles train and evaluate; no type of the numerical library crosses it. */
import { ensure, VerisumError } from "../protocol/errors.ts";
import { selectBackend } from "./backend.ts";
import type { BackendChoice, BackendName } from "./backend.ts";
import { exampleWidth, gatherExamples } from "./examples.ts";
import type { Dataset } from "./examples.ts";
import { bootstrapOf, ENSEMBLE_PRIVACY, memberSeed, membersOf } from "./ensemble.ts";
import { assertTakes, firstWeights, modelTensors, parameterCountOf, parseMember } from "./model.ts";
import type { Model } from "./model.ts";
import type { ParameterShape } from "./layers/layer.ts";
import { yieldToEventLoop } from "./event-loop.ts";
import type { Evaluation } from "./evaluation.ts";
import { assertFinite } from "./finite.ts";
import type { Answers } from "./heads/head.ts";
import { headOf } from "./heads/registry.ts";
import { createNetwork } from "./network.ts";
import { assertTrainOptions } from "./trainers/limits.ts";
import { methodFor } from "./trainers/registry.ts";
import type { TrainOptions, TrainProgress, TrainResult } from "./trainers/training-method.ts";

export interface Trainer {
  readonly backend: BackendName;
  readonly parameterCount: number;
  /** In the order of the flat weights. */
  readonly parameterShapes: readonly ParameterShape[];
  /**
   * Trains from `weights`, which stay as they are. Equal arguments give equal results on one backend and machine type.
   * @throws TRAINING_OPTIONS_INVALID, PRIVACY_PARAMETERS_INVALID, DATASET_MODEL_MISMATCH, UPDATE_LENGTH,
   *   UPDATE_NOT_FINITE for the weights given, TRAINING_DIVERGED
   */
  train(
    weights: Float32Array,
    data: Dataset,
    options: TrainOptions,
    onProgress?: (progress: TrainProgress) => void,
  ): Promise<TrainResult>;
  /** Accuracy or errors with their baselines, and the mean loss. @throws as `train` */
  evaluate(weights: Float32Array, data: Dataset): Promise<Evaluation>;
  /**
   * One row for each example: probabilities of the classes, or a value in the targets' scale.
   * @throws as `train`
   */
  predict(weights: Float32Array, data: Dataset): Promise<Float32Array>;
  /** The same weights for everyone with this seed. */
  initialWeights(seed: number): Float32Array;
}

const EVALUATION_BATCH = 500;

/**
 * Builds a model's trainer.
 *
 * @param description the `model` of a task's document
 * @throws MODEL_DESCRIPTION_INVALID, TRAINING_BACKEND_UNAVAILABLE
 */
export async function createTrainer(
  description: unknown,
  options: { readonly backend?: BackendChoice } = {},
): Promise<Trainer> {
  const { count: memberCount } = membersOf(description);
  const model = parseMember(description);
  const backend = await selectBackend(options.backend ?? "auto");
  const network = createNetwork(model);
  const memberSize = parameterCountOf(model);
  const parameterCount = memberCount * memberSize;
  const memberWeights = (weights: Float32Array, member: number): Float32Array =>
    weights.subarray(member * memberSize, (member + 1) * memberSize);

  const head = headOf(model);
  const { outputCount: width } = head;

  const outputsOf = (weights: Float32Array, features: Float32Array): Float32Array =>
    memberCount === 1
      ? network.outputs(weights, features)
      : head.combine(
          Array.from({ length: memberCount }, (_, i) => network.outputs(memberWeights(weights, i), features).slice()),
        );

  const trainMembers: Trainer["train"] = async (start, data, options, onProgress) => {
    ensure(options.privacy === undefined, "PRIVACY_PARAMETERS_INVALID", ENSEMBLE_PRIVACY);
    const weights = start.slice();
    let loss = 0;
    let steps = 0;
    for (let i = 0; i < memberCount; i++) {
      const job = { network, start: memberWeights(start, i).slice(), data: bootstrapOf(data, i), onProgress };
      const own = { ...options, seed: memberSeed(i, options.seed) };
      const result = await methodFor(own).train(job, own);
      weights.set(result.weights, i * memberSize);
      loss += result.loss / memberCount;
      steps += result.steps;
    }
    return { weights, loss, steps };
  };

  const inBatches = async (
    weights: Float32Array,
    data: Dataset,
    take: (from: number, count: number, outputs: Float32Array) => void,
  ): Promise<void> => {
    for (let from = 0; from < data.exampleCount; from += EVALUATION_BATCH) {
      const count = Math.min(EVALUATION_BATCH, data.exampleCount - from);
      take(from, count, outputsOf(weights, featuresIn(data, from, count)));
      await yieldToEventLoop();
    }
  };

  const check = (weights: Float32Array, data: Dataset): void => {
    if (weights.length !== parameterCount)
      throw new VerisumError("UPDATE_LENGTH", `the model has ${parameterCount} weights, got ${weights.length}`, {
        expected: parameterCount,
        actual: weights.length,
      });
    assertFinite(weights, "MODEL_NOT_FINITE", "the weights given are not finite");
    assertTakes(model, data);
    assertFinite(data.features, "DATASET_VALUE_INVALID", "a feature is not finite");
  };
  /** Of what is trained on or measured; what is asked about may lack its answer. */
  const checkAnswered = (weights: Float32Array, data: Dataset): void => {
    check(weights, data);
    if (data.targets !== undefined) assertFinite(data.targets, "DATASET_VALUE_INVALID", "a target is not finite");
  };

  return {
    backend,
    parameterCount,
    parameterShapes: modelTensors(description),
    initialWeights: (seed) => firstWeights(description, seed),

    async train(start, data, trainOptions, onProgress) {
      assertTrainOptions(trainOptions);
      checkAnswered(start, data);
      const weighted = withClassWeights(data, trainOptions.classWeights, model);
      if (memberCount > 1) return trainMembers(start, weighted, trainOptions, onProgress);
      return methodFor(trainOptions).train({ network, start, data: weighted, onProgress }, trainOptions);
    },

    async evaluate(weights, data) {
      checkAnswered(weights, data);
      const tally = head.tally(data);
      let loss = 0;
      await inBatches(weights, data, (from, count, outputs) => {
        // Mean loss is of the examples as they are, whatever weights training gives them.
        const { losses } = head.losses(outputs, answersIn(data, from, count));
        loss += losses.reduce((a, b) => a + b, 0);
        for (let i = 0; i < count; i++) tally.add(from + i, outputs.subarray(i * width, (i + 1) * width));
      });
      return tally.evaluation(loss / data.exampleCount);
    },

    async predict(weights, data) {
      check(weights, data);
      const predictions = new Float32Array(data.exampleCount * width);
      await inBatches(weights, data, (from, _, outputs) => predictions.set(head.predictions(outputs), from * width));
      return predictions;
    },
  };
}

/** The values of examples that follow one another: a view, unless they are shared. */
function featuresIn(data: Dataset, from: number, count: number): Float32Array {
  const width = exampleWidth(data);
  return data.starts === undefined
    ? data.features.subarray(from * width, (from + count) * width)
    : gatherExamples(
        data,
        Array.from({ length: count }, (_, i) => from + i),
      ).features;
}

/** Some of the examples' answers, each of weight 1. */
function answersIn({ labels, targets }: Dataset, from: number, count: number): Answers {
  return {
    labels: labels.subarray(from, from + count),
    ...(targets === undefined ? {} : { targets: targets.subarray(from, from + count) }),
  };
}

/** @throws TRAINING_OPTIONS_INVALID unless there is a weight for each class */
function withClassWeights(
  data: Dataset,
  classWeights: readonly number[] | undefined,
  { classCount }: Pick<Model, "classCount">,
): Dataset {
  if (classWeights === undefined) return data;
  ensure(
    classWeights.length === classCount,
    "TRAINING_OPTIONS_INVALID",
    `classWeights has ${classWeights.length} numbers, and the model ${classCount ?? 0} classes`,
  );
  return { ...data, weights: Float32Array.from(data.labels, (label) => classWeights[label]!) };
}
