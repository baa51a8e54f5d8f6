/** Labelled samples in memory, and the one string that names them on a command line. */
import { stat } from "node:fs/promises";
import { VerisumError } from "../protocol/errors.ts";
import { loadCsv } from "./csv.ts";
import { MAX_DATA_VALUES } from "./data-file.ts";
import { loadDigits } from "./digits.ts";
import { withFixedFeatures } from "./fixed-features.ts";
import { loadIdx } from "./idx.ts";
import { partitionDirichlet, partitionIid } from "./partition.ts";
import { seededStream } from "./seeded-stream.ts";
import { selectRows } from "./samples.ts";
import type { Dataset, LoadedData, SpecOptions } from "./samples.ts";

const OPTION_NAMES = [
  "client",
  "clients",
  "alpha",
  "seed",
  "samples",
  "testSamples",
  "mean",
  "deviation",
  "classes",
  "features",
];

/**
 * Loads what a `--data` argument names: `digits` (built in), a CSV file, an IDX image file, or a directory with the
 * four IDX files of an MNIST-like set or with train.csv and test.csv. Options follow a `?`:
 *
 * - `client=i&clients=n&seed=s[&alpha=a]`: the i-th of n shards (from 0) of the training data; label-skewed with
 *   `alpha`, IID without
 * - `samples=k`, `testSamples=k`: at most k rows of the shard and of the test data, drawn without replacement; equal
 *   specifications draw equal rows
 * - `mean=m&deviation=s`: scaling by public constants, one number or a comma-separated list with one per column
 * - `features=hog`: gradient histograms in place of the pixels of IDX images (fixed-features.ts)
 * - `classes=k`: the number of classes, for files that need not hold every class
 *
 * Scaling never depends on the data that is loaded: clients must agree on it, and it would leak.
 *
 * @example await loadDataset("digits?client=2&clients=5&alpha=0.5&seed=7")
 * @throws DATASET_SPEC_INVALID, DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE,
 *   DATASET_VALUE_INVALID, DATASET_LABEL_INVALID, DATASET_PARTITION_IMPOSSIBLE
 */
export async function loadDataset(spec: string): Promise<LoadedData> {
  const mark = spec.lastIndexOf("?");
  const source = mark < 0 ? spec : spec.slice(0, mark);
  const options = optionsOf(mark < 0 ? "" : spec.slice(mark + 1));
  const scaling: SpecOptions = {
    mean: numbers(options, "mean"),
    deviation: numbers(options, "deviation"),
    classCount: integer(options, "classes", 2, 65_536),
  };
  if (scaling.deviation?.some((value) => value <= 0)) throw invalidSpec("deviation must be positive");
  const describe = featuresOf(options, scaling);
  const { train, test } = await loadSource(
    source,
    describe === undefined ? scaling : { ...scaling, mean: [0], deviation: [1] },
  );
  const chosen = {
    train: atMost(shardOf(train, options), options, "samples"),
    test: atMost(test, options, "testSamples"),
  };
  return describe === undefined ? chosen : { train: describe(chosen.train), test: describe(chosen.test) };
}

/** What turns pixels in [0, 1] into features, if that is asked for. */
function featuresOf(
  options: ReadonlyMap<string, string>,
  { mean, deviation }: SpecOptions,
): ((images: Dataset) => Dataset) | undefined {
  const name = options.get("features");
  if (name === undefined) return undefined;
  if (name !== "hog") throw invalidSpec(`unknown features ${name}; known is hog`);
  if (mean !== undefined || deviation !== undefined) throw invalidSpec("features=hog has a scaling of its own");
  return withFixedFeatures;
}

async function loadSource(source: string, scaling: SpecOptions): Promise<LoadedData> {
  if (source === "digits") {
    if (scaling.mean ?? scaling.deviation ?? scaling.classCount)
      throw invalidSpec("digits has a fixed scaling and ten classes");
    return loadDigits();
  }
  if (source === "") throw invalidSpec("the data specification names no source");
  const found = await stat(source).catch((cause: unknown) => {
    throw new VerisumError("DATASET_NOT_FOUND", `no data at ${source}`, { source }, { cause });
  });
  if (/\.csv(\.gz)?$/i.test(source)) return loadCsv(source, scaling);
  if (!found.isDirectory()) return loadIdx(source, scaling);
  const csv = await stat(`${source}/train.csv`).catch(() => undefined);
  return csv === undefined ? loadIdx(source, scaling) : loadCsv(source, scaling);
}

function shardOf(train: Dataset, options: ReadonlyMap<string, string>): Dataset {
  const clients = integer(options, "clients", 1, 100_000);
  const client = integer(options, "client", 0, (clients ?? 1) - 1);
  const seed = integer(options, "seed", 0, Number.MAX_SAFE_INTEGER);
  const [alpha] = numbers(options, "alpha") ?? [];
  if (clients === undefined && client === undefined && seed === undefined && alpha === undefined) return train;
  if (clients === undefined || client === undefined || seed === undefined)
    throw invalidSpec("a shard needs client, clients and seed");
  const shards =
    alpha === undefined ? partitionIid(train, clients, seed) : partitionDirichlet(train, clients, alpha, seed);
  return shards[client]!;
}

/** A shard's rows may be in the order of their classes: the ones that stay are drawn, not the first. */
function atMost(data: Dataset, options: ReadonlyMap<string, string>, name: "samples" | "testSamples"): Dataset {
  const limit = integer(options, name, 1, MAX_DATA_VALUES) ?? data.sampleCount;
  return limit >= data.sampleCount
    ? data
    : selectRows(data, seededStream(`limit-${name}`, 0).permutation(data.sampleCount).subarray(0, limit));
}

function optionsOf(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const pair of text === "" ? [] : text.split("&")) {
    const [name = "", value, ...rest] = pair.split("=");
    if (!OPTION_NAMES.includes(name)) throw invalidSpec(`unknown option ${name}; known are ${OPTION_NAMES.join(", ")}`);
    if (value === undefined || value === "" || rest.length > 0 || options.has(name))
      throw invalidSpec(`option ${name} needs one value`);
    options.set(name, value);
  }
  return options;
}

function numbers(options: ReadonlyMap<string, string>, name: string): number[] | undefined {
  const values = options
    .get(name)
    ?.split(",")
    .map((item) => (item.trim() === "" ? NaN : Number(item)));
  if (values?.some((value) => !Number.isFinite(value))) throw invalidSpec(`${name} is not a number`);
  return values;
}

function integer(options: ReadonlyMap<string, string>, name: string, least: number, most: number): number | undefined {
  const values = numbers(options, name);
  if (values === undefined) return undefined;
  const value = values[0]!;
  if (values.length !== 1 || !Number.isInteger(value) || value < least || value > most)
    throw invalidSpec(`${name} must be a whole number from ${least} to ${most}`);
  return value;
}

function invalidSpec(message: string): VerisumError {
  return new VerisumError("DATASET_SPEC_INVALID", message);
}
