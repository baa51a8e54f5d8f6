/** Labelled examples in memory. */
import { sizeOf } from "./shape.ts";

export interface Dataset {
  /** Of one example after the other, `product(featureShape)` values each, scaled, all finite. */
  readonly features: Float32Array;
  /**
   * Where each example's values begin in `features`, if they do not lie one after the other: windows that overlap share
   * theirs. `featuresOf` and `gatherExamples` take them as they lie.
   */
  readonly starts?: Uint32Array;

  /** One class in [0, classCount) for each example; zeros where the answers are numbers. */
  readonly labels: Int32Array;
  /** One number for each example where that is the answer, scaled, all finite; then there are no classes. */
  readonly targets?: Float32Array;
  /** Of the targets, which are (value − mean) / stdDev; as they are if absent. */
  readonly targetScaling?: { readonly mean: number; readonly stdDev: number };
  /** How much each example counts in the loss; 1 if absent. */
  readonly weights?: Float32Array;
  /** Where a person finds each example, or its first row: as refusals count rows. Absent unless it was asked for. */
  readonly rows?: Uint32Array;
  /** The data has no answers: labels are zeros, and there are no targets. */
  readonly isUnanswered?: boolean;
  readonly exampleCount: number;
  readonly featureShape: readonly number[];
  /** 0 where the answers are numbers. */
  readonly classCount: number;
  /** In the order of the classes, where they have names. */
  readonly classNames?: readonly string[];
}

/** Something about the data that its owner should know. */
export interface DataNote {
  /** `warning` where it may not be what was meant; `note` where it only says how the data was read. */
  readonly level: "note" | "warning";
  /** For programs, such as `column-constant`. */
  readonly event: string;
  readonly text: string;
  /** The column that it is about. */
  readonly column?: string;
}

export interface LoadedData {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Of each training example: equal for those of one subject or site. Absent where the data names none. */
  readonly groups?: readonly string[];
  /** What told the two apart. */
  readonly split?: string;
  /** How it was read, and what may not have been meant. */
  readonly notes?: readonly DataNote[];
  /** Nothing was split off: `train` is all of one file in its order, and `test` is empty. */
  readonly isWhole?: boolean;
}

/** In words: `10 classes`, or `numbers to predict`. */
export function answersText({ classCount, targets }: Pick<Dataset, "classCount" | "targets">): string {
  return targets === undefined ? `${classCount} classes` : "numbers to predict";
}

/** What a data set contains: shape, examples, and examples of each class. */
export function describeDataset(data: Dataset): {
  samples: number;
  featureShape: readonly number[];
  classes: number;
  histogram: number[];
} {
  const histogram = Array<number>(data.classCount).fill(0);
  for (const label of data.labels) histogram[label]!++;
  return { samples: data.exampleCount, featureShape: data.featureShape, classes: data.classCount, histogram };
}

/** Values of one example. */
export function exampleWidth({ featureShape }: Pick<Dataset, "featureShape">): number {
  return sizeOf(featureShape);
}

/** The values of one example: a view. */
export function featuresOf(data: Pick<Dataset, "features" | "starts" | "featureShape">, example: number): Float32Array {
  const width = exampleWidth(data);
  const start = data.starts?.[example] ?? example * width;
  return data.features.subarray(start, start + width);
}

/** The examples with these indices, in this order, as a new data set; shared values stay shared. */
export function selectExamples(data: Dataset, indices: ArrayLike<number>): Dataset {
  const { starts } = data;
  if (starts === undefined) return gatherExamples(data, indices);
  return { ...data, ...answersOf(data, indices), starts: Uint32Array.from(indices, (index) => starts[index]!) };
}

/** The same with their values one after the other, as a model takes them. */
export function gatherExamples(data: Dataset, indices: ArrayLike<number>): Dataset {
  const width = exampleWidth(data);
  const features = new Float32Array(indices.length * width);
  for (let i = 0; i < indices.length; i++) features.set(featuresOf(data, indices[i]!), i * width);
  const { starts: _, ...rest } = data;
  return { ...rest, ...answersOf(data, indices), features };
}

function answersOf(
  { labels, targets, weights, rows }: Dataset,
  indices: ArrayLike<number>,
): Pick<Dataset, "labels" | "targets" | "weights" | "rows" | "exampleCount"> {
  return {
    labels: Int32Array.from(indices, (index) => labels[index]!),
    exampleCount: indices.length,
    ...(targets === undefined ? {} : { targets: Float32Array.from(indices, (index) => targets[index]!) }),
    ...(weights === undefined ? {} : { weights: Float32Array.from(indices, (index) => weights[index]!) }),
    ...(rows === undefined ? {} : { rows: Uint32Array.from(indices, (index) => rows[index]!) }),
  };
}
