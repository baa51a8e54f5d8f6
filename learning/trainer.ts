/** The port through which roles train and evaluate; no type of the numerical library crosses it. */
import { VerisumError } from "../protocol/errors.ts";
import { selectBackend } from "./backend.ts";
import type { BackendChoice, BackendName } from "./backend.ts";
import type { Dataset } from "./examples.ts";
import { assertTakes, initialWeightsOf, inputSizeOf, parameterCountOf, parseModel, tensorsOf } from "./model.ts";
import type { ParameterShape } from "./layers/layer.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { yieldToEventLoop } from "./event-loop.ts";
import { createTally } from "./evaluation.ts";
import type { Evaluation } from "./evaluation.ts";
import { assertFinite } from "./finite.ts";
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
  /** Accuracy with its baselines, and mean cross-entropy. @throws as `train` */
  evaluate(weights: Float32Array, data: Dataset): Promise<Evaluation>;
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
  const model = parseModel(description);
  const backend = await selectBackend(options.backend ?? "auto");
  const network = createNetwork(model);
  const parameterCount = parameterCountOf(model);
  const inputSize = inputSizeOf(model);

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

  return {
    backend,
    parameterCount,
    parameterShapes: tensorsOf(model),
    initialWeights: (seed) => initialWeightsOf(model, seed),

    async train(start, data, trainOptions, onProgress) {
      assertTrainOptions(trainOptions);
      check(start, data);
      return methodFor(trainOptions).train({ network, start, data, onProgress }, trainOptions);
    },

    async evaluate(weights, data) {
      check(weights, data);
      const { classCount } = model;
      const tally = createTally(classCount);
      let loss = 0;
      for (let from = 0; from < data.exampleCount; from += EVALUATION_BATCH) {
        const count = Math.min(EVALUATION_BATCH, data.exampleCount - from);
        const scores = network.logits(weights, data.features.subarray(from * inputSize, (from + count) * inputSize));
        const labels = data.labels.subarray(from, from + count);
        loss += crossEntropy(scores, labels, classCount).loss * count;
        labels.forEach((label, i) => tally.add(label, scores.subarray(i * classCount, (i + 1) * classCount)));
        await yieldToEventLoop();
      }
      return tally.evaluation(loss / data.exampleCount);
    },
  };
}
