/** Labelled examples in memory. */
export interface Dataset {
  /** Of one example after the other, `product(featureShape)` values each, scaled, all finite. */
  readonly features: Float32Array;

  /** One class in [0, classCount) for each example. */
  readonly labels: Int32Array;
  readonly exampleCount: number;
  readonly featureShape: readonly number[];
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

/** The examples with these indices, in this order, as a new data set. */
export function selectExamples(data: Dataset, indices: ArrayLike<number>): Dataset {
  const width = data.features.length / data.exampleCount;
  const features = new Float32Array(indices.length * width);
  const labels = new Int32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    features.set(data.features.subarray(index * width, (index + 1) * width), i * width);
    labels[i] = data.labels[index]!;
  }
  return { ...data, features, labels, exampleCount: indices.length };
}
