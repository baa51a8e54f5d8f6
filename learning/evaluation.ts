/**
 * How good a classifier's answers are, beside what answering without looking would reach: where 98 of 100 examples are
 * of one class, an accuracy of 98 % says nothing.
 */

export interface Evaluation {
  /** Share of examples classified correctly. */
  readonly accuracy: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Share of the most frequent class of these examples: the accuracy of always giving that answer. */
  readonly majority: number;
  /** Mean recall over the classes that occur; 1 / their number for answers that do not depend on the input. */
  readonly balancedAccuracy: number;
  /** By class: the share of its examples that are given it, or null where there is none. */
  readonly recall: readonly (number | null)[];
  /** Area under the ROC curve of class 1; null unless there are two classes and both occur. One half is chance. */
  readonly auc: number | null;
}

/**
 * Counts of a run over examples.
 *
 * @example const tally = createTally(2); tally.add(label, scores); tally.evaluation();
 */
export interface Tally {
  /** @param scores one for each class; kept until the end of the call only */
  add(label: number, scores: Float32Array): void;
  /** Of all that was added, one example at least. @param loss mean cross-entropy */
  evaluation(loss: number): Evaluation;
}

export function createTally(classCount: number): Tally {
  const examples = Array<number>(classCount).fill(0);
  const correct = Array<number>(classCount).fill(0);
  const margins: [number[], number[]] = [[], []];
  return {
    add(label, scores) {
      examples[label]!++;
      if (predictedClass(scores) === label) correct[label]!++;
      if (classCount === 2) margins[label]!.push(scores[1]! - scores[0]!);
    },
    evaluation(loss) {
      const total = sum(examples);
      const recall = examples.map((count, label) => (count === 0 ? null : correct[label]! / count));
      const present = recall.filter((share) => share !== null);
      return {
        accuracy: sum(correct) / total,
        loss,
        majority: Math.max(...examples) / total,
        balancedAccuracy: sum(present) / present.length,
        recall,
        auc: areaUnderCurve(...margins),
      };
    },
  };
}

/**
 * An accuracy with its baselines, for people.
 *
 * @example "98.0 % (majority class 98.0 %, balanced 50.0 %, AUC 0.500)"
 */
export function accuracyText(evaluation: Omit<Evaluation, "loss" | "recall">): string {
  const { accuracy, majority, balancedAccuracy, auc } = evaluation;
  const area = auc === null ? "" : `, AUC ${auc.toFixed(3)}`;
  return `${percent(accuracy)} (majority class ${percent(majority)}, balanced ${percent(balancedAccuracy)}${area})`;
}

/** Models in a row that are no better than the majority class before that is said. */
const PATIENCE = 3;

/** Looks at models' evaluations in turn; says once that three in a row are no better than the majority class. */
export function baselineWatch(): (evaluation: Evaluation) => string | undefined {
  let inRow = 0;
  return (evaluation) => {
    inRow = evaluation.accuracy > evaluation.majority ? 0 : inRow + 1;
    if (inRow !== PATIENCE) return undefined;
    return `${PATIENCE} models in a row are no better than always answering the most frequent class (${percent(evaluation.majority)}): on this test data the task learns nothing; look at the scaling, the learning rate and the shares of the classes (fl-client data inspect)`;
  };
}

/** The first class with the largest score. */
function predictedClass(scores: Float32Array): number {
  return scores.indexOf(scores.reduce((a, b) => Math.max(a, b), -Infinity));
}

/** Probability that a positive example's margin exceeds a negative one's, ties counted half (Mann and Whitney 1947). */
function areaUnderCurve(negatives: readonly number[], positives: readonly number[]): number | null {
  if (negatives.length === 0 || positives.length === 0) return null;
  const sorted = negatives.toSorted((a, b) => a - b);
  const wins = positives.map((margin) => (countBelow(sorted, margin, false) + countBelow(sorted, margin, true)) / 2);
  return sum(wins) / (negatives.length * positives.length);
}

/** How many of the ascending values are below the limit, or also equal to it. */
function countBelow(ascending: readonly number[], limit: number, orEqual: boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = ascending[middle]!;
    if (value < limit || (orEqual && value === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
