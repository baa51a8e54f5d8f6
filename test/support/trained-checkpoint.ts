/** A checkpoint of the digits, trained a little and published as a round would. */
import { dataRulesOf } from "../../learning/preprocessing.ts";
import { loadDataset } from "../../learning/dataset.ts";
import type { DataRules } from "../../learning/preprocessing.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { initialState } from "../../protocol/next-model.ts";
import { checkpointFiles } from "../../task/checkpoint.ts";
import { parseSpecification } from "../../task/create-task.ts";
import type { TaskDocument } from "../../task/document.ts";
import { word } from "./random.ts";

export interface TrainedCheckpoint {
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** NaN of a model that answers with numbers, which then claims no metrics. */
  readonly accuracy: number;
  readonly loss: number;
  readonly samples: number;
}

/** @param json a specification of tasks/. @param data as `--data` names it */
export async function trainedCheckpoint(json: unknown, data: string, localEpochs = 3): Promise<TrainedCheckpoint> {
  const { document: request } = parseSpecification(json);
  const document: TaskDocument = { ...request, version: 1, keysCid: word("keys") };
  const rules: DataRules | undefined = dataRulesOf(document);
  const { train, test } = await loadDataset(data, rules);
  const trainer = await createTrainer(document.model);
  const { learningRate, momentum, batchSize } = document.training;
  const options = { learningRate, momentum, batchSize, localEpochs, seed: 1 };
  const { weights } = await trainer.train(trainer.initialWeights(1), train, options);
  const state = initialState(weights, document.server, 0);
  const rounded = Float32Array.from(state.weights, (value) => value / 2 ** document.server.fractionalBits);
  const evaluation = await trainer.evaluate(rounded, test);
  const samples = test.exampleCount;
  const origin = {
    task: { name: document.name, chainId: "31337", contract: null, taskCid: "bafy" },
    ...{ round: 3, parentCid: null, clients: [], totalWeight: 1, aggregateCid: null, privacy: null },
  };
  if (!("accuracy" in evaluation)) {
    const files = checkpointFiles(document, trainer.parameterShapes, state, origin, null);
    return { files, accuracy: NaN, loss: evaluation.loss, samples };
  }
  const { accuracy, loss } = evaluation;
  const files = checkpointFiles(document, trainer.parameterShapes, state, origin, { accuracy, loss, samples });
  return { files, accuracy, loss, samples };
}
