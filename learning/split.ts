/** Training and test data out of one set: by seed and class, by group or by time; never by the order of the rows. */
import { ensure } from "../protocol/errors.ts";
import { selectExamples } from "./examples.ts";
import type { Dataset, LoadedData } from "./examples.ts";
import { seededStream } from "./seeded-stream.ts";

/** What examples are split by. */
interface Splittable extends Pick<Dataset, "labels" | "classCount" | "exampleCount"> {
  /** Of each example; those of one group stay together. */
  readonly groups?: readonly string[];
  /** Of each example; the latest become the test data. */
  readonly times?: readonly number[];
}

export interface SplitOptions {
  /** Of all examples, in (0, 1). */
  readonly testShare: number;
  readonly seed: number;
}

export const DEFAULT_SPLIT: SplitOptions = { testShare: 0.2, seed: 1 };

/** Ways to deal the groups, of which the one closest to the share in every class is taken. */
const GROUP_DRAWS = 64;

/** Which examples are on which side, each in its order, and in words what told them apart. */
export interface Parts {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  readonly by: string;
}

/**
 * Equal data and options give an equal split.
 * @throws as `divideExamples`
 */
export function splitExamples(
  { data, groups, times }: { readonly data: Dataset } & Pick<Splittable, "groups" | "times">,
  options: SplitOptions,
): LoadedData {
  const { train, test, by } = divideExamples({ ...data, ...(groups && { groups }), ...(times && { times }) }, options);
  return {
    train: selectExamples(data, train),
    ...(groups === undefined ? {} : { groups: Array.from(train, (i) => groups[i]!) }),
    test: selectExamples(data, test),
    split: by,
  };
}

/**
 * The same of examples whose features are elsewhere.
 * @throws DATASET_EMPTY for one example, DATASET_SPLIT_IMPOSSIBLE for one group or one point in time,
 *   DATASET_SPEC_INVALID for groups and times at once
 */
export function divideExamples(examples: Splittable, options: SplitOptions): Parts {
  const { exampleCount, groups, times } = examples;
  // Numbers to predict have no classes, and are one for this.
  const isNumber = examples.classCount === 0;
  const dealt = isNumber ? { ...examples, classCount: 1 } : examples;
  ensure(exampleCount > 1, "DATASET_EMPTY", "one example cannot be split into training and test data");
  ensure(
    groups === undefined || times === undefined,
    "DATASET_SPEC_INVALID",
    "data is split by group or by time, not by both",
  );
  const percent = `${Math.round(options.testShare * 100)} %`;
  const [isTest, by] =
    groups !== undefined
      ? [testByGroup(dealt, groups, options), `whole groups, about ${percent} of the examples for testing`]
      : times !== undefined
        ? [testByTime(times, options), `time, the latest ${percent} for testing`]
        : [testByClass(dealt, options), `seed, ${percent} of ${isNumber ? "the examples" : "each class"} for testing`];
  const indices = Uint32Array.from({ length: exampleCount }, (_, i) => i);
  return {
    train: indices.filter((i) => isTest[i] === 0),
    test: indices.filter((i) => isTest[i] === 1),
    by,
  };
}

/** Of each class its share, one at least where there are two. */
function testByClass({ labels, classCount, exampleCount }: Splittable, { testShare, seed }: SplitOptions): Uint8Array {
  const isTest = new Uint8Array(exampleCount);
  const members = Array.from({ length: classCount }, (): number[] => []);
  labels.forEach((label, i) => members[label]!.push(i));
  members.forEach((indices, label) => {
    const count = Math.min(indices.length - 1, Math.max(1, Math.round(indices.length * testShare)));
    const order = seededStream(`split-class-${label}`, seed).permutation(indices.length);
    for (const at of order.subarray(0, Math.max(0, count))) isTest[indices[at]!] = 1;
  });
  // Where no class has two examples, one of them is for testing.
  if (!isTest.includes(1)) isTest[seededStream("split-any", seed).below(exampleCount)] = 1;
  return isTest;
}

function testByGroup(data: Splittable, groups: readonly string[], { testShare, seed }: SplitOptions): Uint8Array {
  const names = [...new Set(groups)].sort();
  ensure(names.length > 1, "DATASET_SPLIT_IMPOSSIBLE", "one group cannot be split into training and test data", {
    groups: names.length,
  });
  const numbers = new Map(names.map((name, i) => [name, i]));
  const groupOf = groups.map((name) => numbers.get(name)!);
  const sizes = countsOf(groupOf, names.length);
  const stream = seededStream("split-group", seed);
  let best = { distance: Infinity, chosen: new Set<number>() };
  for (let draw = 0; draw < GROUP_DRAWS; draw++) {
    const chosen = new Set<number>();
    let examples = 0;
    for (const group of stream.permutation(names.length)) {
      if (examples >= testShare * data.exampleCount || chosen.size === names.length - 1) break;
      chosen.add(group);
      examples += sizes[group]!;
    }
    const distance = distanceFromShare(data, groupOf, chosen, testShare);
    if (distance < best.distance) best = { distance, chosen };
  }
  return Uint8Array.from(groupOf, (group) => (best.chosen.has(group) ? 1 : 0));
}

/** Sum over the classes of how far the test data's part of each is from the share. */
function distanceFromShare(
  { labels, classCount }: Splittable,
  groupOf: readonly number[],
  chosen: ReadonlySet<number>,
  testShare: number,
): number {
  const all = countsOf(labels, classCount);
  const test = Array<number>(classCount).fill(0);
  labels.forEach((label, i) => (test[label]! += chosen.has(groupOf[i]!) ? 1 : 0));
  return all.reduce((sum, count, label) => sum + (count === 0 ? 0 : Math.abs(test[label]! / count - testShare)), 0);
}

/** The latest examples; those of one time stay together. */
function testByTime(times: readonly number[], { testShare }: SplitOptions): Uint8Array {
  const ascending = times.toSorted((a, b) => a - b);
  const wanted = ascending[Math.min(times.length - 1, Math.ceil(times.length * (1 - testShare)))]!;
  const first = wanted > ascending[0]! ? wanted : ascending.find((time) => time > ascending[0]!);
  ensure(first !== undefined, "DATASET_SPLIT_IMPOSSIBLE", "all examples have the same time", { time: wanted });
  return Uint8Array.from(times, (time) => (time >= first ? 1 : 0));
}

function countsOf(values: Iterable<number>, count: number): number[] {
  const counts = Array<number>(count).fill(0);
  for (const value of values) counts[value]!++;
  return counts;
}
