/** What training takes and gives, and the step that every kind of it makes. */
import type { RandomBytes } from "../protocol/random.ts";

/** Example-level differential privacy: DP-SGD (Abadi et al. 2016) in place of epochs. */
export interface PrivacyOptions {
  /** L2 norm to which one example's gradient is clipped. */
  readonly clipNorm: number;

  /** Standard deviation of the noise on a sum of clipped gradients, in units of `clipNorm`. */
  readonly noiseMultiplier: number;

  /** Probability with which each example joins a step's batch. */
  readonly samplingRate: number;
  readonly steps: number;

  /** A CSPRNG: it decides membership and noise. */
  readonly random: RandomBytes;
}

export interface TrainOptions {
  readonly learningRate: number;

  /** Share of the last step that is kept, in [0, 1). */
  readonly momentum: number;

  /**
   * Samples in a step. With `privacy`: what a step's noisy sum is divided by, about samplingRate times a usual client's
   * rows.
   */
  readonly batchSize: number;

  /** Not used with `privacy`. */
  readonly localEpochs: number;

  /** Fixes the order of the samples. Not used with `privacy`. */
  readonly seed: number;
  readonly privacy?: PrivacyOptions;
}

export interface TrainProgress {
  readonly step: number;
  readonly steps: number;

  /** Mean loss of the step's batch. It depends on the data and is never private. */
  readonly loss: number;
}

export interface TrainResult {
  readonly weights: Float32Array;

  /**
   * Mean loss of the last epoch's batches (of all batches with `privacy`). It depends on the data and is never private.
   */
  readonly loss: number;
  readonly steps: number;
}

/** SGD with heavy-ball momentum, in place: v = momentum·v + gradient; w = w − learningRate·v. */
export function descend(
  weights: Float32Array,
  velocity: Float32Array,
  gradient: ArrayLike<number>,
  learningRate: number,
  momentum: number,
): void {
  for (let i = 0; i < weights.length; i++) {
    const speed = momentum * velocity[i]! + gradient[i]!;
    velocity[i] = speed;
    weights[i] = weights[i]! - learningRate * speed;
  }
}
