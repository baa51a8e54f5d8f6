/** Federated training and the same training in one place, of one deal of the data. */
import { runFederation } from "../../demo/federation.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { dataRulesOf } from "../../learning/preprocessing.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import type { ClassEvaluation } from "../../learning/evaluation.ts";
import type { Dataset } from "../../learning/examples.ts";
import type { Trainer } from "../../learning/trainer.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { shardSpecification } from "../../demo/shards.ts";
import type { Dealing } from "../../demo/shards.ts";
import { chosen, foldsOf, joined } from "./choice.ts";
import type { Candidate } from "./choice.ts";

export interface Side {
  readonly candidate: Candidate;
  /** Of the test data, which had no part in the choice. */
  readonly test: ClassEvaluation;
}

export interface Comparison {
  readonly federated: Side;
  readonly central: Side;
  /** Training examples of each client, and test examples. */
  readonly trainingExamples: readonly number[];
  readonly testExamples: number;
}

/**
 * Each side chooses its own learning rate and epochs; what the task's document says of them is left aside. In one place
 * training takes as many epochs as a client does in all rounds, and no noise.
 * @throws what loading and training throw
 */
export async function compare(
  specification: TaskSpecification,
  candidates: readonly Candidate[],
  { trainer, data, dealing, random }: Setting,
): Promise<Comparison> {
  const { document } = specification;
  const rules = dataRulesOf(document);
  const shards: Dataset[] = [];
  let test: Dataset | undefined;
  for (let client = 0; client < dealing.clients; client++) {
    const loaded = await loadDataset(shardSpecification(data, client, dealing), rules);
    shards.push(loaded.train);
    test ??= loaded.test;
  }
  const federate = async (candidate: Candidate, own: readonly Dataset[], on: Dataset): Promise<ClassEvaluation> => {
    const training = { ...document.training, ...candidate };
    const asked = { ...specification, document: { ...document, training } };
    const deps = { trainer, shards: own, test: on, random, onRound: () => undefined };
    return classEvaluation((await runFederation(asked, specification.maxRounds, deps)).at(-1)!.evaluation);
  };
  const gather = async (candidate: Candidate, own: readonly Dataset[], on: Dataset): Promise<ClassEvaluation> => {
    const { momentum, batchSize } = document.training;
    const { weights } = await trainer.train(trainer.initialWeights(specification.initialSeed), joined(own), {
      momentum,
      batchSize,
      learningRate: candidate.learningRate,
      localEpochs: candidate.localEpochs * specification.maxRounds,
      seed: dealing.seed,
    });
    return classEvaluation(await trainer.evaluate(weights, on));
  };
  const side = async (run: typeof federate): Promise<Side> => {
    const candidate = await chosen(candidates, foldsOf(shards), (one, { training, validation }) =>
      lossOr(run(one, training, validation)),
    );
    return { candidate, test: await run(candidate, shards, test!) };
  };
  return {
    federated: await side(federate),
    central: await side(gather),
    trainingExamples: shards.map(({ exampleCount }) => exampleCount),
    testExamples: test!.exampleCount,
  };
}

interface Setting {
  readonly trainer: Trainer;
  /** As for the client, without a shard. */
  readonly data: string;
  readonly dealing: Dealing;
  readonly random: RandomBytes;
}

/** Not a number of a candidate whose training diverges. */
async function lossOr(evaluation: Promise<ClassEvaluation>): Promise<number> {
  try {
    return (await evaluation).loss;
  } catch (error) {
    if (isVerisumError(error) && error.entry.failedTraining === true) return NaN;
    throw error;
  }
}
