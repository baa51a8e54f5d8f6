/** How a classifier does on each class. */
import { largestIn } from "./calibration.ts";

export interface ClassFigures {
  /** Examples of the class. */
  readonly examples: number;
  /** Share of the answers naming the class that are right; null if none names it. */
  readonly precision: number | null;
  /** Share of its examples that are given it; null without any. */
  readonly recall: number | null;
  /** Harmonic mean of the two; null where one is. */
  readonly f1: number | null;
}

/** @param probabilities a row of `classCount` for each label */
export function classFigures(
  probabilities: Float32Array,
  labels: ArrayLike<number>,
  classCount: number,
): readonly ClassFigures[] {
  const counts = Array.from({ length: classCount }, () => ({ examples: 0, answers: 0, right: 0 }));
  for (let example = 0; example < labels.length; example++) {
    const answer = largestIn(probabilities.subarray(example * classCount, (example + 1) * classCount));
    const label = labels[example]!;
    counts[label]!.examples++;
    counts[answer]!.answers++;
    if (answer === label) counts[label]!.right++;
  }
  return counts.map(({ examples, answers, right }) => ({
    examples,
    precision: answers === 0 ? null : right / answers,
    recall: examples === 0 ? null : right / examples,
    f1: answers === 0 || examples === 0 ? null : (2 * right) / (answers + examples),
  }));
}
