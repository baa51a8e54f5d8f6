import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Dataset } from "../../learning/examples.ts";
import { DEFAULT_SPLIT, splitExamples } from "../../learning/split.ts";
import { throwsCode } from "../support/errors.ts";

/** Examples whose one feature is their place. */
function dataset(labels: readonly number[], classCount = 2): Dataset {
  return {
    features: Float32Array.from(labels.keys()),
    labels: Int32Array.from(labels),
    exampleCount: labels.length,
    featureShape: [1],
    classCount,
  };
}

const placesOf = ({ features }: Dataset): number[] => [...features];
const repeated = (count: number, labelOf: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => labelOf(i));

describe("the split into training and test data", () => {
  for (const period of [2, 3, 4, 5, 10])
    it(`takes a fifth of each class where labels have a period of ${period}`, () => {
      const labels = repeated(100 * period, (i) => (i % period === 0 ? 1 : 0));
      const { train, test } = splitExamples({ data: dataset(labels) }, DEFAULT_SPLIT);
      const positives = ({ labels }: Dataset): number => labels.reduce((sum, label) => sum + label, 0);
      assert.deepEqual([positives(test), positives(train)], [20, 80]);
      assert.deepEqual(
        [...placesOf(train), ...placesOf(test)].sort((a, b) => a - b),
        labels.map((_, i) => i),
      );
    });

  it("depends on seed and share only", () => {
    const data = dataset(repeated(100, (i) => i % 2));
    const testOf = (options: Partial<typeof DEFAULT_SPLIT>): number[] =>
      placesOf(splitExamples({ data }, { ...DEFAULT_SPLIT, ...options }).test);
    assert.deepEqual(testOf({}), testOf({}));
    assert.notDeepEqual(testOf({ seed: 2 }), testOf({}));
    assert.equal(testOf({ testShare: 0.5 }).length, 50);
  });

  it("tests a class of two examples with one, and trains on a single one", () => {
    const { train, test } = splitExamples({ data: dataset([0, 0, 0, 0, 0, 1, 1, 2], 3) }, DEFAULT_SPLIT);
    assert.deepEqual(
      [[...test.labels].sort(), [...train.labels].sort()],
      [
        [0, 1],
        [0, 0, 0, 0, 1, 2],
      ],
    );
    assert.equal(splitExamples({ data: dataset([0, 1]) }, DEFAULT_SPLIT).test.exampleCount, 1);
    throwsCode(() => splitExamples({ data: dataset([0]) }, DEFAULT_SPLIT), "DATASET_EMPTY");
  });

  it("leaves no group on both sides, and keeps the classes' shares as near as groups allow", () => {
    const groups = repeated(200, (i) => i % 20).map(String);
    const labels = groups.map((group) => (Number(group) < 5 ? 1 : 0));
    const { train, test } = splitExamples({ data: dataset(labels), groups }, DEFAULT_SPLIT);
    const groupsOf = (part: Dataset): Set<string> => new Set(placesOf(part).map((place) => groups[place]!));
    const inTest = groupsOf(test);
    assert.equal([...groupsOf(train)].filter((group) => inTest.has(group)).length, 0);
    assert.deepEqual([test.exampleCount, test.labels.reduce((sum, label) => sum + label, 0)], [40, 10]);
    throwsCode(
      () => splitExamples({ data: dataset([0, 1, 1]), groups: ["a", "a", "a"] }, DEFAULT_SPLIT),
      "DATASET_SPLIT_IMPOSSIBLE",
    );
    const pair = splitExamples({ data: dataset([0, 1, 1]), groups: ["a", "a", "b"] }, DEFAULT_SPLIT);
    assert.ok(pair.test.exampleCount > 0 && pair.train.exampleCount > 0);
  });

  it("tests the latest where there is a time, and cuts no moment in two", () => {
    const times = repeated(100, (i) => (i * 37) % 100);
    const { train, test } = splitExamples({ data: dataset(repeated(100, (i) => i % 2)), times }, DEFAULT_SPLIT);
    const latest = Math.max(...placesOf(train).map((place) => times[place]!));
    assert.ok(placesOf(test).every((place) => times[place]! > latest));
    assert.equal(test.exampleCount, 20);
    const tied = splitExamples({ data: dataset([0, 1, 0, 1, 1]), times: [1, 2, 2, 2, 2] }, DEFAULT_SPLIT);
    assert.deepEqual(placesOf(tied.train), [0]);
    throwsCode(
      () => splitExamples({ data: dataset([0, 1]), times: [3, 3] }, DEFAULT_SPLIT),
      "DATASET_SPLIT_IMPOSSIBLE",
    );
    throwsCode(
      () => splitExamples({ data: dataset([0, 1]), times: [1, 2], groups: ["a", "b"] }, DEFAULT_SPLIT),
      "DATASET_SPEC_INVALID",
    );
  });
});
