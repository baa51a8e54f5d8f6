/**
 * Federated rounds as the protocol would run them, without the protocol: the clients' own learner and quantisation, the
 * sum of integers, the server's rule. What it leaves out (shares, proofs, chain) never changes a model.
 */
import type { Evaluation } from "../learning/evaluation.ts";
import type { Dataset } from "../learning/examples.ts";
import type { Trainer } from "../learning/trainer.ts";
import type { TaskSpecification } from "../task/create-task.ts";
import type { TaskDocument } from "../task/document.ts";
import { clipNormOf, serverStepOf, weightsOf } from "../task/model-vector.ts";
import { createLearner } from "../client/learner.ts";
import type { LocalLearner } from "../client/make-submission.ts";
import { engineTrainer } from "../client/trainers/engine.ts";
import { modelDigest } from "../protocol/model.ts";
import { initialState, nextModel } from "../protocol/next-model.ts";
import { coordinateOffset, PRESETS } from "../protocol/parameters.ts";
import type { RandomBytes } from "../protocol/random.ts";

/** What one client's update looked like before it was quantised; norms in the document's quantisation steps. */
export interface UpdateFigures {
  readonly normSteps: number;
  readonly largestSteps: number;
  /** Coordinates beyond the preset's range: they are clamped. */
  readonly clamped: number;
}

/** The new model's evaluation on the test data, and what the round took. */
export interface RoundResult {
  readonly round: number;
  readonly evaluation: Evaluation;
  readonly seconds: number;
  /** To which the round's updates were clipped, in units of the weights. */
  readonly clipNorm: number;
  readonly updates: readonly UpdateFigures[];
}

export interface FederationDependencies {
  readonly trainer: Trainer;
  /** One data set for each client; all have weight 1. */
  readonly shards: readonly Dataset[];
  /** Clients of each round, who take turns in the order of the shards; all of them if absent. */
  readonly cohort?: number;
  readonly test: Dataset;
  readonly random: RandomBytes;
  /** @param weights of the new model */
  onRound(result: RoundResult, weights: Float32Array): void;
}

/** Runs rounds from the specification's initial weights. @throws what training and quantisation throw */
export async function runFederation(
  specification: Pick<TaskSpecification, "document" | "initialSeed">,
  rounds: number,
  deps: FederationDependencies,
): Promise<RoundResult[]> {
  const { trainer, test, onRound, cohort = deps.shards.length } = deps;
  const document: TaskDocument = { ...specification.document, version: 1, keysCid: `0x${"0".repeat(64)}` };
  const learners = learnersOf(document, deps);
  const adaptive = document.quantisation.adaptive !== undefined;
  let state = initialState(trainer.initialWeights(specification.initialSeed), document.server, adaptive ? 1 : 0);
  const results: RoundResult[] = [];
  for (let round = 1; round <= rounds; round++) {
    const started = performance.now();
    const base = state;
    const sums = new Int32Array(base.weights.length);
    const updates: UpdateFigures[] = [];
    for (let place = 0; place < cohort; place++) {
      const learner = learners[((round - 1) * cohort + place) % learners.length]!;
      const update = await learner.update(base, BigInt(round), {
        baseDigest: modelDigest(base),
        secondsLeft: Infinity,
      });
      updates.push(figuresOf(update, document));
      learner.quantise(update, base).forEach((value, i) => (sums[i] = sums[i]! + value));
    }
    state = nextModel(base, sums, cohort, serverStepOf(document));
    const evaluation = await trainer.evaluate(weightsOf(document, state), test);
    const result = {
      evaluation,
      round,
      seconds: (performance.now() - started) / 1000,
      clipNorm: clipNormOf(document, base),
      updates,
    };
    results.push(result);
    onRound(result, weightsOf(document, state));
  }
  return results;
}

/** A learner for each client's data, as a client has it. */
export function learnersOf(
  document: TaskDocument,
  { trainer, shards, random }: Pick<FederationDependencies, "trainer" | "shards" | "random">,
): LocalLearner[] {
  const reporter = { say: () => undefined, wait: () => undefined };
  const tensors = trainer.parameterShapes;
  return shards.map((data) => {
    const own = engineTrainer({ engine: trainer, data, document, tensors, random });
    return createLearner({ trainer: own, document, tensors, random, reporter });
  });
}

function figuresOf(
  update: Float32Array,
  { preset, quantisation }: Pick<TaskDocument, "preset" | "quantisation">,
): UpdateFigures {
  const steps = 2 ** quantisation.stepBits;
  const limit = coordinateOffset(PRESETS[preset]) - 1;
  let squares = 0;
  let largest = 0;
  let clamped = 0;
  for (const value of update) {
    const magnitude = Math.abs(value * steps);
    squares += magnitude * magnitude;
    largest = Math.max(largest, magnitude);
    if (magnitude > limit) clamped++;
  }
  return { normSteps: Math.sqrt(squares), largestSteps: largest, clamped };
}
