/** What a task's document tells a trainer in every round. */
import { isExternal, modelParameters, parseExternal } from "../../learning/external-model.ts";
import type { TensorShape } from "../../task/checkpoint.ts";
import type { TaskDocument } from "../../task/document.ts";
import type { TrainingRound } from "../round-trainer.ts";

/** @param tensors the model's trained ones, in the order of the vector */
export function givenTerms(
  { model, training: { learningRate, momentum, batchSize, localEpochs } }: Pick<TaskDocument, "model" | "training">,
  tensors: readonly TensorShape[],
): Pick<TrainingRound, "training" | "parameters" | "options"> {
  const training = { learningRate, momentum, batchSize, localEpochs };
  if (isExternal(model))
    return { training, parameters: modelParameters(model), options: parseExternal(model).options ?? {} };
  const parameters = tensors.map(({ name, shape }) => ({ name, shape, trained: true }));
  return { training, parameters, options: {} };
}
