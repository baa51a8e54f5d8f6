/** Repeatable ways to deal one data set to several clients. */
import { VerisumError } from "../protocol/errors.ts";
import { selectExamples } from "./examples.ts";
import type { Dataset } from "./examples.ts";
import { seededStream } from "./seeded-stream.ts";
import type { SeededStream } from "./seeded-stream.ts";

/** Every shard gets at least this many examples; drawn proportions that give fewer are drawn again. */
export const MIN_SHARD_EXAMPLES = 10;
export const MAX_DRAWS = 200;

/** Equal shards of a seeded shuffle; sizes differ by at most one. @throws DATASET_PARTITION_IMPOSSIBLE */
export function partitionIid(data: Dataset, clients: number, seed: number): Dataset[] {
  assertEnough(data, clients);
  const order = seededStream("partition-iid", seed).permutation(data.exampleCount);
  return Array.from({ length: clients }, (_, client) =>
    selectExamples(
      data,
      order.subarray(
        Math.floor((client * data.exampleCount) / clients),
        Math.floor(((client + 1) * data.exampleCount) / clients),
      ),
    ),
  );
}

/**
 * Label skew: each class is divided in proportions drawn from a symmetric Dirichlet distribution (Hsu, Qi, Brown 2019;
 * the lower limit on a shard's size as in NIID-Bench, Li et al. 2022). Small `alpha` means unlike clients.
 *
 * @param alpha concentration, > 0
 * @throws DATASET_PARTITION_IMPOSSIBLE if no draw leaves every client at least ten examples; DATASET_SPEC_INVALID for
 *   alpha
 */
export function partitionDirichlet(data: Dataset, clients: number, alpha: number, seed: number): Dataset[] {
  if (!(alpha > 0) || !Number.isFinite(alpha))
    throw new VerisumError("DATASET_SPEC_INVALID", "alpha must be a positive number", { alpha });
  assertEnough(data, clients);
  const stream = seededStream("partition-dirichlet", seed);
  const examplesOfClass = examplesByClass(data);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const shards = Array.from({ length: clients }, (): number[] => []);
    for (const examples of examplesOfClass) {
      const order = stream.permutation(examples.length);
      const parts = cutInProportion(order, sharesDrawn(stream, clients, alpha));
      shards.forEach((shard, client) => parts[client]!.forEach((i) => shard.push(examples[i]!)));
    }
    if (shards.every((shard) => shard.length >= MIN_SHARD_EXAMPLES))
      return shards.map((shard) => selectExamples(data, shard));
  }
  throw new VerisumError(
    "DATASET_PARTITION_IMPOSSIBLE",
    `alpha ${alpha} leaves some of ${clients} clients fewer than ${MIN_SHARD_EXAMPLES} examples`,
    { clients, alpha },
  );
}

/**
 * Whole groups, as subjects or sites are: their names are dealt in a seeded order, one to each client in turn, so that
 * with as many clients as groups each client is one.
 * @param groups of each example
 * @throws DATASET_PARTITION_IMPOSSIBLE for fewer groups than clients, or a client with fewer than ten examples
 */
export function partitionByGroup(data: Dataset, groups: readonly string[], clients: number, seed: number): Dataset[] {
  assertEnough(data, clients);
  const names = [...new Set(groups)].sort();
  const order = seededStream("partition-group", seed).permutation(names.length);
  const clientOf = new Map(Array.from(order, (name, turn) => [names[name]!, turn % clients]));
  const shards = Array.from({ length: clients }, (): number[] => []);
  groups.forEach((group, i) => shards[clientOf.get(group)!]!.push(i));
  const least = Math.min(...shards.map(({ length }) => length));
  if (least < MIN_SHARD_EXAMPLES)
    throw new VerisumError(
      "DATASET_PARTITION_IMPOSSIBLE",
      `${names.length} groups leave some of ${clients} clients ${least} examples, and ${MIN_SHARD_EXAMPLES} are needed`,
      { clients, groups: names.length },
    );
  return shards.map((shard) => selectExamples(data, shard));
}

/** Of a symmetric Dirichlet distribution, up to one factor. */
export function sharesDrawn(stream: SeededStream, clients: number, alpha: number): number[] {
  const logs = Array.from({ length: clients }, () => stream.logGamma(alpha));
  const largest = logs.reduce((a, b) => Math.max(a, b));
  return logs.map((log) => Math.exp(log - largest));
}

/** Parts that follow one another, of lengths in these proportions up to rounding, and together all of it. */
export function cutInProportion(order: Uint32Array, proportions: readonly number[]): Uint32Array[] {
  const total = proportions.reduce((sum, share) => sum + share, 0);
  let reached = 0;
  let from = 0;
  return proportions.map((share, client) => {
    reached += share;
    const until = client === proportions.length - 1 ? order.length : Math.round((reached / total) * order.length);
    const part = order.subarray(from, until);
    from = until;
    return part;
  });
}

export function examplesByClass(data: Dataset): number[][] {
  const examples = Array.from({ length: data.classCount }, (): number[] => []);
  data.labels.forEach((label, i) => examples[label]!.push(i));
  return examples;
}

/** @throws DATASET_PARTITION_IMPOSSIBLE */
export function assertEnough(data: Dataset, clients: number): void {
  if (!Number.isInteger(clients) || clients < 1 || data.exampleCount < clients * MIN_SHARD_EXAMPLES) {
    throw new VerisumError(
      "DATASET_PARTITION_IMPOSSIBLE",
      `${data.exampleCount} examples cannot give ${clients} clients ${MIN_SHARD_EXAMPLES} each`,
      { examples: data.exampleCount, clients },
    );
  }
}
