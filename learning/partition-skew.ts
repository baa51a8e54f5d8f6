/** Unlike clients on purpose: of few classes each, or of unlike sizes. */
import { VerisumError } from "../protocol/errors.ts";
import { selectExamples } from "./examples.ts";
import type { Dataset } from "./examples.ts";
import {
  assertEnough,
  cutInProportion,
  examplesByClass,
  MAX_DRAWS,
  MIN_SHARD_EXAMPLES,
  sharesDrawn,
} from "./partition.ts";
import { seededStream } from "./seeded-stream.ts";

/**
 * Pathological label skew (McMahan et al. 2017): each client has examples of exactly `classesEach` classes. The classes
 * are dealt in turns of one seeded order, so that each goes to as many clients as any other, or one more; its examples
 * are shared out evenly among them.
 *
 * @throws DATASET_PARTITION_IMPOSSIBLE if there are fewer classes than that, if a class would be left to nobody, or if
 *   a client would have fewer than ten examples
 */
export function partitionPathological(data: Dataset, clients: number, classesEach: number, seed: number): Dataset[] {
  assertEnough(data, clients);
  const examples = examplesByClass(data);
  const present = examples.flatMap((found, label) => (found.length > 0 ? [label] : []));
  if (classesEach > present.length)
    throw impossible(`${present.length} classes have examples, and each client is to have ${classesEach}`, {
      classes: present.length,
      classesEach,
    });
  if (clients * classesEach < present.length)
    throw impossible(
      `${clients} clients with ${classesEach} classes each leave ${present.length - clients * classesEach} of ${present.length} classes to nobody: more clients or a larger classesEach= are needed`,
      { clients, classesEach, classes: present.length },
    );
  const stream = seededStream("partition-pathological", seed);
  const order = stream.permutation(present.length);
  const holders = present.map((): number[] => []);
  for (let turn = 0; turn < clients * classesEach; turn++)
    holders[order[turn % present.length]!]!.push(Math.floor(turn / classesEach));
  const shards = Array.from({ length: clients }, (): number[] => []);
  present.forEach((label, i) => {
    const own = examples[label]!;
    const shuffled = stream.permutation(own.length);
    const among = holders[i]!;
    among.forEach((client, part) => {
      const [from, until] = [part, part + 1].map((edge) => Math.floor((edge * own.length) / among.length)) as [
        number,
        number,
      ];
      for (let at = from; at < until; at++) shards[client]!.push(own[shuffled[at]!]!);
    });
  });
  return selected(data, shards, `classesEach=${classesEach}`);
}

/**
 * Quantity skew: shards of one seeded shuffle whose sizes are in these proportions, the first client's first.
 * @param proportions one for each client, > 0
 * @throws DATASET_PARTITION_IMPOSSIBLE for a client with fewer than ten examples
 */
export function partitionBySize(data: Dataset, proportions: readonly number[], seed: number): Dataset[] {
  assertEnough(data, proportions.length);
  const order = seededStream("partition-size", seed).permutation(data.exampleCount);
  return selected(data, cutInProportion(order, proportions), `sizes=${proportions.join(",")}`);
}

/**
 * The same in proportions drawn from a symmetric Dirichlet distribution (NIID-Bench, Li et al. 2022). Small `alpha`
 * means unlike sizes.
 *
 * @param alpha concentration, > 0
 * @throws DATASET_PARTITION_IMPOSSIBLE if no draw leaves every client at least ten examples
 */
export function partitionByDrawnSize(data: Dataset, clients: number, alpha: number, seed: number): Dataset[] {
  assertEnough(data, clients);
  const stream = seededStream("partition-drawn-size", seed);
  const order = stream.permutation(data.exampleCount);
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    const shards = cutInProportion(order, sharesDrawn(stream, clients, alpha));
    if (shards.every(({ length }) => length >= MIN_SHARD_EXAMPLES)) return selected(data, shards, `alpha=${alpha}`);
  }
  throw impossible(`alpha=${alpha} leaves some of ${clients} clients fewer than ${MIN_SHARD_EXAMPLES} examples`, {
    clients,
    alpha,
  });
}

function selected(data: Dataset, shards: readonly ArrayLike<number>[], asked: string): Dataset[] {
  const client = shards.findIndex(({ length }) => length < MIN_SHARD_EXAMPLES);
  if (client >= 0)
    throw impossible(
      `${asked} leaves client ${client} ${shards[client]!.length} examples, and ${MIN_SHARD_EXAMPLES} are needed`,
      { client, examples: shards[client]!.length },
    );
  return shards.map((shard) => selectExamples(data, shard));
}

function impossible(message: string, details: Readonly<Record<string, number>>): VerisumError {
  return new VerisumError("DATASET_PARTITION_IMPOSSIBLE", message, details);
}
