/** One class of several: a score for each, softmax, cross-entropy. */
import { exampleCrossEntropy, softmax } from "../cross-entropy.ts";
import { createTally } from "../evaluation.ts";
import type { Head } from "./head.ts";

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
    predictions: (outputs) => softmax(outputs, classCount),
    express: (operations, outputs) => operations.softmax(outputs),
    tally: ({ labels }) => {
      const tally = createTally(classCount);
      return {
        add: (example, outputs) => tally.add(labels[example]!, outputs),
        evaluation: (loss) => tally.evaluation(loss),
      };
    },
  };
}
