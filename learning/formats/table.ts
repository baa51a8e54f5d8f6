/** What formats with one value after the other have in common: scaling, labels, training and test files. */
import { join } from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import { splitEveryFifth } from "../partition.ts";
import type { Dataset, LoadedData } from "../examples.ts";
import type { Source } from "./format.ts";
import { numbers, positiveNumbers, wholeNumber } from "./options.ts";
import type { OptionValues } from "./options.ts";

/** Labels are below this where nothing else is said. */
const MAX_CLASSES = 65_536;

/** How values are scaled and classes counted; the same for everyone who trains together. */
export const VALUE_OPTIONS = {
  /** Subtracted from a value (pixels: after division by their maximum); one number, or one per column. */
  mean: numbers,
  /** The standard deviation that divides the difference; same form as `mean`. */
  deviation: positiveNumbers,
  /** Number of classes, where the files do not settle it. */
  classes: wholeNumber(2, MAX_CLASSES),
};

/** The same as parsers take them. */
export interface ValueOptions {
  readonly mean: readonly number[] | undefined;
  readonly stdDev: readonly number[] | undefined;
  readonly classCount: number | undefined;
}

export function valueOptions({ mean, deviation, classes }: OptionValues<typeof VALUE_OPTIONS>): ValueOptions {
  return { mean, stdDev: deviation, classCount: classes };
}

/**
 * The label of one example. @throws DATASET_LABEL_INVALID
 * @param place the example's place for people; `details` says the same to programs
 */
export function labelFrom(
  value: unknown,
  classCount: number | undefined,
  place: string,
  details: Readonly<Record<string, string | number>>,
): number {
  const limit = classCount ?? MAX_CLASSES;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= limit)
    throw new VerisumError(
      "DATASET_LABEL_INVALID",
      `${place}: the label is not an integer from 0 to ${limit - 1}`,
      details,
    );
  return value;
}

/** As many classes as the labels need, two at least, unless the number is given. */
export function classCountOf(labels: Int32Array | Uint8Array, given: number | undefined): number {
  if (given !== undefined) return given;
  let largest = 1;
  for (const label of labels) largest = Math.max(largest, label);
  return largest + 1;
}

/** Whether it is one file that ends so, or a folder with a training file of that ending. */
export function isTable({ path, kind, entries }: Source, endings: readonly string[]): boolean {
  return kind === "file"
    ? endings.some((ending) => path.toLowerCase().endsWith(ending))
    : fileCalled("train", entries, endings) !== undefined;
}

/**
 * Loads one file, of which every fifth example is test data, or a folder with train and test files.
 * @throws DATASET_NOT_FOUND without a test file, DATASET_MALFORMED if the two differ in shape
 */
export async function loadTable(
  { path, kind, entries }: Source,
  endings: readonly string[],
  read: (path: string) => Promise<Dataset>,
): Promise<LoadedData> {
  if (kind === "file") return splitEveryFifth(await read(path));
  const called = (name: string): string => {
    const found = fileCalled(name, entries, endings);
    if (found === undefined)
      throw new VerisumError("DATASET_NOT_FOUND", `${path} holds no ${name}${endings[0]}`, { path });
    return join(path, found);
  };
  return paired(path, await read(called("train")), await read(called("test")));
}

/** Training and test data with one number of classes. @throws DATASET_MALFORMED if they differ in shape */
export function paired(path: string, train: Dataset, test: Dataset): LoadedData {
  if (train.featureShape.join() !== test.featureShape.join())
    throw new VerisumError("DATASET_MALFORMED", `${path}: training and test data differ in shape`, { path });
  const classCount = Math.max(train.classCount, test.classCount);
  return { train: { ...train, classCount }, test: { ...test, classCount } };
}

function fileCalled(name: string, entries: readonly string[], endings: readonly string[]): string | undefined {
  return endings.map((ending) => name + ending).find((file) => entries.includes(file));
}
