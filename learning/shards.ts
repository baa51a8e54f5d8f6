/** Which examples of the training data a client has, by the options of a data specification. */
import type { Dataset } from "./examples.ts";
import { invalidSpec, numbers, oneOf, positiveNumbers, wholeNumber } from "./formats/options.ts";
import type { OptionValues } from "./formats/options.ts";
import { partitionByGroup, partitionDirichlet, partitionIid } from "./partition.ts";
import { partitionByDrawnSize, partitionBySize, partitionPathological } from "./partition-skew.ts";
import { MAX_CLASSES } from "./tables/schema.ts";

const MAX_CLIENTS = 100_000;

export const SHARD_OPTIONS = {
  client: wholeNumber(0, MAX_CLIENTS - 1),
  clients: wholeNumber(1, MAX_CLIENTS),
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  partition: oneOf("iid", "dirichlet", "pathological", "size", "group"),
  /** Concentration of the drawn shares: of each class, or with `partition=size` of the sizes. */
  alpha: oneNumber,
  /** Classes that each client has. */
  classesEach: wholeNumber(1, MAX_CLASSES),
  /** Proportions of the clients' sizes. */
  sizes: positiveNumbers,
};
type ShardValues = OptionValues<typeof SHARD_OPTIONS>;
type Partition = NonNullable<ShardValues["partition"]>;

/** What each kind needs besides client, clients and seed; of several, exactly one. */
const NEEDS: Readonly<Record<Partition, readonly ("alpha" | "classesEach" | "sizes")[]>> = {
  iid: [],
  dirichlet: ["alpha"],
  pathological: ["classesEach"],
  size: ["sizes", "alpha"],
  group: [],
};

/**
 * The examples of one client; all of them without these options.
 * @param groups of each example, where the data has them
 * @throws DATASET_SPEC_INVALID for options that contradict one another or lack one; DATASET_PARTITION_IMPOSSIBLE
 */
export function shardOf(train: Dataset, groups: readonly string[] | undefined, options: ShardValues): Dataset {
  if (Object.keys(SHARD_OPTIONS).every((name) => options[name as keyof ShardValues] === undefined)) return train;
  const { client, clients, seed, alpha, classesEach, sizes } = options;
  if (clients === undefined || client === undefined || seed === undefined)
    throw invalidSpec("a shard needs client, clients and seed");
  if (client >= clients) throw invalidSpec(`client must be a whole number from 0 to ${clients - 1}`);
  const partition = options.partition ?? (alpha === undefined ? "iid" : "dirichlet");
  assertOwnOptions(partition, options);
  if (train.targets !== undefined && (partition === "dirichlet" || partition === "pathological"))
    throw invalidSpec(`partition=${partition} deals by class, and the label is a number to predict`);
  switch (partition) {
    case "iid":
      return partitionIid(train, clients, seed)[client]!;
    case "dirichlet":
      return partitionDirichlet(train, clients, alpha!, seed)[client]!;
    case "pathological":
      return partitionPathological(train, clients, classesEach!, seed)[client]!;
    case "size":
      if (sizes === undefined) return partitionByDrawnSize(train, clients, alpha!, seed)[client]!;
      if (sizes.length !== clients) throw invalidSpec(`sizes has ${sizes.length} numbers for ${clients} clients`);
      return partitionBySize(train, sizes, seed)[client]!;
    case "group":
      if (groups === undefined) throw invalidSpec("partition=group needs groups: name their column with group=");
      return partitionByGroup(train, groups, clients, seed)[client]!;
  }
}

function assertOwnOptions(partition: Partition, options: ShardValues): void {
  const needed = NEEDS[partition];
  for (const name of ["alpha", "classesEach", "sizes"] as const)
    if (options[name] !== undefined && !needed.includes(name))
      throw invalidSpec(`partition=${partition} and ${name} exclude one another`);
  const given = needed.filter((name) => options[name] !== undefined);
  if (needed.length > 0 && given.length !== 1)
    throw invalidSpec(`partition=${partition} needs ${needed.map((name) => `${name}=`).join(" or ")}`);
  if (options.alpha !== undefined && !(options.alpha > 0)) throw invalidSpec("alpha must be a positive number");
}

function oneNumber(name: string, text: string): number {
  const [value, ...rest] = numbers(name, text);
  if (value === undefined || rest.length > 0) throw invalidSpec(`${name} must be one number`);
  return value;
}
