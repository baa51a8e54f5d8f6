/**
 * Fixed features of windows of sensor values: of each channel its mean, its spread, and how much it changes over 2, 4,
 * 8, 16 and 32 points in time (the energies of a Haar transform). Nobody learns them, so that with differential privacy
 * they cost nothing; a window gives as many whatever its length is, and it does not matter where a movement begins.
 *
 * Only additions, products, quotients and square roots are used, in a fixed order: equal windows give equal features on
 * every machine.
 */
import { ensure } from "../../protocol/errors.ts";
import { featuresOf } from "../examples.ts";
import type { Dataset } from "../examples.ts";

/** Points in time over which changes are measured: 2, 4, … 2^LEVELS. */
const LEVELS = 5;
export const PER_CHANNEL = LEVELS + 2;
/** Steps that a window has at least. */
export const SHORTEST = 2 ** LEVELS;

/**
 * Replaces each window by its features, those of one channel together: signed square roots of what they measure.
 * @param windows shape [steps, 1, channels]
 * @throws DATASET_SPEC_INVALID for another shape, or windows shorter than 32 steps
 */
export function withHaarFeatures(windows: Dataset): Dataset {
  const [steps = 0, one, channels = 0] = windows.featureShape;
  ensure(
    windows.featureShape.length === 3 && one === 1 && steps >= SHORTEST,
    "DATASET_SPEC_INVALID",
    `features=haar needs windows of at least ${SHORTEST} steps (steps × 1 × channels), not ${windows.featureShape.join("×")}`,
    { shape: windows.featureShape.join("×") },
  );
  const width = channels * PER_CHANNEL;
  const features = new Float32Array(windows.exampleCount * width);
  const series = new Float64Array(steps);
  for (let i = 0; i < windows.exampleCount; i++) {
    const values = featuresOf(windows, i);
    for (let channel = 0; channel < channels; channel++) {
      for (let t = 0; t < steps; t++) series[t] = values[t * channels + channel]!;
      describe(series, features.subarray(i * width + channel * PER_CHANNEL));
    }
  }
  const { starts: _, ...rest } = windows;
  return { ...rest, features, featureShape: [width] };
}

function describe(series: Float64Array, out: Float32Array): void {
  const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
  const variance = series.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / series.length;
  out[0] = Math.sign(mean) * Math.sqrt(Math.abs(mean));
  out[1] = Math.sqrt(Math.sqrt(variance));
  let averages = series;
  for (let level = 0; level < LEVELS; level++) {
    const half = averages.length >> 1;
    const coarser = new Float64Array(half);
    let squares = 0;
    for (let i = 0; i < half; i++) {
      const [a, b] = [averages[2 * i]!, averages[2 * i + 1]!];
      coarser[i] = (a + b) / 2;
      squares += ((a - b) / 2) * ((a - b) / 2);
    }
    out[2 + level] = Math.sqrt(Math.sqrt(squares / half));
    averages = coarser;
  }
}
