/**
 * DP-SGD on one client's data (Abadi et al. 2016): Poisson batches, per-example clipping, Gaussian noise, a number of
 * steps that does not depend on the data.
 *
 * What is exact: an example's gradient depends on the weights and on this example alone, bit for bit, since examples
 * are worked on in groups of one size, filled up with zeros, and what dropout leaves out is drawn without the data;
 * each clipped gradient is rounded towards zero onto a grid, so its norm in grid steps is at most `sensitivitySteps`;
 * sums of grid integers are exact; the noise is made of integers, a discrete Gaussian of standard deviation 2^20 steps
 * up to a distance below 2^−80 a weight and step that delta counts (protocol/privacy/wide-noise.ts). Precision attacks
 * on floating-point noise (Mironov 2012; Jin et al. 2022) do not apply. What is not: the gradients themselves are
 * floating point, which affects utility only.
 *
 * A step divides by the task's batch size, not by this client's expected one, so the number of examples stays private
 * and a small client adds no more noise than a large one. Running time depends on the data; the caller decides who can
 * see it.
 */
import { VerisumError } from "../../protocol/errors.ts";
import { drawWideNoise } from "../../protocol/privacy/wide-noise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { exampleWidth, featuresOf } from "../examples.ts";
import type { Dataset } from "../examples.ts";
import { addTruncated, squaredNormOf } from "../example-gradients.ts";
import type { ExampleGradients } from "../example-gradients.ts";
import type { ScaledExample } from "../layers/layer.ts";
import type { Batch } from "../network.ts";
import { NOISE_STD_DEV_STEPS, trainingNoise } from "../training-noise.ts";
import { yieldToEventLoop } from "../event-loop.ts";
import { createStep } from "./optimiser.ts";
import { trainingMethod } from "./training-method.ts";
import type { PrivacyOptions, TrainingJob, TrainOptions, TrainResult } from "./training-method.ts";

/** Keeps the rounding errors of the norm (below 2^−30) from lifting a clipped vector over the sensitivity. */
const CLIP_MARGIN = 1 - 2 ** -20;

type PrivateOptions = TrainOptions & { readonly privacy: PrivacyOptions };

export const dpSgd = trainingMethod({
  name: "DP-SGD",
  takes: (options): options is PrivateOptions => options.privacy !== undefined,
  train: trainPrivately,
});

async function trainPrivately(
  { network, start, data, onProgress }: TrainingJob,
  options: PrivateOptions,
): Promise<TrainResult> {
  const { batchSize, privacy } = options;
  const grid = clippingGrid(privacy);
  const weights = start.slice();
  const move = createStep(weights.length, options);
  let lossSum = 0;
  let seen = 0;
  for (let step = 1; step <= privacy.steps; step++) {
    const sum = new Float64Array(weights.length);
    let batchLoss = 0;
    const batch = poissonBatch(data.exampleCount, privacy.samplingRate, privacy.random);
    for (let from = 0; from < batch.length; from += network.groupSize) {
      const group = batch.slice(from, from + network.groupSize);
      const seed = network.takesChance ? drawnSeed(privacy.random) : undefined;
      const gradients = network.exampleGradients(weights, paddedBatch(data, group, network.groupSize), seed);
      batchLoss += addClipped(sum, gradients, group.length, grid);
    }
    const noise = drawWideNoise(trainingNoise(), weights.length, privacy.random);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i]! + noise[i]!) / (grid.stepsPerUnit * batchSize);
    move(weights, sum);
    lossSum += batchLoss;
    seen += batch.length;
    onProgress?.({ step, steps: privacy.steps, loss: batchLoss / Math.max(1, batch.length) });
    await yieldToEventLoop();
  }
  if (!weights.every(Number.isFinite))
    throw new VerisumError("TRAINING_DIVERGED", "private training produced weights that are not finite");
  return { weights, loss: lossSum / Math.max(1, seen), steps: privacy.steps };
}

/** 48 bits, for choices that do not depend on the data. */
function drawnSeed(random: RandomBytes): number {
  return random(6).reduce((seed, byte) => seed * 256 + byte, 0);
}

export interface ClippingGrid {
  /** Largest norm, in grid steps, of what one example adds to a sum. */
  readonly sensitivitySteps: number;
  /** Grid steps in one unit of a gradient. */
  readonly stepsPerUnit: number;
  readonly clipNorm: number;
}

/** The grid on which 2^20 steps of noise are at least `noiseMultiplier` times the sensitivity. */
export function clippingGrid({
  clipNorm,
  noiseMultiplier,
}: Pick<PrivacyOptions, "clipNorm" | "noiseMultiplier">): ClippingGrid {
  const sensitivitySteps = Math.floor(NOISE_STD_DEV_STEPS / noiseMultiplier);
  return { sensitivitySteps, stepsPerUnit: sensitivitySteps / clipNorm, clipNorm };
}

/**
 * Clips each example's gradient and adds it to a sum of grid integers. One that is not finite adds nothing: stopping
 * would reveal it.
 *
 * @param count examples that count, the first ones; the rest is filling
 * @returns the sum of their losses
 */
export function addClipped(
  sum: Float64Array,
  gradients: ExampleGradients,
  count: number,
  { stepsPerUnit, clipNorm }: ClippingGrid,
): number {
  const examples: ScaledExample[] = [];
  let loss = 0;
  for (let example = 0; example < count; example++) {
    const norm = Math.sqrt(squaredNormOf(gradients, example));
    if (!Number.isFinite(norm)) continue;
    examples.push({ example, scale: stepsPerUnit * CLIP_MARGIN * Math.min(1, clipNorm / norm) });
    loss += gradients.losses[example]!;
  }
  addTruncated(sum, gradients, examples);
  return loss;
}

/** These examples, and zeros of class 0 or target 0 up to `size` of them. */
function paddedBatch(data: Dataset, examples: readonly number[], size: number): Batch {
  const width = exampleWidth(data);
  const features = new Float32Array(size * width);
  const labels = new Int32Array(size);
  examples.forEach((example, i) => {
    features.set(featuresOf(data, example), i * width);
    labels[i] = data.labels[example]!;
  });
  const filled = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => (i < examples.length ? values[examples[i]!]! : 0));
  return {
    ...{ features, labels },
    ...(data.targets === undefined ? {} : { targets: filled(data.targets) }),
    ...(data.weights === undefined ? {} : { weights: filled(data.weights) }),
  };
}

/** Each example independently with probability floor(rate · 2^32)/2^32, which is at most `rate`. */
export function poissonBatch(exampleCount: number, rate: number, random: RandomBytes): number[] {
  const threshold = Math.floor(rate * 2 ** 32);
  const bytes = random(exampleCount * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const batch: number[] = [];
  for (let i = 0; i < exampleCount; i++) if (view.getUint32(i * 4) < threshold) batch.push(i);
  return batch;
}
