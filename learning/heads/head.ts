/**
 * A model's head: what its outputs mean, how far they are from what was to be answered, and how good they are over many
 * examples. Each is one file in this folder and one entry in the list registry.ts.
 */
import type { Evaluation } from "../evaluation.ts";
import type { Operations } from "../export/operations.ts";
import type { Dataset } from "../examples.ts";

/** What is to be answered for examples, one after the other. */
export type Answers = Pick<Dataset, "labels" | "targets" | "weights">;

/** What a head looks at, to see whether it can learn from data. */
export type AnsweredData = Answers & Pick<Dataset, "exampleCount" | "classCount" | "targetScaling">;

export interface Head {
  /** Outputs of the model's last layer. */
  readonly outputCount: number;
  /** In words, for messages: `10 classes`. */
  readonly answers: string;
  /** Whether the data has answers of this kind. */
  takes(data: Pick<AnsweredData, "classCount" | "targets">): boolean;
  /** Of each example's row of [examples, outputCount]: the loss, weight included, and its gradient in the row. */
  losses(outputs: Float32Array, answers: Answers): { readonly losses: Float64Array; readonly errors: Float32Array };
  /** Outputs whose `predictions` are the mean of those of several outputs of one shape. */
  combine(outputs: readonly Float32Array[]): Float32Array;
  /** Outputs as answers: probabilities of classes, or values in the targets' scale; of the outputs' shape. */
  predictions(outputs: Float32Array): Float32Array;
  /** `predictions`, for programs that know nothing of this one. */
  express<Value>(operations: Operations<Value>, outputs: Value): Value;
  /** The outputs whose predictions these are: `combine`, from the mean of predictions. */
  expressOutputs<Value>(operations: Operations<Value>, predictions: Value): Value;
  /** Counts over all of the data. */
  tally(data: AnsweredData): Tally;
}

/** Counts of a run over examples. */
export interface Tally {
  /** @param example its place in the data. @param outputs of this example; kept until the end of the call only */
  add(example: number, outputs: Float32Array): void;
  /** Of all that was added, one example at least. */
  evaluation(loss: number): Evaluation;
}
