/**
 * How a learning rate and a number of epochs are chosen without the test data: by cross-validation over clients. Each
 * quarter of the clients, or each client of fewer than four, is held out in turn: they train nothing, and their
 * examples are the validation part. The candidate with the least mean loss over all validation parts is taken, the
 * earlier of equal ones.
 */
import { ensure } from "../../protocol/errors.ts";
import { gatherExamples } from "../../learning/examples.ts";
import type { Dataset } from "../../learning/examples.ts";

export interface Candidate {
  readonly learningRate: number;
  readonly localEpochs: number;
}

/** All pairs, smaller learning rates first. */
export function candidatesOf(learningRates: readonly number[], epochs: readonly number[]): Candidate[] {
  const ascending = (a: number, b: number): number => a - b;
  return learningRates
    .toSorted(ascending)
    .flatMap((learningRate) => epochs.toSorted(ascending).map((localEpochs) => ({ learningRate, localEpochs })));
}

const FOLDS = 4;

export interface Fold {
  readonly training: readonly Dataset[];
  readonly validation: Dataset;
}

/** Shards are dealt in a seeded order; each is in one validation part. @throws USAGE for fewer than two shards */
export function foldsOf(shards: readonly Dataset[]): Fold[] {
  ensure(shards.length >= 2, "USAGE", "a choice needs two clients at least: one to train, one to validate");
  const count = Math.min(FOLDS, shards.length);
  return Array.from({ length: count }, (_, fold) => ({
    training: shards.filter((_shard, i) => i % count !== fold),
    validation: joined(shards.filter((_shard, i) => i % count === fold)),
  }));
}

/** @param lossOf a candidate's mean loss on a validation part; what is no number is worse than any */
export async function chosen(
  candidates: readonly Candidate[],
  folds: readonly Fold[],
  lossOf: (candidate: Candidate, fold: Fold) => Promise<number>,
): Promise<Candidate> {
  let best: { readonly candidate: Candidate; readonly loss: number } | undefined;
  for (const candidate of candidates) {
    let loss = 0;
    for (const fold of folds) loss += (await lossOf(candidate, fold)) / folds.length;
    if (Number.isFinite(loss) && (best === undefined || loss < best.loss)) best = { candidate, loss };
  }
  ensure(best !== undefined, "TRAINING_DIVERGED", "no candidate gives a finite loss on all validation parts");
  return best.candidate;
}

/** All examples of data sets of one shape, one set after the other. */
export function joined(sets: readonly Dataset[]): Dataset {
  // Windows may share their values.
  const parts = sets.map((set) => gatherExamples(set, [...Array(set.exampleCount).keys()]));
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.features.length, 0));
  const labels = new Int32Array(parts.reduce((sum, { exampleCount }) => sum + exampleCount, 0));
  let [value, example] = [0, 0];
  for (const part of parts) {
    features.set(part.features, value);
    labels.set(part.labels, example);
    value += part.features.length;
    example += part.exampleCount;
  }
  const classCount = Math.max(...parts.map((part) => part.classCount));
  return { ...parts[0]!, features, labels, exampleCount: labels.length, classCount };
}
