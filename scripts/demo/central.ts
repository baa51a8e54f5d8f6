/** What the same model reaches when all data is in one place: the figure to compare with. */
import type { TaskSpecification } from "../../adapters/task/create-task.ts";
import { loadDataset } from "../../adapters/learning/dataset.ts";
import { initialWeightsOf, parseModel } from "../../adapters/learning/model.ts";
import { createTrainer } from "../../adapters/learning/trainer.ts";

/** Test accuracy after training centrally for as many epochs as the clients did in `rounds` rounds. */
export async function centralAccuracy(specification: TaskSpecification, rounds: number): Promise<number> {
  const { model, training } = specification.document;
  const { train, test } = await loadDataset("digits");
  const trainer = await createTrainer(model);
  const initial = initialWeightsOf(parseModel(model), specification.initialSeed);
  const { learningRate, momentum, batchSize, localEpochs } = training;
  const { weights } = await trainer.train(initial, train, { learningRate, momentum, batchSize, localEpochs: localEpochs * rounds, seed: 1 });
  const { accuracy } = await trainer.evaluate(weights, test);
  return accuracy;
}
