/**
 * Whether a classifier's probabilities are what they say: of all answers given with 80 %, 80 % should be right (Guo et
 * al. 2017, "On Calibration of Modern Neural Networks").
 */

/** Answers whose probability lies in one part of [0, 1]. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean probability of the answers given; null without any. */
  readonly confidence: number | null;
  /** Share of them that are right. */
  readonly accuracy: number | null;
}

export interface Calibration {
  /** Mean distance of confidence and accuracy over the bins, weighted by their answers: 0 is best. */
  readonly expectedCalibrationError: number;
  /** Mean squared distance of all probabilities from 0 and 1 as they should be, summed over classes (Brier 1950). */
  readonly brierScore: number;
  readonly bins: readonly ReliabilityBin[];
}

const BINS = 10;

/** @param probabilities a row of `classCount` for each label */
export function calibrationOf(probabilities: Float32Array, labels: ArrayLike<number>, classCount: number): Calibration {
  const bins = Array.from({ length: BINS }, () => ({ count: 0, confidence: 0, right: 0 }));
  let brier = 0;
  for (let example = 0; example < labels.length; example++) {
    const row = probabilities.subarray(example * classCount, (example + 1) * classCount);
    const answer = largestIn(row);
    const bin = bins[Math.min(BINS - 1, Math.floor(row[answer]! * BINS))]!;
    bin.count++;
    bin.confidence += row[answer]!;
    if (answer === labels[example]) bin.right++;
    row.forEach((probability, j) => (brier += (probability - (j === labels[example] ? 1 : 0)) ** 2));
  }
  return {
    expectedCalibrationError:
      bins.reduce((sum, { confidence, right }) => sum + Math.abs(confidence - right), 0) / labels.length,
    brierScore: brier / labels.length,
    bins: bins.map(({ count, confidence, right }, i) => ({
      ...{ from: i / BINS, to: (i + 1) / BINS, count },
      ...{ confidence: count === 0 ? null : confidence / count, accuracy: count === 0 ? null : right / count },
    })),
  };
}

/** The first of the largest. */
export function largestIn(row: Float32Array): number {
  return row.indexOf(row.reduce((a, b) => Math.max(a, b), -Infinity));
}
