/** One class of several: a score for each, softmax, cross-entropy. */
import { exampleCrossEntropy, softmax } from "../cross-entropy.ts";
import { createTally } from "../evaluation.ts";
import { meanOf } from "./mean.ts";
import type { Head } from "./head.ts";

/** Below float32's normal numbers. */
const LEAST_PROBABILITY = 2 ** -126;

export function classesHead(classCount: number): Head {
  return {
    outputCount: classCount,
    answers: `${classCount} classes`,
    takes: ({ classCount: found, targets }) => targets === undefined && found <= classCount,
    losses: (outputs, { labels, weights }) => {
      const found = exampleCrossEntropy(outputs, labels, classCount);
      if (weights === undefined) return found;
      const { losses, errors } = found;
      return {
        losses: losses.map((loss, i) => loss * weights[i]!),
        errors: errors.map((error, i) => error * weights[Math.floor(i / classCount)]!),
      };
    },
    combine: (outputs) => {
      const mean = meanOf(outputs.map((one) => softmax(one, classCount)));
      return mean.map((probability) => Math.log(Math.max(probability, LEAST_PROBABILITY)));
    },
    predictions: (outputs) => softmax(outputs, classCount),
    express: (operations, outputs) => operations.softmax(outputs),
    expressOutputs: (operations, predictions) => operations.logarithm(predictions),
    tally: ({ labels }) => {
      const tally = createTally(classCount);
      return {
        add: (example, outputs) => tally.add(labels[example]!, outputs),
        evaluation: (loss) => tally.evaluation(loss),
      };
    },
  };
}
