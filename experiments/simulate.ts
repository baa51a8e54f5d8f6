/**
 * What a task's settings reach, before anybody proves anything: the rounds of a federation in one process.
 *
 *   npm run simulate -- --task tasks/fashion-cnn.json --data /usr/share/datasets/fashion-mnist --samples 4000 --clients
 *   5
 */
import { writeFile } from "node:fs/promises";
import { platformRandom as random } from "../command/platform-random.ts";
import { integerWithin, positiveInteger, positiveNumber } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { dataRulesOf } from "../learning/preprocessing.ts";
import { loadDataset } from "../learning/dataset.ts";
import { evaluationText } from "../learning/evaluation.ts";
import { createTrainer } from "../learning/trainer.ts";
import { parseSpecification } from "../task/create-task.ts";
import { mechanismOf } from "../task/mechanisms/registry.ts";
import { dimensionOf } from "../task/model-vector.ts";
import { privacyStatement } from "../task/privacy.ts";
import { VerisumError } from "../protocol/errors.ts";
import { runFederation } from "../demo/federation.ts";
import { shardSpecification } from "../demo/shards.ts";
import { suggestClip } from "./privacy/suggest-clip.ts";
import { readSpecification } from "../operator/read-specification.ts";

/** Clients that one line has room for. */
const MOST_LISTED = 12;

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly seed: number;
  readonly alpha?: number;
  readonly samples?: number;
  readonly rounds?: number;
  readonly json?: string;
  readonly suggestClip?: number;
}

await createProgram("simulate", "run a task's rounds without shares, proofs and chain, and print what they reach")
  .requiredOption("--task <file>")
  .requiredOption("--data <data>", "as for the client, without a shard")
  .option("--clients <n>", "shards of the data", positiveInteger, 5)
  .option("--seed <n>", "of the partition", integerWithin(0, Number.MAX_SAFE_INTEGER), 7)
  .option("--alpha <a>", "label skew; IID without it", positiveNumber)
  .option("--samples <n>", "at most so many rows for each client", positiveInteger)
  .option("--rounds <n>", "the task's maxRounds if absent", positiveInteger)
  .option("--json <file>", "write the rounds as JSON")
  .option(
    "--suggest-clip <quantile>",
    "take the data for a public proxy, and print the clip norm and grid that it suggests to a task with client-level privacy",
    positiveNumber,
  )
  .action(async ({ task, data, clients, seed, alpha, samples, rounds, json, suggestClip: quantile }: Flags) => {
    const reporter = createReporter("text", "simulate", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      const specification = parseSpecification(await readSpecification(task));
      const { document } = specification;
      if (
        quantile === undefined &&
        mechanismOf(document.training.privacy).guarantee?.sharedNoise === true &&
        clients < specification.clients.minHonest
      ) {
        throw new VerisumError(
          "USAGE",
          `epsilon counts on the noise of ${specification.clients.minHonest} honest clients, and --clients is ${clients}`,
          { clients },
        );
      }
      const loaded = [];
      for (let client = 0; client < clients; client++)
        loaded.push(
          await loadDataset(
            shardSpecification(data, client, { clients, seed, alpha, samples, testSamples: undefined }),
            dataRulesOf(document),
          ),
        );
      const trainer = await createTrainer(document.model);
      const privateTask = {
        document,
        parameters: {
          dimension: dimensionOf(document, trainer.parameterCount),
          minHonest: specification.clients.minHonest,
          privacyBudget: BigInt(specification.maxRounds),
          maxRoundsPerClient: specification.clients.maxRoundsPerClient,
        },
      };
      const write = (line: string): void => void process.stdout.write(`${line}\n`);
      if (quantile !== undefined) {
        const epsilon = privacyStatement(privateTask, 0)?.budget.epsilon ?? NaN;
        const { clipNorm, stepBits, clipSteps, noiseVariance } = await suggestClip(specification, epsilon, quantile, {
          trainer,
          shards: loaded.map(({ train }) => train),
          test: loaded[0]!.test,
          random,
        });
        write(
          `quantile ${quantile} of the update norms is ${clipNorm.toPrecision(3)}; noise variance ${noiseVariance} for epsilon ${epsilon}`,
        );
        write(`"quantisation": { "stepBits": ${stepBits}, "clipSteps": ${clipSteps} }`);
        return;
      }
      write(
        `${trainer.parameterCount} weights on ${trainer.backend}; rows ${listed(loaded.map(({ train }) => train.exampleCount))}; clip norm ${document.quantisation.clipSteps} steps of 2^-${document.quantisation.stepBits}`,
      );
      const results = await runFederation(specification, rounds ?? specification.maxRounds, {
        trainer,
        shards: loaded.map(({ train }) => train),
        test: loaded[0]!.test,
        random,
        onRound: ({ round, seconds, clipNorm, updates, evaluation }) => {
          const norms = listed(updates.map(({ normSteps }) => normSteps));
          const largest = Math.max(...updates.map(({ largestSteps }) => largestSteps)).toFixed(0);
          const clamped = updates.reduce((sum, update) => sum + update.clamped, 0);
          const epsilon = privacyStatement(privateTask, round)?.epsilon;
          write(
            `round ${round}: ${evaluationText(evaluation)}, loss ${evaluation.loss.toFixed(3)}, ${seconds.toFixed(1)} s; clip norm ${clipNorm.toPrecision(3)}, update norms ${norms}, largest coordinate ${largest}, ${clamped} clamped${epsilon === undefined ? "" : `; epsilon ${epsilon}`}`,
          );
        },
      });
      if (json !== undefined) await writeFile(json, `${JSON.stringify(results, null, 2)}\n`);
    });
  })
  .parseAsync();

/** Whole numbers; of more than a line holds the least, the median and the most. */
function listed(values: readonly number[]): string {
  if (values.length <= MOST_LISTED) return values.map((value) => value.toFixed(0)).join(" ");
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[0]!.toFixed(0)} to ${sorted.at(-1)!.toFixed(0)}, median ${sorted[sorted.length >> 1]!.toFixed(0)}`;
}
