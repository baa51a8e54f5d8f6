/** Figures of single classes, and whether probabilities are what they say. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { calibrationOf } from "../../learning/calibration.ts";
import { classFigures } from "../../learning/class-report.ts";

/** Two classes, by the probability of class 1. */
const rows = (...ones: readonly number[]): Float32Array => Float32Array.from(ones.flatMap((one) => [1 - one, one]));
const near = (actual: number, expected: number): void => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}`);

describe("the calibration of probabilities", () => {
  it("has no error where answers of 75 % are right in three of four cases", () => {
    const { expectedCalibrationError, bins } = calibrationOf(rows(0.75, 0.75, 0.75, 0.75), [1, 1, 1, 0], 2);
    near(expectedCalibrationError, 0);
    assert.deepEqual(bins[7], { from: 0.7, to: 0.8, count: 4, confidence: 0.75, accuracy: 0.75 });
    assert.deepEqual(bins[0], { from: 0, to: 0.1, count: 0, confidence: null, accuracy: null });
  });

  it("weighs each bin's distance by its answers", () => {
    const { expectedCalibrationError, brierScore } = calibrationOf(rows(1, 1, 0.25, 0.75), [0, 1, 0, 1], 2);
    near(expectedCalibrationError, (2 * 0.5 + 2 * 0.25) / 4);
    near(brierScore, (2 + 0 + 2 * 0.0625 + 2 * 0.0625) / 4);
  });
});

describe("the figures of a class", () => {
  it("are precision, recall and their harmonic mean, or nothing where there is no example or answer", () => {
    const answers = Float32Array.from([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]);
    assert.deepEqual(classFigures(answers, [0, 0, 1, 1], 3), [
      { examples: 2, precision: 2 / 3, recall: 1, f1: 0.8 },
      { examples: 2, precision: 1, recall: 0.5, f1: 2 / 3 },
      { examples: 0, precision: null, recall: null, f1: null },
    ]);
  });
});
