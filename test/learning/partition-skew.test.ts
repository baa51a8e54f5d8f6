import assert from "node:assert/strict";
import fc from "fast-check";
import { before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import type { Dataset } from "../../learning/examples.ts";
import { partitionByDrawnSize, partitionBySize, partitionPathological } from "../../learning/partition-skew.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";

/** Examples whose only feature is their number, so that shards show who got which. */
function numbered(labels: readonly number[], classCount: number): Dataset {
  return {
    features: Float32Array.from(labels, (_, i) => i),
    labels: Int32Array.from(labels),
    exampleCount: labels.length,
    featureShape: [1],
    classCount,
  };
}

const ofEach = (count: number, classes: number): Dataset =>
  numbered(
    Array.from({ length: count * classes }, (_, i) => i % classes),
    classes,
  );

/** Each example once. */
function assertDealt(shards: readonly Dataset[], all: Dataset): void {
  const dealt = shards.flatMap(({ features }) => [...features]).sort((a, b) => a - b);
  assert.deepEqual(dealt, [...all.features]);
  for (const { labels, features } of shards)
    features.forEach((number, i) => assert.equal(labels[i], all.labels[number]!));
}

const classesOf = ({ labels }: Dataset): number[] => [...new Set(labels)].sort((a, b) => a - b);

describe("shards of few classes", () => {
  it("have exactly so many each, and all examples between them, whatever the numbers", () => {
    const numbers = fc.record({
      classes: fc.integer({ min: 2, max: 12 }),
      clients: fc.integer({ min: 1, max: 12 }),
      each: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(),
    });
    check(numbers, ({ classes, clients, each, seed }) => {
      fc.pre(each <= classes && clients * each >= classes);
      const all = ofEach(120, classes);
      const shards = partitionPathological(all, clients, each, seed);
      assertDealt(shards, all);
      const held = shards.map(classesOf);
      for (const found of held) assert.equal(found.length, each);
      const holders = Array.from({ length: classes }, (_, c) => held.filter((found) => found.includes(c)).length);
      assert.ok(Math.max(...holders) - Math.min(...holders) <= 1, holders.join());
    });
  });

  it("follow the seed, and leave out classes that have no example", () => {
    const all = ofEach(60, 10);
    assert.deepEqual(partitionPathological(all, 5, 2, 3), partitionPathological(all, 5, 2, 3));
    assert.notDeepEqual(
      partitionPathological(all, 5, 2, 3).map(classesOf),
      partitionPathological(all, 5, 2, 4).map(classesOf),
    );
    const holes = numbered(
      Array.from({ length: 60 }, (_, i) => (i % 2) * 3),
      5,
    );
    assert.deepEqual(partitionPathological(holes, 2, 1, 1).flatMap(classesOf).sort(), [0, 3]);
  });

  const rare = numbered(
    Array.from({ length: 112 }, (_, i) => (i < 12 ? 0 : 1)),
    2,
  );
  for (const [what, data, clients, each, details] of [
    ["more classes than there are", ofEach(60, 10), 5, 11, { classes: 10, classesEach: 11 }],
    ["a class that nobody would have", ofEach(60, 10), 4, 2, { clients: 4, classesEach: 2, classes: 10 }],
    ["clients with fewer than ten examples", rare, 4, 1, { examples: 6 }],
  ] as const)
    it(`are refused for ${what}`, () =>
      throwsCode(() => partitionPathological(data, clients, each, 1), "DATASET_PARTITION_IMPOSSIBLE", details));
});

describe("shards of unlike sizes", () => {
  const all = ofEach(100, 3);

  it("are in the stated proportions, and all examples between them", () => {
    const shards = partitionBySize(all, [5, 3, 2], 1);
    assert.deepEqual(
      shards.map(({ exampleCount }) => exampleCount),
      [150, 90, 60],
    );
    assertDealt(shards, all);
    // Of a shuffle, not of the file's order: a class is nowhere absent.
    for (const shard of shards) assert.deepEqual(classesOf(shard), [0, 1, 2]);
    assert.notDeepEqual(partitionBySize(all, [5, 3, 2], 2)[0], shards[0]);
  });

  it("are as unlike as alpha is small", () => {
    const spread = (alpha: number): number => {
      const shards = partitionByDrawnSize(all, 5, alpha, 7);
      assertDealt(shards, all);
      const sizes = shards.map(({ exampleCount }) => exampleCount);
      assert.ok(Math.min(...sizes) >= 10);
      return Math.max(...sizes) / Math.min(...sizes);
    };
    assert.ok(spread(1000) < 1.5 && spread(1) > 2);
    assert.deepEqual(partitionByDrawnSize(all, 5, 1, 7), partitionByDrawnSize(all, 5, 1, 7));
  });

  it("are refused with fewer than ten examples", () => {
    throwsCode(() => partitionBySize(all, [98, 1, 1], 1), "DATASET_PARTITION_IMPOSSIBLE", { client: 1, examples: 3 });
    throwsCode(() => partitionByDrawnSize(all, 28, 0.01, 1), "DATASET_PARTITION_IMPOSSIBLE");
  });
});

describe("options of shards", () => {
  let digits: Dataset;
  before(async () => (digits = (await loadDataset("digits")).train));
  const shard = async (options: string): Promise<Dataset> =>
    (await loadDataset(`digits?client=1&clients=3&seed=1&${options}`)).train;

  it("name each way to deal", async () => {
    assert.deepEqual(await shard("partition=pathological&classesEach=4"), partitionPathological(digits, 3, 4, 1)[1]);
    assert.deepEqual(await shard("partition=size&sizes=3,2,1"), partitionBySize(digits, [3, 2, 1], 1)[1]);
    assert.deepEqual(await shard("partition=size&alpha=2"), partitionByDrawnSize(digits, 3, 2, 1)[1]);
    assert.deepEqual(await shard("partition=dirichlet&alpha=2"), await shard("alpha=2"));
  });

  for (const options of [
    "partition=pathological",
    "partition=pathological&classesEach=0",
    "partition=pathological&classesEach=2&alpha=1",
    "partition=size",
    "partition=size&sizes=1,2",
    "partition=size&sizes=1,2,0",
    "partition=size&sizes=1,2,3&alpha=1",
    "partition=size&alpha=0",
    "partition=dirichlet",
    "partition=iid&alpha=1",
    "classesEach=2",
    "sizes=1,2,3",
    "partition=random",
  ])
    it(`are refused as ${options}`, () => rejectsCode(shard(options), "DATASET_SPEC_INVALID"));
});
