/**
 * One model against an ensemble of the same description, trained by the same clients in the same rounds: accuracy,
 * calibration, and how often two members disagree. Without noise; with `--hidden` of a network of
 * dense layers in place of the task's model.
 *
 *   node experiments/ensembles.ts --task tasks/digits.json --data digits
 */
import { integerWithin, listOf, positiveInteger, positiveNumber } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { runFederation } from "../demo/federation.ts";
import { shardSpecification } from "../demo/shards.ts";
import { dataRulesOf } from "../learning/preprocessing.ts";
import { calibrationOf, largestIn } from "../learning/calibration.ts";
import { loadDataset } from "../learning/dataset.ts";
import { classEvaluation } from "../learning/evaluation.ts";
import type { Dataset } from "../learning/examples.ts";
import { parseMember } from "../learning/model.ts";
import type { Model } from "../learning/model.ts";
import { createTrainer } from "../learning/trainer.ts";
import { readSpecification } from "../operator/read-specification.ts";
import { parseSpecification } from "../task/create-task.ts";
import type { TaskSpecification } from "../task/create-task.ts";

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly hidden?: readonly number[];
  readonly members: number;
  readonly clients: number;
  readonly alpha?: number;
  readonly samples?: number;
  readonly rounds: number;
  readonly seeds: number;
}

const flags = createProgram("ensembles", "one model against an ensemble of it")
  .requiredOption("--task <file>")
  .requiredOption("--data <data>", "as for the client, without a shard")
  .option("--hidden <list>", "units of hidden layers, in place of the task's model", listOf(positiveInteger))
  .option("--members <n>", "of the ensemble", integerWithin(2, 64), 5)
  .option("--clients <n>", "shards of the data", positiveInteger, 5)
  .option("--alpha <a>", "label skew; IID without it", positiveNumber)
  .option("--samples <n>", "examples of a client at most", positiveInteger)
  .option("--rounds <n>", "rounds", positiveInteger, 5)
  .option("--seeds <n>", "runs", positiveInteger, 3)
  .parse()
  .opts<Flags>();

/** Of one trained model on the test data. */
interface Figures {
  readonly accuracy: number;
  readonly loss: number;
  readonly calibrationError: number;
  readonly brierScore: number;
  /** Share of the test examples to which two members give other answers, over all pairs; 0 of a single model. */
  readonly disagreement: number;
  readonly seconds: number;
}

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const written = parseSpecification(await readSpecification(flags.task));
const { privacy: _, ...training } = written.document.training;
const single =
  flags.hidden === undefined ? written.document.model : networkOf(parseMember(written.document.model), flags.hidden);
const models = {
  one: single,
  [`${flags.members} members`]: { kind: "ensemble", members: flags.members, member: single },
};
write("| model | accuracy | loss | calibration error | Brier score | disagreement | s a round |");
write("| --- | --- | --- | --- | --- | --- | --- |");
for (const [name, model] of Object.entries(models)) {
  const runs: Figures[] = [];
  for (let seed = 1; seed <= flags.seeds; seed++) {
    const specification = { ...written, initialSeed: seed, document: { ...written.document, model, training } };
    runs.push(await figuresOf(specification, seed));
  }
  const mean = (of: (run: Figures) => number): number => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const percent = (of: (run: Figures) => number): string => `${(mean(of) * 100).toFixed(2)} %`;
  write(
    `| ${name} | ${percent((run) => run.accuracy)} | ${mean((run) => run.loss).toFixed(4)} | ${percent((run) => run.calibrationError)} | ${mean((run) => run.brierScore).toFixed(4)} | ${percent((run) => run.disagreement)} | ${mean((run) => run.seconds).toFixed(1)} |`,
  );
}

function networkOf(
  { inputShape, classCount }: Model,
  hidden: readonly number[],
): TaskSpecification["document"]["model"] {
  return { kind: "mlp", inputShape, hidden, classCount };
}

async function figuresOf(specification: TaskSpecification, seed: number): Promise<Figures> {
  const { document } = specification;
  const { clients, alpha, samples, rounds, data } = flags;
  const loaded = [];
  for (let client = 0; client < clients; client++)
    loaded.push(
      await loadDataset(
        shardSpecification(data, client, { clients, seed, alpha, samples, testSamples: undefined }),
        dataRulesOf(document),
      ),
    );
  const { test } = loaded[0]!;
  const trainer = await createTrainer(document.model);
  let weights = new Float32Array();
  const results = await runFederation(specification, rounds, {
    ...{ trainer, test, random, shards: loaded.map(({ train }) => train) },
    onRound: (_result, model) => void (weights = model.slice()),
  });
  const { accuracy, loss } = classEvaluation(results.at(-1)!.evaluation);
  const calibration = calibrationOf(await trainer.predict(weights, test), test.labels, test.classCount);
  return {
    ...{ accuracy, loss, brierScore: calibration.brierScore },
    calibrationError: calibration.expectedCalibrationError,
    disagreement: await disagreementOf(weights, test, document.model === single ? 1 : flags.members),
    seconds: results.reduce((sum, result) => sum + result.seconds, 0) / results.length,
  };
}

async function disagreementOf(weights: Float32Array, test: Dataset, members: number): Promise<number> {
  const trainer = await createTrainer(single);
  const size = trainer.parameterCount;
  const answers: (readonly number[])[] = [];
  for (let i = 0; i < members; i++) {
    const found = await trainer.predict(weights.slice(i * size, (i + 1) * size), test);
    const width = found.length / test.exampleCount;
    answers.push(
      Array.from({ length: test.exampleCount }, (_, row) => largestIn(found.subarray(row * width, (row + 1) * width))),
    );
  }
  let [pairs, different] = [0, 0];
  answers.forEach((one, i) =>
    answers.slice(i + 1).forEach((other) => {
      pairs += test.exampleCount;
      different += one.filter((answer, row) => answer !== other[row]).length;
    }),
  );
  return pairs === 0 ? 0 : different / pairs;
}
