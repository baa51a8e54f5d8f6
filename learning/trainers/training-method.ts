/**
 * What a way of training is to the rest of the program. Each is one file in this folder and one entry in the list
 * registry.ts.
 */
import { VerisumError } from "../../protocol/errors.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { StepOptions } from "./optimiser.ts";
import type { Network } from "../network.ts";
import type { Dataset } from "../examples.ts";

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

export interface TrainOptions extends StepOptions {
  readonly learningRate: number;

  /** Share of the last step that is kept, in [0, 1); Adam's β₁. */
  readonly momentum: number;

  /** How much an example of each class counts in the loss, in the order of the classes; 1 if absent. */
  readonly classWeights?: readonly number[] | undefined;

  /**
   * Examples in a step. With `privacy`: what a step's noisy sum is divided by, about samplingRate times what a usual
   * client has.
   */
  readonly batchSize: number;

  /** Not used with `privacy`. */
  readonly localEpochs: number;

  /** Fixes the order of the examples. Not used with `privacy`. */
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

/** What is trained, from where and on what. */
export interface TrainingJob {
  readonly network: Network;
  readonly start: Float32Array;
  readonly data: Dataset;
  readonly onProgress: ((progress: TrainProgress) => void) | undefined;
}

/** A way of training as the list holds it. */
export interface TrainingMethod {
  readonly name: string;
  /** Whether these options ask for this method. */
  takes(options: TrainOptions): boolean;
  /** @throws PRIVACY_PARAMETERS_INVALID, TRAINING_DIVERGED */
  train(job: TrainingJob, options: TrainOptions): Promise<TrainResult>;
}

/** A method that is given its options with the types that `takes` has found. */
export function trainingMethod<Options extends TrainOptions>({
  name,
  takes,
  train,
}: {
  readonly name: string;
  readonly takes: (options: TrainOptions) => options is Options;
  readonly train: (job: TrainingJob, options: Options) => Promise<TrainResult>;
}): TrainingMethod {
  return {
    name,
    takes,
    train: async (job, options) => {
      if (!takes(options)) throw new VerisumError("TRAINING_OPTIONS_INVALID", `these options are not for ${name}`);
      return train(job, options);
    },
  };
}
