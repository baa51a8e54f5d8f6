/**
 * How far federated training stays behind the same training in one place: the mean over seeds, with its confidence
 * interval. Each seed deals the data, draws the first weights and the batches anew.
 *
 *   node experiments/federated-gap.ts --task tasks/activity.json --clients 8
 *     --data "activity?features=haar&partition=group"
 */
import { integerWithin, positiveInteger, positiveNumber } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { centralAccuracy } from "../demo/central.ts";
import { runFederation } from "../demo/federation.ts";
import { shardSpecification } from "../demo/shards.ts";
import { loadDataset } from "../learning/dataset.ts";
import { classEvaluation } from "../learning/evaluation.ts";
import { createTrainer } from "../learning/trainer.ts";
import { readSpecification } from "../operator/read-specification.ts";
import { parseSpecification } from "../task/create-task.ts";

/** Student's quantile of 97.5 % by degrees of freedom, from 1. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly alpha?: number;
  readonly seeds: number;
}

const { task, data, clients, alpha, seeds } = createProgram("federated-gap", "federated training beside one place")
  .requiredOption("--task <file>")
  .requiredOption("--data <data>", "as for the client, without a shard")
  .option("--clients <n>", "shards of the data", positiveInteger, 5)
  .option("--alpha <a>", "label skew; IID without it", positiveNumber)
  .option("--seeds <n>", "runs", integerWithin(2, STUDENT.length + 1), 5)
  .parse()
  .opts<Flags>();

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const started = performance.now();
const written = parseSpecification(await readSpecification(task));
const trainer = await createTrainer(written.document.model);
const gaps: number[] = [];
for (let seed = 1; seed <= seeds; seed++) {
  const specification = { ...written, initialSeed: seed };
  const dealing = { clients, seed, alpha, samples: undefined, testSamples: undefined };
  const loaded = [];
  for (let client = 0; client < clients; client++)
    loaded.push(
      await loadDataset(
        shardSpecification(data, client, dealing),
        written.document.data ?? written.document.preprocessing,
      ),
    );
  const { test } = loaded[0]!;
  const results = await runFederation(specification, written.maxRounds, {
    trainer,
    shards: loaded.map(({ train }) => train),
    test,
    random,
    onRound: () => undefined,
  });
  const federated = classEvaluation(results.at(-1)!.evaluation).accuracy;
  const central = await centralAccuracy(specification, written.maxRounds, data, dealing);
  gaps.push(central - federated);
  if (seed === 1)
    write(
      `training examples ${loaded.map(({ train }) => train.exampleCount).join(" ")}, ${test.exampleCount} test examples, ${written.maxRounds} rounds`,
    );
  write(`seed ${seed}: federated ${percent(federated)}, in one place ${percent(central)}`);
}
const mean = gaps.reduce((sum, gap) => sum + gap, 0) / seeds;
const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / (seeds - 1);
const half = STUDENT[seeds - 2]! * Math.sqrt(variance / seeds);
write(
  `behind by ${(mean * 100).toFixed(1)} points (95 % confidence: ${((mean - half) * 100).toFixed(1)} to ${((mean + half) * 100).toFixed(1)}), ${seeds} seeds, ${((performance.now() - started) / 60_000).toFixed(1)} minutes`,
);
