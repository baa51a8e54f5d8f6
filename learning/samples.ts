/** Labelled samples in memory. */
export interface Dataset {
  /** `sampleCount` rows of `product(featureShape)` values, scaled, all finite. */
  readonly features: Float32Array;

  /** One class in [0, classCount) a row. */
  readonly labels: Int32Array;
  readonly sampleCount: number;
  readonly featureShape: readonly number[];
  readonly classCount: number;
}

export interface LoadedData {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** What a data set contains: shape, rows, and rows of each class. */
export function describeDataset(data: Dataset): {
  samples: number;
  featureShape: readonly number[];
  classes: number;
  histogram: number[];
} {
  const histogram = Array<number>(data.classCount).fill(0);
  for (const label of data.labels) histogram[label]!++;
  return { samples: data.sampleCount, featureShape: data.featureShape, classes: data.classCount, histogram };
}

/** The rows with these indices, in this order, as a new data set. */
export function selectRows(data: Dataset, rows: ArrayLike<number>): Dataset {
  const width = data.features.length / data.sampleCount;
  const features = new Float32Array(rows.length * width);
  const labels = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    features.set(data.features.subarray(row * width, (row + 1) * width), i * width);
    labels[i] = data.labels[row]!;
  }
  return { ...data, features, labels, sampleCount: rows.length };
}
