/**
 * UCI's human-activity sets as they are downloaded: folders train and test of text matrices, with an activity and a
 * subject for each window of sensor values.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import { assertValueCount } from "../data-file.ts";
import type { Dataset, LoadedData } from "../examples.ts";
import { scaleRows } from "../scaling.ts";
import { growingFloats } from "../tables/growing.ts";
import { linesOf } from "../tables/lines.ts";
import { listed, quoted, refusal } from "../tables/table.ts";
import { readTextMatrix } from "../tables/text-matrix.ts";
import { textFile } from "../tables/text.ts";
import { dataFormat } from "./format.ts";
import { names, numbers, oneOf, positiveNumbers } from "./options.ts";
import type { OptionValues } from "./options.ts";
import { paired, sharedGroup } from "./table.ts";

const ACTIVITIES = "activity_labels.txt";
const SIGNALS = "Inertial Signals";

const OPTIONS = {
  /** For all channels or features, or one for each. */
  mean: numbers,
  deviation: positiveNumbers,
  /** Windows of sensor values, or the features that the set's authors computed from them. */
  inputs: oneOf("signals", "features"),
  /** Channels in this order, such as body_acc_x; all in the order of their names without it. */
  keep: names,
};
type Options = OptionValues<typeof OPTIONS>;

interface Part {
  readonly name: "train" | "test";
  readonly folder: string;
  readonly entries: readonly string[];
}

/** Groups are the subjects; none of them may be in both parts. */
export const humanActivity = dataFormat({
  name: "human activity",
  scheme: "har",
  sources: `a folder with ${ACTIVITIES}, train and test, as UCI's human-activity sets are`,
  options: OPTIONS,
  recognises: ({ entries }) => called(ACTIVITIES, entries) !== undefined,
  load: async ({ path, entries }, options): Promise<LoadedData> => {
    const activities = await readActivities(fileIn(path, entries, ACTIVITIES));
    const train = await loadPart(await partOf(path, entries, "train"), activities, options);
    const test = await loadPart(await partOf(path, entries, "test"), activities, options);
    const both = sharedGroup(train.subjects, test.subjects);
    ensure(
      both === undefined,
      "DATASET_MALFORMED",
      `${path}: subject ${both} has windows in the training and in the test data`,
      { path, subject: both ?? "" },
    );
    return {
      ...paired(path, train.data, test.data),
      groups: train.subjects,
      split: "a test folder, of other subjects",
    };
  },
});

async function partOf(path: string, entries: readonly string[], name: Part["name"]): Promise<Part> {
  const folder = fileIn(path, entries, name);
  return { name, folder, entries: await entriesOf(folder) };
}

async function loadPart(
  part: Part,
  activities: Activities,
  options: Options,
): Promise<{ readonly data: Dataset; readonly subjects: readonly string[] }> {
  const { name, folder, entries } = part;
  const labels = await readColumn(fileIn(folder, entries, `y_${name}.txt`), (text, place) => {
    const label = activities.labels.get(text);
    if (label !== undefined) return label;
    throw refusal(
      "DATASET_LABEL_INVALID",
      { ...place, value: text },
      `${quoted(text)} is none of the activities, ${listed([...activities.labels.keys()])}`,
      `correct it, or ${ACTIVITIES}`,
    );
  });
  const subjectFile = called(`subject_${name}.txt`, entries) ?? `subject_id_${name}.txt`;
  const subjects = await readColumn(fileIn(folder, entries, subjectFile), (text) => text);
  const signals = called(SIGNALS, entries);
  const inputs = options.inputs ?? (signals === undefined ? "features" : "signals");
  const { values, shape, rows } =
    inputs === "signals"
      ? await readSignals(fileIn(folder, entries, SIGNALS), name, options)
      : await readFeatures(fileIn(folder, entries, `X_${name}.txt`));
  for (const [what, count] of [
    ["activities", labels.length],
    ["subjects", subjects.length],
  ] as const)
    ensure(count === rows, "DATASET_MALFORMED", `${folder} has ${rows} windows and ${count} ${what}`, { path: folder });
  scaleRows(values, shape.at(-1)!, { mean: options.mean, stdDev: options.deviation });
  return {
    subjects,
    data: {
      features: values,
      labels: Int32Array.from(labels),
      exampleCount: rows,
      featureShape: shape,
      classCount: Math.max(2, activities.names.length),
      classNames: activities.names,
    },
  };
}

interface Matrix {
  readonly values: Float32Array;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly rows: number;
}

async function readFeatures(path: string): Promise<Matrix> {
  const values = growingFloats(path);
  const { rows, width } = await readTextMatrix(path, values);
  return { values: values.values(), shape: [width], rows };
}

/**
 * A file for each channel becomes windows of length × 1 × channels.
 * @throws DATASET_COLUMN_ABSENT, DATASET_MALFORMED
 */
async function readSignals(folder: string, part: Part["name"], { keep }: Options): Promise<Matrix> {
  const ending = `_${part}.txt`;
  const known = (await entriesOf(folder))
    .filter((name) => name.toLowerCase().endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .sort();
  ensure(known.length > 0, "DATASET_NOT_FOUND", `${folder} holds no file …${ending}`, { path: folder });
  const channels = keep ?? known;
  const absent = channels.find((channel) => !known.includes(channel));
  if (absent !== undefined)
    throw refusal(
      "DATASET_COLUMN_ABSENT",
      { path: folder, column: absent },
      `there is no such channel; there are ${listed(known)}`,
      "correct keep=",
    );
  let whole: (Matrix & { readonly length: number }) | undefined;
  for (const [channel, name] of channels.entries()) {
    const path = join(folder, `${name}${ending}`);
    const read = growingFloats(path);
    const { rows, width } = await readTextMatrix(path, read, whole?.length);
    if (whole === undefined) assertValueCount(rows * width * channels.length, folder);
    whole ??= {
      values: new Float32Array(rows * width * channels.length),
      shape: [width, 1, channels.length],
      rows,
      length: width,
    };
    ensure(rows === whole.rows, "DATASET_MALFORMED", `${path} has ${rows} windows, the first channel ${whole.rows}`, {
      path,
    });
    read.values().forEach((value, i) => (whole!.values[i * channels.length + channel] = value));
  }
  return whole!;
}

interface Activities {
  /** In the order of the file. */
  readonly names: readonly string[];
  /** Class by the number that windows have. */
  readonly labels: ReadonlyMap<string, number>;
}

/** Lines such as `1 WALKING`. @throws DATASET_MALFORMED */
async function readActivities(path: string): Promise<Activities> {
  const lines = await readColumn(path, (text, place) => {
    const [, number, name] = /^(\d+)\s+(\S.*)$/.exec(text) ?? [];
    if (number !== undefined && name !== undefined) return { number, name };
    throw refusal(
      "DATASET_MALFORMED",
      { ...place, value: text },
      "it is no number and name",
      "write them, as 1 WALKING",
    );
  });
  const labels = new Map(lines.map(({ number }, i) => [number, i]));
  const distinct = new Set(lines.map(({ name }) => name)).size;
  ensure(
    labels.size === lines.length && distinct === lines.length,
    "DATASET_MALFORMED",
    `${path} has a number or a name twice`,
    { path },
  );
  return { names: lines.map(({ name }) => name), labels };
}

async function readColumn<T>(
  path: string,
  read: (text: string, place: { readonly path: string; readonly row: number }) => T,
): Promise<T[]> {
  const values: T[] = [];
  for await (const lines of linesOf(textFile(path, "utf-8")))
    for (const { number, text } of lines) values.push(read(text, { path, row: number }));
  return values;
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((cause: unknown) => {
    throw new VerisumError("DATASET_NOT_FOUND", `${folder} is no folder`, { path: folder }, { cause });
  });
}

/** Capitals aside: one of these sets has Train, another train. */
function called(name: string, entries: readonly string[]): string | undefined {
  return entries.find((entry) => entry.toLowerCase() === name.toLowerCase());
}

/** @throws DATASET_NOT_FOUND */
function fileIn(folder: string, entries: readonly string[], name: string): string {
  const found = called(name, entries);
  if (found !== undefined) return join(folder, found);
  throw new VerisumError("DATASET_NOT_FOUND", `${folder} holds no ${name}`, { path: folder });
}
