/**
 * The port through which a client trains in a round. Whoever implements it decides how: clipping, noise, sharing and
 * proving come afterwards, and need to know nothing of the model but its tensors' names and shapes.
 */
import type { ModelParameter, TrainerOptions } from "../learning/external-model.ts";
import type { NamedTensor } from "../learning/safetensors.ts";
import type { Hex } from "../protocol/transcript.ts";

/** What a trainer is given in a round. */
export interface TrainingRound {
  readonly round: bigint;
  /** The base model's digest on chain. */
  readonly baseDigest: Hex;
  /** The base model's trained tensors, in the order of the vector; the trainer leaves them as they are. */
  readonly tensors: readonly NamedTensor[];
  /** All of the model's tensors in the task's order, those included that are frozen and that trainers have already. */
  readonly parameters: readonly ModelParameter[];
  /** Seconds left for training; what proving and sending take is taken off. */
  readonly secondsLeft: number;
  /** What the task's document says of training. */
  readonly training: {
    readonly learningRate: number;
    readonly momentum: number;
    readonly batchSize: number;
    readonly localEpochs: number;
  };
  /** The options in the document of a task whose model is external. */
  readonly options: TrainerOptions;
  /** Aborted when the time is over, or the client is told to stop. */
  readonly signal: AbortSignal;
}

/** An update as a trainer gives it. */
export interface TrainedTensors {
  /** Whether the tensors are what training added to the base, or the trained weights. */
  readonly kind: "difference" | "weights";
  /** Each of the base's, in any order. */
  readonly tensors: readonly NamedTensor[];
  /** Numbers to show, such as `loss`. They stay on this machine. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** An update, or word that the client takes no part in the round. */
export type TrainingResult = TrainedTensors | { readonly kind: "sit-out" };

export interface RoundTrainer {
  /**
   * Trains once. An error means that this round's training failed: under privacy of whole clients the client then takes
   * part with an update of zero, since staying away would tell of its data; otherwise it sits the round out.
   */
  train(round: TrainingRound): Promise<TrainingResult>;
}

/** Measures models on what only this machine has. */
export interface RoundEvaluator {
  /**
   * Finite numbers by any names, such as `auc`; they stay on this machine. An error costs the numbers alone.
   * @param round the model as the base of training, and the time for measuring it
   */
  evaluate(round: TrainingRound): Promise<Readonly<Record<string, number>>>;
}

/** What a round's training is for, and how long it may take. */
export interface RoundTerms {
  readonly baseDigest: Hex;
  readonly secondsLeft: number;
}
