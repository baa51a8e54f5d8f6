/** Labelled examples in memory, and the one string that names them on a command line. */
import { readdir, stat } from "node:fs/promises";
import { VerisumError } from "../protocol/errors.ts";
import { MAX_DATA_VALUES, requireOrdinary } from "./data-file.ts";
import { withFixedFeatures } from "./fixed-features.ts";
import type { DataFormat, DataUse, OnRows, Source } from "./formats/format.ts";
import { invalidSpec, oneOf, readOptions, splitOptions, wholeNumber } from "./formats/options.ts";
import { FORMATS } from "./formats/registry.ts";
import { isPreprocessing, withClasses, withPreprocessing } from "./preprocessing.ts";
import type { DataRules } from "./preprocessing.ts";
import { seededStream } from "./seeded-stream.ts";
import { SHARD_OPTIONS, shardOf } from "./shards.ts";
import { selectExamples } from "./examples.ts";
import type { Dataset, LoadedData } from "./examples.ts";
import { withHaarFeatures } from "./series/haar.ts";
import type { TableSchema } from "./tables/schema.ts";
import { answerWarnings } from "./tables/warnings.ts";

/** What nobody learns, in place of an example's values. */
const FIXED_FEATURES = { hog: withFixedFeatures, haar: withHaarFeatures };

/** Options of data of every format: which of its examples a client has, and what becomes of them. */
export const SHARED_OPTIONS = {
  ...SHARD_OPTIONS,
  samples: wholeNumber(1, MAX_DATA_VALUES),
  testSamples: wholeNumber(1, MAX_DATA_VALUES),
  features: oneOf("hog", "haar"),
};

/**
 * Loads what a `--data` argument names: `digits` (built in), or a file or folder that one of the formats recognises
 * (formats/registry.ts). Options follow a `?`:
 *
 * - `client=i&clients=n&seed=s`: the i-th of n shards (from 0) of the training data; IID, or as `partition` says
 *   (shards.ts)
 * - `samples=k`, `testSamples=k`: at most k examples of the shard and of the test data, drawn without replacement;
 *   equal specifications draw equal ones
 * - `features=hog`: gradient histograms in place of the pixels of IDX images (fixed-features.ts); `features=haar`:
 *   energies in place of the values of windows (series/haar.ts)
 * - those of the format; of most, `mean=m&deviation=s`, scaling by public constants, one number or a comma-separated
 *   list with one per column, and `classes=k`, the number of classes, for files that need not hold every class; of
 *   tables also which column is what (formats/table.ts)
 *
 * A format's name and a colon before the path ask for that format: `csv:export.txt`.
 *
 * Scaling never depends on the data that is loaded: clients must agree on it, and it would leak.
 *
 * @param rules what the task says of the data, in place of the options for columns, classes, scaling and features
 * @param onRows told now and then how many rows of a table have been read
 * @param use what for, if not to learn from it
 * @example await loadDataset("digits?client=2&clients=5&alpha=0.5&seed=7")
 * @throws DATASET_SPEC_INVALID, DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE,
 *   DATASET_VALUE_INVALID, DATASET_LABEL_INVALID, DATASET_PARTITION_IMPOSSIBLE
 */
export async function loadDataset(
  spec: string,
  rules?: DataRules,
  onRows?: OnRows,
  use: DataUse = "learning",
): Promise<LoadedData> {
  const { source, format, options: said } = await resolveData(spec);
  const values = rules !== undefined && isPreprocessing(rules) ? rules : undefined;
  const schema = rules === undefined || isPreprocessing(rules) ? undefined : rules;
  const options = values === undefined ? said : withPreprocessing(said, values, format);
  const shared = withFeatures(readOptions(options, SHARED_OPTIONS), schema);
  const found = await format.load(
    source,
    shared.features === undefined || schema !== undefined ? options : unscaled(options, format),
    schema,
    onRows,
    use,
  );
  if (found.isWhole === true && shared.testSamples !== undefined)
    throw invalidSpec("nothing is split off for testing, so that testSamples limits nothing; leave it out");
  const loaded = values === undefined ? found : withClasses(found, values);
  const { train, test, groups, ...about } = loaded;
  const describe = shared.features === undefined ? (data: Dataset): Dataset => data : FIXED_FEATURES[shared.features];
  return {
    ...about,
    notes: [...(about.notes ?? []), ...(use === "learning" ? answerWarnings(loaded) : [])],
    train: describe(atMost(shardOf(train, groups, shared), shared.samples, "samples")),
    test: describe(atMost(test, shared.testSamples, "testSamples")),
  };
}

/** What a `--data` argument names, before anything of it is read. @throws DATASET_SPEC_INVALID, DATASET_NOT_FOUND */
export async function resolveData(spec: string): Promise<ResolvedData> {
  const mark = spec.lastIndexOf("?");
  const named = mark < 0 ? spec : spec.slice(0, mark);
  const options = splitOptions(mark < 0 ? "" : spec.slice(mark + 1));
  const asked = FORMATS.find(({ scheme }) => named.startsWith(`${scheme}:`));
  const path = asked === undefined ? named : named.slice(asked.scheme.length + 1);
  if (path === "") throw invalidSpec("the data specification names no source");
  const source = await sourceAt(path);
  if (asked !== undefined && source.kind === "missing") throw notFound(path);
  const format = asked ?? formatOf(source);
  assertKnown(options, format);
  return { source, format, options };
}

interface ResolvedData {
  readonly source: Source;
  readonly format: DataFormat;
  readonly options: ReadonlyMap<string, string>;
}

async function sourceAt(path: string): Promise<Source> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return { path, kind: "missing", entries: [] };
  if (found.isDirectory()) return { path, kind: "directory", entries: await readdir(path) };
  requireOrdinary(found, path); // a table is read more than once
  return { path, kind: "file", entries: [] };
}

function formatOf(source: Source): DataFormat {
  const format = FORMATS.find(({ recognises }) => recognises(source));
  if (format !== undefined) return format;
  const { path, kind } = source;
  if (kind === "missing") throw notFound(path);
  const known = FORMATS.map(({ name, sources }) => `${name} (${sources})`).join("; ");
  throw new VerisumError(
    kind === "file" ? "DATASET_MALFORMED" : "DATASET_NOT_FOUND",
    `${path} has no known data format; known are ${known}`,
    { path },
  );
}

function notFound(path: string): VerisumError {
  return new VerisumError("DATASET_NOT_FOUND", `no data at ${path}`, { path });
}

function assertKnown(options: ReadonlyMap<string, string>, { name, optionNames }: DataFormat): void {
  const known = [...Object.keys(SHARED_OPTIONS), ...optionNames];
  for (const option of options.keys())
    if (!known.includes(option))
      throw invalidSpec(`${name} data has no option ${option}; its options are ${known.join(", ")}`);
}

/** With the features of the task, if it describes tables. @throws DATASET_SPEC_INVALID if others are asked for */
function withFeatures<Options extends { readonly features: "hog" | "haar" | undefined }>(
  shared: Options,
  schema: TableSchema | undefined,
): Options {
  if (schema === undefined) return shared;
  if (shared.features !== undefined)
    throw invalidSpec("the task's document says what features would say (data.features); leave it out");
  return { ...shared, features: schema.features };
}

/** Pixels in [0, 1], from which fixed features are computed. */
function unscaled(options: ReadonlyMap<string, string>, { optionNames }: DataFormat): ReadonlyMap<string, string> {
  if (options.has("mean") || options.has("deviation"))
    throw invalidSpec("features=hog and features=haar have scalings of their own");
  return optionNames.includes("mean") ? new Map([...options, ["mean", "0"], ["deviation", "1"]]) : options;
}

/** A shard's examples may be in the order of their classes: the ones that stay are drawn, not the first. */
function atMost(data: Dataset, limit: number | undefined, name: "samples" | "testSamples"): Dataset {
  return limit === undefined || limit >= data.exampleCount
    ? data
    : selectExamples(data, seededStream(`limit-${name}`, 0).permutation(data.exampleCount).subarray(0, limit));
}
