/** Accuracy and loss of a task's models on test data. */
import { dataRulesOf } from "../learning/preprocessing.ts";
import { loadDataset } from "../learning/dataset.ts";
import { createTrainer } from "../learning/trainer.ts";
import { MOST_RECALLS } from "./checkpoint.ts";
import type { Metrics } from "./checkpoint.ts";
import type { TaskDocument } from "./document.ts";

/**
 * Loads the data. @param data as `loadDataset` names it; its test part is used
 * @throws what loading it throws
 */
export async function openMeasure(
  data: string,
  document: Pick<TaskDocument, "model" | "data" | "preprocessing">,
): Promise<(weights: Float32Array) => Promise<Metrics>> {
  const { test } = await loadDataset(data, dataRulesOf(document));
  const trainer = await createTrainer(document.model);
  return async (weights) => {
    const evaluation = await trainer.evaluate(weights, test);
    const { loss } = evaluation;
    const samples = test.exampleCount;
    // In the order of the schema: members that read them from a proposal write the same bytes.
    if ("accuracy" in evaluation) {
      const { accuracy, majority, balancedAccuracy, recall } = evaluation;
      const byClass = recall.length <= MOST_RECALLS ? { recall: [...recall] } : {};
      return { accuracy, loss, samples, majority, balancedAccuracy, ...byClass };
    }
    const { rootMeanSquaredError, meanAbsoluteError, r2, baselineError } = evaluation;
    return { rootMeanSquaredError, meanAbsoluteError, r2, loss, samples, baselineError };
  };
}
