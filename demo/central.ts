/** What the same model reaches when all data is in one place: the figure to compare with. */
import type { TaskSpecification } from "../task/create-task.ts";
import { loadDataset } from "../learning/dataset.ts";
import { classEvaluation } from "../learning/evaluation.ts";
import { firstWeights } from "../learning/model.ts";
import { createTrainer } from "../learning/trainer.ts";
import { unionSpecification } from "./shards.ts";
import type { Dealing } from "./shards.ts";

/**
 * Test accuracy after training, without noise, on as many rows as all clients have and for as many epochs as the
 * clients did in `rounds` rounds.
 */
export async function centralAccuracy(
  specification: TaskSpecification,
  rounds: number,
  data: string,
  dealing: Dealing,
): Promise<number> {
  const { model, training, data: schema, preprocessing } = specification.document;
  const { train, test } = await loadDataset(unionSpecification(data, dealing), schema ?? preprocessing);
  const trainer = await createTrainer(model);
  const initial = firstWeights(model, specification.initialSeed);
  const { learningRate, momentum, batchSize, localEpochs } = training;
  const { weights } = await trainer.train(initial, train, {
    learningRate,
    momentum,
    batchSize,
    localEpochs: localEpochs * rounds,
    seed: 1,
  });
  return classEvaluation(await trainer.evaluate(weights, test)).accuracy;
}
