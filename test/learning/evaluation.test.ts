import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { baselineWatch, createTally, evaluationText, neverBetter, recallText } from "../../learning/evaluation.ts";
import type { ClassEvaluation } from "../../learning/evaluation.ts";

/** @param answers pairs of the true label and the scores given */
function evaluate(classCount: number, answers: readonly (readonly [number, readonly number[]])[]): ClassEvaluation {
  const tally = createTally(classCount);
  for (const [label, scores] of answers) tally.add(label, Float32Array.from(scores));
  return tally.evaluation(0.5);
}

describe("an evaluation", () => {
  it("sets 98 % on two positives in a hundred beside the same share of the majority class", () => {
    const answers = Array.from({ length: 100 }, (_, i) => [i < 2 ? 1 : 0, [1, 0]] as const);
    assert.deepEqual(evaluate(2, answers), {
      accuracy: 0.98,
      loss: 0.5,
      majority: 0.98,
      balancedAccuracy: 0.5,
      recall: [1, 0],
      auc: 0.5,
    });
  });

  it("averages recall over the classes that occur", () => {
    const { accuracy, balancedAccuracy, recall, auc } = evaluate(3, [
      [0, [3, 1, 2]],
      [0, [1, 3, 2]],
      [2, [1, 2, 3]],
      [2, [0, 0, 1]],
    ]);
    assert.deepEqual([accuracy, balancedAccuracy, recall, auc], [0.75, 0.75, [0.5, null, 1], null]);
  });

  it("has the share of pairs in the right order as area under the curve, ties counted half", () => {
    const scored = (label: number, score: number): readonly [number, readonly number[]] => [label, [0, score]];
    const negatives = [-2, -1, 0, 3].map((score) => scored(0, score));
    assert.equal(evaluate(2, [...negatives, scored(1, 3), scored(1, -1)]).auc, (3.5 + 1.5) / 8);
    assert.equal(evaluate(2, [...negatives, scored(1, 4)]).auc, 1);
    assert.equal(evaluate(2, [...negatives, scored(1, -3)]).auc, 0);
    assert.equal(evaluate(2, negatives).auc, null);
  });

  it("is written with its baselines", () => {
    assert.equal(
      evaluationText({ accuracy: 0.9812, loss: 1, recall: [], majority: 0.98, balancedAccuracy: 0.5, auc: 0.512 }),
      "accuracy 98.1 % (majority class 98.0 %, balanced 50.0 %, AUC 0.512)",
    );
    assert.equal(
      evaluationText({ accuracy: 0.9, loss: 1, recall: [], majority: 0.1, balancedAccuracy: 0.9, auc: null }),
      "accuracy 90.0 % (majority class 10.0 %, balanced 90.0 %)",
    );
  });

  it("is said to show no learning if none of a task's models is better than its baseline", () => {
    const of = (...accuracies: number[]): string | undefined =>
      neverBetter(accuracies.map((accuracy) => ({ accuracy, majority: 0.6 })));
    assert.equal(of(), undefined);
    assert.equal(of(0.2, 0.61, 0.6), undefined);
    assert.match(of(0.6)!, /^the model is no better than always answering the most frequent class \(60.0 %\)/);
    assert.match(of(0.1, 0.6)!, /^all 2 models are no better/);
    const numbers = (rootMeanSquaredError: number): string | undefined =>
      neverBetter([{ rootMeanSquaredError, baselineError: 3 }]);
    assert.equal(numbers(2.9), undefined);
    assert.match(numbers(3)!, /always answering the mean/);
  });

  it("names the classes with the least recall first, and counts the rest", () => {
    assert.equal(recallText([0.98, 0.125, null], ["no", "yes", "perhaps"]), "recall: yes 12.5 %, no 98.0 %");
    const many = recallText(Array.from({ length: 12 }, (_, i) => 1 - i / 20));
    assert.ok(many.startsWith("recall: 11 45.0 %, 10 50.0 %") && many.endsWith(", 2 more classes"), many);
  });

  it("is said to show no learning once, after three models in a row that beat no majority", () => {
    const watch = baselineWatch();
    const seen = [0.6, 0.6, 0.7, 0.6, 0.5, 0.6, 0.6].map((accuracy) => watch({ accuracy, majority: 0.6 }));
    assert.deepEqual(
      seen.map((text) => text !== undefined),
      [false, false, false, false, false, true, false],
    );
  });
});
