/**
 * Accuracy against epsilon for client-level differential privacy: a task's own learning settings with cohorts of
 * several sizes, all of them honest, on the finest grid that holds the noise. Simulated: encoding, rounding, noise,
 * bounds, sums and the server's rule are those of a round; there are no shares, no proofs and no chain. Rows replace
 * those of the same task, clients and epsilon. With `--registered`, more clients take turns in cohorts of `--clients`,
 * and `--rounds-per-client` is the task's limit, for which its noise is.
 *
 *   node experiments/privacy/client-level.ts --task tasks/digits-cohort.json --data digits --clients 10,30,100 --seeds
 *   5 node experiments/privacy/client-level.ts --task tasks/fashion-cohort.json --data
 *   "/usr/share/datasets/fashion-mnist?features=hog" --clients 100,1000 --seeds 2
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { listOf, numberOrNone, positiveInteger } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import { dataRulesOf } from "../../learning/preprocessing.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { selectExamples } from "../../learning/examples.ts";
import type { Dataset, LoadedData } from "../../learning/examples.ts";
import { partitionIid } from "../../learning/partition.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { Trainer } from "../../learning/trainer.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { clientLevel } from "../../task/mechanisms/client-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { clientLevelEpsilon, noiseVarianceFor } from "../../protocol/privacy/distributed-gaussian.ts";
import type { NoiseSearch } from "../../protocol/privacy/distributed-gaussian.ts";
import { finestGranularity } from "../../protocol/privacy/granularity.ts";
import { roundedNormBoundSquared } from "../../protocol/privacy/noise-bounds.ts";
import { roundsOfOneClient } from "../../task/privacy.ts";
import { readSpecification } from "../../operator/read-specification.ts";
import { runFederation } from "../../demo/federation.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { repeatableBytes } from "./repeatable-bytes.ts";

const OUTPUT = fileURLToPath(new URL("../../docs/data/privacy-client.json", import.meta.url));
/** Seed of the first partition. */
const FIRST_SEED = 7;
/** Exits and sampling errors over a run, far above what they are (docs/privacy.md). */
const TOTAL_VARIATION = 1e-12;
/** Of the clip norm, how large a coordinate may be without being clamped. */
const LARGEST_COORDINATE = 0.25;

/** One point of the plot. */
export interface ClientPrivacyRow {
  readonly task: string;
  /** What the data is, without the place where it lies. */
  readonly data: string;
  readonly parameters: number;
  /** All of them honest, included in every round, and counted on for noise. */
  readonly clients: number;
  readonly rowsPerClient: number;
  /** Of whom each round has `clients`, in turn; absent if these are all. */
  readonly registered?: number;
  /** Rounds that can count one client, if fewer than all: the noise is for so many. */
  readonly roundsPerClient?: number;
  /** What was asked for; null for no noise, with the same clipping. */
  readonly epsilon: number | null;
  /** What the accountant states for the noise used; null as above. */
  readonly epsilonSpent: number | null;
  readonly delta: number;
  readonly rounds: number;
  readonly stepBits: number;
  readonly clipSteps: number;
  /** Of each client's noise on each coordinate, in steps²; null as above. */
  readonly noiseVariance: number | null;
  /** Of the partition and the noise; one run each. */
  readonly seeds: readonly number[];
  /** Test accuracy after the last round, over the seeds. */
  readonly accuracy: { readonly mean: number; readonly min: number; readonly max: number };
  /** The line that repeats the row. */
  readonly command: string;
}

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: readonly number[];
  readonly registered?: number;
  readonly roundsPerClient?: number;
  readonly seeds: number;
  readonly epsilons: readonly (number | null)[];
  readonly out: string;
}

const flags = (
  await createProgram("client-level", "accuracy against epsilon for client-level privacy")
    .requiredOption("--task <file>", "the task's specification")
    .requiredOption("--data <spec>", "as for the client, without a shard")
    .requiredOption("--clients <counts>", "cohorts, separated by commas", listOf(positiveInteger))
    .option("--registered <n>", "who take turns in such cohorts; as many as a cohort if absent", positiveInteger)
    .option("--rounds-per-client <n>", "that can count one client; all if absent", positiveInteger)
    .option("--seeds <n>", "partitions", positiveInteger, 5)
    .option("--epsilons <list>", "separated by commas; none for no noise", listOf(numberOrNone), [1, 3, 8, null])
    .option("--out <file>", "where the rows are kept", OUTPUT)
    .parseAsync()
).opts<Flags>();

const specification = parseSpecification(await readSpecification(flags.task));
const data = await loadDataset(flags.data, dataRulesOf(specification.document));
const trainer = await createTrainer(specification.document.model);
const seeds = Array.from({ length: flags.seeds }, (_, i) => FIRST_SEED + i);
for (const clients of flags.clients) {
  for (const epsilon of flags.epsilons) {
    const row = await measure(specification, trainer, flags.data, data, {
      clients,
      seeds,
      epsilon,
      registered: flags.registered,
      roundsPerClient: flags.roundsPerClient,
    });
    await keep(row, flags.out);
    const { mean, min, max } = row.accuracy;
    process.stdout.write(
      `${row.task}, ${clients} clients, epsilon ${epsilon ?? "none"}: ${[mean, min, max].map((share) => (share * 100).toFixed(2)).join(" / ")} % (mean / min / max of ${seeds.length})\n`,
    );
  }
}

interface Point {
  readonly clients: number;
  readonly seeds: readonly number[];
  readonly epsilon: number | null;
  readonly registered: number | undefined;
  readonly roundsPerClient: number | undefined;
}

/** Runs all rounds of the task, once for each seed. */
async function measure(
  task: TaskSpecification,
  learner: Trainer,
  name: string,
  { train, test }: LoadedData,
  point: Point,
): Promise<ClientPrivacyRow> {
  const { clients, epsilon, registered, roundsPerClient } = point;
  const { document, epsilonSpent, noiseVariance } = encodingFor(task, learner.parameterCount, point);
  const accuracies: number[] = [];
  for (const seed of point.seeds) {
    const results = await runFederation({ ...task, document }, task.maxRounds, {
      trainer: learner,
      shards: dealt(train, clients, registered ?? clients, seed),
      cohort: clients,
      test,
      random: repeatableBytes(`client-level ${clients} ${seed}`),
      onRound: () => undefined,
    });
    accuracies.push(classEvaluation(results.at(-1)!.evaluation).accuracy);
  }
  return {
    task: document.name,
    data: basename(name),
    parameters: learner.parameterCount,
    clients,
    rowsPerClient: Math.floor(train.exampleCount / (registered ?? clients)),
    ...(registered === undefined ? {} : { registered }),
    ...(roundsPerClient === undefined ? {} : { roundsPerClient }),
    epsilon,
    epsilonSpent,
    delta: deltaOf(task),
    rounds: task.maxRounds,
    ...document.quantisation,
    noiseVariance,
    seeds: point.seeds,
    accuracy: {
      mean: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length,
      min: Math.min(...accuracies),
      max: Math.max(...accuracies),
    },
    command: `node experiments/privacy/client-level.ts --task tasks/${document.name}.json --data "${name.includes("/") ? `/usr/share/datasets/${basename(name)}` : name}" --clients ${clients}${registered === undefined ? "" : ` --registered ${registered}`}${roundsPerClient === undefined ? "" : ` --rounds-per-client ${roundsPerClient}`} --seeds ${point.seeds.length} --epsilons ${epsilon ?? "none"}`,
  };
}

/** As a partition among one cohort, whose every shard is cut among as many clients as there are cohorts. */
function dealt(train: Dataset, clients: number, registered: number, seed: number): Dataset[] {
  const shards = partitionIid(train, clients, seed);
  return Array.from({ length: registered }, (_, client) => {
    const shard = shards[client % clients]!;
    const cohorts = Math.ceil((registered - (client % clients)) / clients);
    const cut = (cohort: number): number => Math.floor((cohort * shard.exampleCount) / cohorts);
    const [from, until] = [cut(Math.floor(client / clients)), cut(Math.floor(client / clients) + 1)];
    return selectExamples(
      shard,
      Array.from({ length: until - from }, (__, i) => from + i),
    );
  });
}

/**
 * The task's document for this cohort: its clip norm on the finest grid, and the noise that the whole cohort shares.
 */
function encodingFor(
  task: TaskSpecification,
  dimension: number,
  { clients, epsilon, roundsPerClient = task.maxRounds }: Point,
): Pick<TaskSpecification, "document"> & {
  readonly epsilonSpent: number | null;
  readonly noiseVariance: number | null;
} {
  const { document, maxRounds } = task;
  const delta = deltaOf(task);
  const { privacy: _, ...training } = document.training;
  if (epsilon === null) return { document: { ...document, training }, epsilonSpent: null, noiseVariance: null };
  const searchFor = (clipSteps: number): NoiseSearch => ({
    honestClients: { least: clients, most: clients },
    l2SensitivitySteps: Math.sqrt(Number(roundedNormBoundSquared(clipSteps, dimension))),
    dimension,
    rounds: roundsOfOneClient(maxRounds, roundsPerClient),
  });
  const clipNorm = document.quantisation.clipSteps / 2 ** document.quantisation.stepBits;
  const { stepBits, clipSteps, noiseVariance } = finestGranularity({
    clipNorm,
    largestCoordinate: clipNorm * LARGEST_COORDINATE,
    dimension,
    coordinateBits: PRESETS[document.preset].coordinateBits,
    varianceFor: (steps) => noiseVarianceFor(epsilon, delta, searchFor(steps), () => TOTAL_VARIATION),
  });
  const spent = clientLevelEpsilon(
    { ...searchFor(clipSteps), noiseStdDevSteps: Math.sqrt(noiseVariance), totalVariation: TOTAL_VARIATION },
    delta,
  );
  return {
    document: {
      ...document,
      training: { ...training, privacy: { unit: "client", noiseVariance, delta } },
      quantisation: { stepBits, clipSteps },
    },
    epsilonSpent: spent.epsilon,
    noiseVariance,
  };
}

function deltaOf({ document: { name, training } }: TaskSpecification): number {
  const privacy = settingsOf(clientLevel, training.privacy);
  if (privacy === undefined) throw new VerisumError("USAGE", `${name} has no client-level privacy`);
  return privacy.delta;
}

/** Adds a row to the file, in place of an earlier one of the same point. */
async function keep(row: ClientPrivacyRow, file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "[]");
  const pointOf = ({ task, clients, epsilon, registered, roundsPerClient }: ClientPrivacyRow): string =>
    [task, clients, epsilon, registered, roundsPerClient].join();
  const rows = (JSON.parse(text) as ClientPrivacyRow[]).filter((kept) => pointOf(kept) !== pointOf(row));
  rows.push(row);
  rows.sort(
    (a, b) =>
      a.task.localeCompare(b.task) || a.clients - b.clients || (a.epsilon ?? Infinity) - (b.epsilon ?? Infinity),
  );
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
}
