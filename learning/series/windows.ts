/** Windows over series of sensor values: stretches of one length, cut at one step, never across two series. */
import { ensure } from "../../protocol/errors.ts";
import type { Dataset, LoadedData } from "../examples.ts";
import { invalidSpec, wholeNumber } from "../formats/options.ts";
import type { OptionValues } from "../formats/options.ts";
import { divideExamples } from "../split.ts";
import type { SplitOptions } from "../split.ts";

const MAX_ROWS = 1_000_000;

/** Options of data that windows are cut from. */
export const WINDOW_OPTIONS = {
  /** Rows of a window. */
  window: wholeNumber(1, MAX_ROWS),
  /** Rows from the beginning of a window to that of the next one. */
  step: wholeNumber(1, MAX_ROWS),
  /** Rows that a window shares with the next one, in place of `step`. */
  overlap: wholeNumber(0, MAX_ROWS - 1),
};

export interface WindowSize {
  readonly length: number;
  readonly step: number;
}

/**
 * Undefined without `window=`; windows do not overlap without `step=` and `overlap=`.
 * @throws DATASET_SPEC_INVALID
 */
export function windowSizeOf({ window, step, overlap }: OptionValues<typeof WINDOW_OPTIONS>): WindowSize | undefined {
  if (window === undefined) {
    if (step !== undefined || overlap !== undefined) throw invalidSpec("step and overlap need window=");
    return undefined;
  }
  if (step !== undefined && overlap !== undefined) throw invalidSpec("step and overlap exclude one another");
  if (overlap !== undefined && overlap >= window) throw invalidSpec("overlap must be less than window");
  return { length: window, step: step ?? window - (overlap ?? 0) };
}

/** Rows of sensor values, series after series. */
export interface Recording {
  /** Of one row after the other, `channels` values each. */
  readonly values: Float32Array;
  readonly channels: number;
  /** Of each row. */
  readonly labels: Int32Array;
  readonly classCount: number;
  readonly classNames?: readonly string[];
  readonly series: readonly Series[];
  /** As those of a data set. */
  readonly rows?: Uint32Array;
  readonly isUnanswered?: boolean;
}

/** Rows that follow one another. */
interface Series {
  readonly from: number;
  /** Excluded. */
  readonly until: number;
  /** Series of one subject have one name, and stay on one side of the split. */
  readonly group: string;
}

export interface Windows extends Pick<Dataset, "labels" | "classCount" | "exampleCount"> {
  readonly groups: readonly string[];
  /** Windows whose rows differ in their label: they are left out. */
  readonly mixed: number;
  /** Series that are shorter than a window. */
  readonly short: number;
  /** These windows as examples of length × 1 × channels, each row's channels together. */
  select(indices: ArrayLike<number>): Dataset;
}

/**
 * All windows of a recording, as places in it: overlapping windows take no memory of their own.
 * @throws DATASET_EMPTY if no series is long enough
 */
export function windowsOf(recording: Recording, { length, step }: WindowSize): Windows {
  const { values, channels, labels, classCount, classNames, series, rows, isUnanswered } = recording;
  const starts: number[] = [];
  const groups: string[] = [];
  let mixed = 0;
  for (const { from, until, group } of series) {
    // The last row at which the label changed.
    let change = from;
    let seen = from;
    for (let start = from; start + length <= until; start += step) {
      for (; seen < start + length; seen++) if (seen > from && labels[seen] !== labels[seen - 1]) change = seen;
      if (change > start) {
        mixed++;
        continue;
      }
      starts.push(start);
      groups.push(group);
    }
  }
  ensure(
    starts.length > 0,
    "DATASET_EMPTY",
    mixed > 0
      ? `each of ${mixed} windows has rows with different labels; choose a shorter window=`
      : `no series has ${length} rows, as window= asks`,
    { window: length, mixed },
  );
  return {
    labels: Int32Array.from(starts, (start) => labels[start]!),
    classCount,
    exampleCount: starts.length,
    groups,
    mixed,
    short: series.filter(({ from, until }) => until - from < length).length,
    select: (indices) => ({
      features: values,
      starts: Uint32Array.from(indices, (index) => starts[index]! * channels),
      labels: Int32Array.from(indices, (index) => labels[starts[index]!]!),
      exampleCount: indices.length,
      featureShape: [length, 1, channels],
      classCount,
      ...(classNames === undefined ? {} : { classNames }),
      ...(rows === undefined ? {} : { rows: Uint32Array.from(indices, (index) => rows[starts[index]!]!) }),
      ...(isUnanswered === undefined ? {} : { isUnanswered }),
    }),
  };
}

/** Split by series, so that no two windows of one are on different sides. @throws as `divideExamples` */
export function splitWindows(windows: Windows, options: SplitOptions): LoadedData {
  const { train, test, by } = divideExamples(windows, options);
  return {
    train: windows.select(train),
    groups: Array.from(train, (i) => windows.groups[i]!),
    test: windows.select(test),
    split: by,
    notes: windowNotes(windows),
  };
}

/** All of them. */
export function allWindows(windows: Windows): Dataset {
  return windows.select(Uint32Array.from({ length: windows.exampleCount }, (_, i) => i));
}

export function windowNotes({ exampleCount, mixed, short }: Windows): NonNullable<LoadedData["notes"]> {
  const left = [
    ...(mixed > 0 ? [`${mixed} with different labels in their rows are left out`] : []),
    ...(short > 0 ? [`${short} series are too short`] : []),
  ];
  return [
    {
      level: left.length > 0 ? "warning" : "note",
      event: "windows",
      text: [`${exampleCount} windows`, ...left].join("; "),
    },
  ];
}
