/**
 * Accuracy against epsilon for example-level differential privacy: the task's own rounds with the noise that each
 * epsilon needs. Every row is written as soon as it is measured and replaces the one that the same command made; other
 * rows stay.
 *
 *   node experiments/privacy/example-level.ts --task tasks/digits-private.json --data digits --clients 5
 *   node experiments/privacy/example-level.ts --task tasks/fashion-private.json --data
 *   "/usr/share/datasets/fashion-mnist?features=hog" --clients 10 node experiments/privacy/example-level.ts --task
 *   tasks/fashion-pixels.json --data "/usr/share/datasets/fashion-mnist?mean=0.286" --clients 10 --epsilons 3
 */
import { randomFillSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { integerWithin, listOf, numberOrNone, positiveInteger, positiveNumber } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import { dataRulesOf } from "../../learning/preprocessing.ts";
import { loadDataset } from "../../learning/dataset.ts";
import type { LoadedData } from "../../learning/examples.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { exampleLevel } from "../../task/mechanisms/example-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { composedEpsilon, noiseMultiplierFor } from "../../protocol/privacy/rdp-accountant.ts";
import { readSpecification } from "../../operator/read-specification.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { runFederation } from "../../demo/federation.ts";
import { shardSpecification } from "../../demo/shards.ts";
import type { Dealing } from "../../demo/shards.ts";

const OUTPUT = fileURLToPath(new URL("../../docs/data/privacy-example.json", import.meta.url));
/** The least noise that the trainer takes: clipping as in the other rows, and no privacy to speak of. */
const NEXT_TO_NO_NOISE = 0.1;

/** One point of the plot. */
export interface PrivacyRow {
  readonly task: string;
  /** What the data is, without the place where it lies. */
  readonly data: string;
  readonly parameters: number;
  readonly clients: number;
  /** Rows of the smallest and of the largest client. */
  readonly rows: readonly [number, number];
  /** Dirichlet concentration; null for IID. */
  readonly alpha: number | null;
  readonly seed: number;
  /** What was asked for; null for none. */
  readonly epsilon: number | null;
  /** What the accountant states for the noise used; null as above. */
  readonly epsilonSpent: number | null;
  readonly delta: number;
  readonly noiseMultiplier: number;
  readonly samplingRate: number;
  readonly steps: number;
  readonly clipNorm: number;
  readonly learningRate: number;
  /** Test accuracy after each round. */
  readonly accuracies: readonly number[];
  /** The line that repeats the row. */
  readonly command: string;
}

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly alpha?: number;
  readonly seed: number;
  readonly epsilons: readonly (number | null)[];
  readonly out: string;
}

const flags = (
  await createProgram("example-level", "accuracy against epsilon for single records")
    .requiredOption("--task <file>", "the task's specification")
    .requiredOption("--data <spec>", "as for the client, without a shard")
    .requiredOption("--clients <n>", "shards of the data", positiveInteger)
    .option("--alpha <a>", "label skew; IID without it", positiveNumber)
    .option("--seed <n>", "of the partition", integerWithin(0, Number.MAX_SAFE_INTEGER), 7)
    .option("--epsilons <list>", "separated by commas; none for no noise", listOf(numberOrNone), [
      0.5,
      1,
      2,
      3,
      5,
      8,
      null,
    ])
    .option("--out <file>", "where the rows are kept", OUTPUT)
    .parseAsync()
).opts<Flags>();

const specification = parseSpecification(await readSpecification(flags.task));
const dealing: Dealing = {
  clients: flags.clients,
  seed: flags.seed,
  alpha: flags.alpha,
  samples: undefined,
  testSamples: undefined,
};
const loaded: LoadedData[] = [];
for (let client = 0; client < dealing.clients; client++)
  loaded.push(await loadDataset(shardSpecification(flags.data, client, dealing), dataRulesOf(specification.document)));

for (const epsilon of flags.epsilons) {
  const row = await measure(specification, flags.data, loaded, dealing, epsilon);
  await keep(row, flags.out);
  process.stdout.write(
    `${row.task}, epsilon ${row.epsilon ?? "none"} (noise ${row.noiseMultiplier.toFixed(3)}): ${row.accuracies.map((accuracy) => `${(accuracy * 100).toFixed(2)} %`).join(" ")}\n`,
  );
}

/** Runs all rounds of the task with the noise for this epsilon. */
async function measure(
  task: TaskSpecification,
  data: string,
  shards: readonly LoadedData[],
  { clients, seed, alpha }: Dealing,
  epsilon: number | null,
): Promise<PrivacyRow> {
  const { learningRate } = task.document.training;
  const privacy = settingsOf(exampleLevel, task.document.training.privacy);
  if (privacy === undefined) throw new VerisumError("USAGE", `${task.document.name} has no example-level privacy`);
  const { samplingRate, delta, exampleClipNorm: clipNorm } = privacy;
  const steps = privacy.stepsPerRound * task.maxRounds;
  const noiseMultiplier =
    epsilon === null ? NEXT_TO_NO_NOISE : noiseMultiplierFor(epsilon, delta, { samplingRate, steps });
  const noisy = {
    ...task,
    document: { ...task.document, training: { ...task.document.training, privacy: { ...privacy, noiseMultiplier } } },
  };
  const trainer = await createTrainer(task.document.model);
  const results = await runFederation(noisy, task.maxRounds, {
    trainer,
    shards: shards.map(({ train }) => train),
    test: shards[0]!.test,
    random: (length) => randomFillSync(new Uint8Array(length)),
    onRound: () => undefined,
  });
  const sizes = shards.map(({ train }) => train.exampleCount);
  return {
    task: task.document.name,
    data: basename(data),
    parameters: trainer.parameterCount,
    clients,
    rows: [Math.min(...sizes), Math.max(...sizes)],
    alpha: alpha ?? null,
    seed,
    epsilon,
    epsilonSpent: epsilon === null ? null : composedEpsilon([{ noiseMultiplier, samplingRate, steps }], delta).epsilon,
    delta,
    noiseMultiplier,
    samplingRate,
    steps,
    clipNorm,
    learningRate,
    accuracies: results.map(({ evaluation }) => classEvaluation(evaluation).accuracy),
    command: `node experiments/privacy/example-level.ts --task tasks/${task.document.name}.json --data "${data.includes("/") ? `/usr/share/datasets/${basename(data)}` : data}" --clients ${clients}${alpha === undefined ? "" : ` --alpha ${alpha}`} --seed ${seed} --epsilons ${epsilon ?? "none"}`,
  };
}

/** Adds a row to the file, in place of the one with the same command. */
async function keep(row: PrivacyRow, file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "[]");
  const rows = (JSON.parse(text) as PrivacyRow[]).filter(({ command }) => command !== row.command);
  rows.push(row);
  rows.sort(
    (a, b) =>
      a.task.localeCompare(b.task) ||
      (a.alpha ?? Infinity) - (b.alpha ?? Infinity) ||
      (a.epsilon ?? Infinity) - (b.epsilon ?? Infinity),
  );
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
}
