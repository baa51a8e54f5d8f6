/**
 * How far federated training stays behind the same training in one place: the mean over seeds, with its confidence
 * interval. Each seed deals the data, draws the first weights and the batches anew, and chooses learning rate and
 * epochs, for either side by itself, by cross-validation over the clients of the training data (gap/choice.ts). The
 * test data is looked at once for each seed and side.
 *
 *   node experiments/federated-gap.ts --task tasks/activity.json --clients 8
 *     --data "activity?features=haar&partition=group"
 */
import { integerWithin, positiveInteger, positiveNumber } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { createTrainer } from "../learning/trainer.ts";
import { readSpecification } from "../operator/read-specification.ts";
import { parseSpecification } from "../task/create-task.ts";
import { candidatesOf } from "./gap/choice.ts";
import { compare } from "./gap/compare.ts";
import type { Side } from "./gap/compare.ts";

/** Student's quantile of 97.5 % by degrees of freedom, from 1. */
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly alpha?: number;
  readonly seeds: number;
  readonly rates: readonly number[];
  readonly epochs: readonly number[];
}

const list =
  (one: (text: string) => number) =>
  (text: string): readonly number[] =>
    text.split(",").map(one);

const { task, data, clients, alpha, seeds, rates, epochs } = createProgram(
  "federated-gap",
  "federated training beside one place",
)
  .requiredOption("--task <file>")
  .requiredOption("--data <data>", "as for the client, without a shard")
  .option("--clients <n>", "shards of the data", positiveInteger, 5)
  .option("--alpha <a>", "label skew; IID without it", positiveNumber)
  .option("--seeds <n>", "runs", integerWithin(2, STUDENT.length + 1), 5)
  .option("--rates <list>", "learning rates to choose from", list(positiveNumber), [0.005, 0.01, 0.02, 0.05])
  .option("--epochs <list>", "epochs of a round to choose from", list(positiveInteger), [5, 20])
  .parse()
  .opts<Flags>();

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const accuracyOf = ({ test }: Side): number => test.accuracy;
const words = (side: Side): string =>
  `${percent(accuracyOf(side))} (balanced ${percent(side.test.balancedAccuracy)}; rate ${side.candidate.learningRate}, ${side.candidate.localEpochs} epochs)`;

/** @example "1.2 (95 % confidence: -0.3 to 2.7)" */
function interval(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = STUDENT[values.length - 2]! * Math.sqrt(variance / values.length);
  const [middle, low, high] = [mean, mean - half, mean + half].map((value) => (value * 100).toFixed(1));
  return `${middle} (95 % confidence: ${low} to ${high})`;
}

const started = performance.now();
const written = parseSpecification(await readSpecification(task));
const trainer = await createTrainer(written.document.model);
const candidates = candidatesOf(rates, epochs);
const [federated, central]: [number[], number[]] = [[], []];
for (let seed = 1; seed <= seeds; seed++) {
  const dealing = { clients, seed, alpha, samples: undefined, testSamples: undefined };
  const specification = { ...written, initialSeed: seed };
  const found = await compare(specification, candidates, { trainer, data, dealing, random });
  if (seed === 1)
    write(
      `training examples ${found.trainingExamples.join(" ")}, ${found.testExamples} test examples, ${written.maxRounds} rounds, ${candidates.length} candidates, majority class ${percent(found.central.test.majority)}`,
    );
  write(`seed ${seed}: federated ${words(found.federated)}, in one place ${words(found.central)}`);
  federated.push(accuracyOf(found.federated));
  central.push(accuracyOf(found.central));
}
write(`federated ${interval(federated)}, in one place ${interval(central)} per cent`);
write(
  `behind by ${interval(central.map((accuracy, i) => accuracy - federated[i]!))} points, ${seeds} seeds, ${((performance.now() - started) / 60_000).toFixed(1)} minutes`,
);
