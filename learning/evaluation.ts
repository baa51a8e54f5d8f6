/**
 * How good a model's answers are, beside what answering without looking would reach: where 98 of 100 examples are of
 * one class, an accuracy of 98 % says nothing.
 */
import { ensure } from "../protocol/errors.ts";

export type Evaluation = ClassEvaluation | RegressionEvaluation;

/** Of answers that are numbers, in the unit of the data. */
export interface RegressionEvaluation {
  readonly rootMeanSquaredError: number;
  readonly meanAbsoluteError: number;
  /** Share of the targets' variance that the answers explain; null where the targets are all equal. */
  readonly r2: number | null;
  /** Root mean squared error of always answering the mean of these targets. */
  readonly baselineError: number;
  /** Mean loss, in the targets' scale. */
  readonly loss: number;
}

export interface ClassEvaluation {
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
  evaluation(loss: number): ClassEvaluation;
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

/** @throws MODEL_DESCRIPTION_INVALID of a model that answers with numbers */
export function classEvaluation(evaluation: Evaluation): ClassEvaluation {
  ensure("accuracy" in evaluation, "MODEL_DESCRIPTION_INVALID", "the model answers with numbers, and has no accuracy");
  return evaluation;
}

/**
 * Figures with their baselines, for people.
 *
 * @example "accuracy 98.0 % (majority class 98.0 %, balanced 50.0 %, AUC 0.500)"
 */
export function evaluationText(evaluation: Evaluation): string {
  if ("accuracy" in evaluation) return `accuracy ${accuracyText(evaluation)}`;
  const { rootMeanSquaredError, meanAbsoluteError, r2, baselineError } = evaluation;
  const explained = r2 === null ? "" : `, R² ${r2.toFixed(3)}`;
  return `root mean squared error ${digits(rootMeanSquaredError)} (always the mean ${digits(baselineError)}${explained}), mean absolute error ${digits(meanAbsoluteError)}`;
}

function digits(value: number): string {
  return value.toPrecision(4);
}

function accuracyText(evaluation: Omit<ClassEvaluation, "loss" | "recall">): string {
  const { accuracy, majority, balancedAccuracy, auc } = evaluation;
  const area = auc === null ? "" : `, AUC ${auc.toFixed(3)}`;
  return `${percent(accuracy)} (majority class ${percent(majority)}, balanced ${percent(balancedAccuracy)}${area})`;
}

/** Classes whose recall is written out, the worst of them. */
const MOST_RECALLS = 10;

/**
 * Recall by class, the least first.
 *
 * @param names in the order of the classes; their numbers if absent
 * @example "recall: yes 12.5 %, no 98.0 %"
 */
export function recallText(recall: ClassEvaluation["recall"], names?: readonly string[]): string {
  const known = recall.flatMap((share, label) =>
    share === null ? [] : [{ share, name: names?.[label] ?? String(label) }],
  );
  const worst = known.sort((a, b) => a.share - b.share).slice(0, MOST_RECALLS);
  const rest = known.length - worst.length;
  return `recall: ${worst.map(({ share, name }) => `${name} ${percent(share)}`).join(", ")}${rest > 0 ? `, ${rest} more classes` : ""}`;
}

/** What of an evaluation is compared with its baseline. */
export type Compared =
  Pick<ClassEvaluation, "accuracy" | "majority"> | Pick<RegressionEvaluation, "rootMeanSquaredError" | "baselineError">;

/** Models in a row that are no better than their baseline before that is said. */
const PATIENCE = 3;

/** Looks at models' evaluations in turn; says once that three in a row are no better than their baseline. */
export function baselineWatch(): (evaluation: Compared) => string | undefined {
  let inRow = 0;
  return (evaluation) => {
    const { isBetter } = comparedOf(evaluation);
    inRow = isBetter ? 0 : inRow + 1;
    return inRow === PATIENCE ? nothingLearnt(`${PATIENCE} models in a row are`, evaluation) : undefined;
  };
}

/** Says it if none of a task's models, of one at least, is better than its baseline. */
export function neverBetter(evaluations: readonly Compared[]): string | undefined {
  const last = evaluations.at(-1);
  if (last === undefined || evaluations.some((one) => comparedOf(one).isBetter)) return undefined;
  return nothingLearnt(evaluations.length === 1 ? "the model is" : `all ${evaluations.length} models are`, last);
}

function nothingLearnt(models: string, evaluation: Compared): string {
  const { baseline, remedy } = comparedOf(evaluation);
  return `${models} no better than always answering ${baseline}: on this test data the task learns nothing; look at ${remedy} (fl-client data inspect)`;
}

function comparedOf(evaluation: Compared): {
  readonly isBetter: boolean;
  readonly baseline: string;
  readonly remedy: string;
} {
  if ("accuracy" in evaluation) {
    const { accuracy, majority } = evaluation;
    return {
      isBetter: accuracy > majority,
      baseline: `the most frequent class (${percent(majority)})`,
      remedy: "the scaling, the learning rate and the shares of the classes",
    };
  }
  const { rootMeanSquaredError, baselineError } = evaluation;
  return {
    isBetter: rootMeanSquaredError < baselineError,
    baseline: `the mean (root mean squared error ${digits(baselineError)})`,
    remedy: "the scaling of inputs and target, and at the learning rate",
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
