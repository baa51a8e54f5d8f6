/** Sets of the time-series archives. */
import { join } from "node:path";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { LoadedData } from "../examples.ts";
import { scaleRows } from "../scaling.ts";
import { readTsFile } from "../series/ts-file.ts";
import { allWindows, splitWindows, WINDOW_OPTIONS, windowNotes, windowSizeOf, windowsOf } from "../series/windows.ts";
import type { Recording, Windows } from "../series/windows.ts";
import { DEFAULT_SPLIT, divideExamples } from "../split.ts";
import { textFile } from "../tables/text.ts";
import { dataFormat } from "./format.ts";
import { invalidSpec, names, numbers, positiveNumbers } from "./options.ts";
import type { OptionValues } from "./options.ts";
import { paired } from "./table.ts";

const TRAIN = /_TRAIN\.ts(\.gz)?$/i;
const TEST = /_TEST\.ts(\.gz)?$/i;

const OPTIONS = {
  ...WINDOW_OPTIONS,
  /** For all dimensions, or one for each. */
  mean: numbers,
  deviation: positiveNumbers,
  /** In order, in place of the files' own list. */
  classes: names,
};

/** A file is split by class, or by series if windows are cut from them; a folder with both parts is split already. */
export const timeSeries = dataFormat({
  name: "time series",
  scheme: "ts",
  sources: "file.ts of a time-series archive, or a folder with …_TRAIN.ts and …_TEST.ts",
  options: OPTIONS,
  namesClasses: true,
  recognises: ({ path, kind, entries }) =>
    kind === "file" ? /\.ts(\.gz)?$/i.test(path) : entries.some((name) => TRAIN.test(name)),
  load: async ({ path, kind, entries }, options): Promise<LoadedData> => {
    if (kind === "file") return splitOne(await readRecording(path, options), options, path);
    const [trainFile, testFile] = [onlyFile(path, entries, TRAIN), onlyFile(path, entries, TEST)];
    const recording = await readRecording(trainFile, options);
    // The test file may list the classes in another order: they are those of the training file, by name.
    const classes = options.classes ?? recording.classNames;
    const train = windowsOfSet(recording, options, trainFile);
    const test = windowsOfSet(await readRecording(testFile, { ...options, classes }), options, testFile);
    return {
      ...paired(path, allWindows(train), allWindows(test)),
      groups: train.groups,
      split: "a test file",
      notes: options.window === undefined ? [] : windowNotes(train),
    };
  },
});

type Options = OptionValues<typeof OPTIONS>;

function splitOne(recording: Recording, options: Options, path: string): LoadedData {
  const windows = windowsOfSet(recording, options, path);
  if (options.window !== undefined) return splitWindows(windows, DEFAULT_SPLIT);
  const { labels, classCount, exampleCount } = windows;
  const { train, test, by } = divideExamples({ labels, classCount, exampleCount }, DEFAULT_SPLIT);
  return { train: windows.select(train), test: windows.select(test), split: by };
}

async function readRecording(path: string, { classes, mean, deviation }: Options): Promise<Recording> {
  if (classes?.length === 1) throw invalidSpec("classes must be the names of all classes, in order");
  const recording = await readTsFile(textFile(path, "utf-8"), classes);
  scaleRows(recording.values, recording.channels, { mean, stdDev: deviation });
  return recording;
}

/** Whole series are windows as well, where they have one length. @throws DATASET_MALFORMED */
function windowsOfSet(recording: Recording, options: Options, path: string): Windows {
  const size = windowSizeOf(options);
  if (size !== undefined) return windowsOf(recording, size);
  const lengths = recording.series.map(({ from, until }) => until - from);
  const length = lengths[0]!;
  const odd = lengths.findIndex((other) => other !== length);
  ensure(
    odd < 0,
    "DATASET_MALFORMED",
    `${path}: series ${odd + 1} has ${lengths[odd]} values, and the first has ${length}; cut windows of one length with window=`,
    { path, series: odd + 1 },
  );
  return windowsOf(recording, { length, step: length });
}

function onlyFile(path: string, entries: readonly string[], part: RegExp): string {
  const [found, ...others] = entries.filter((name) => part.test(name));
  if (found !== undefined && others.length === 0) return join(path, found);
  throw new VerisumError(
    "DATASET_NOT_FOUND",
    `${path} holds ${found === undefined ? "no file" : "several files"} of the kind ${part === TRAIN ? "…_TRAIN.ts" : "…_TEST.ts"}`,
    { path },
  );
}
