/**
 * Wall time until a model is good enough, with real processes and proofs, where some clients are slow: rounds that wait
 * for everybody, and buffers. Each slow client trains ten times as long as a fast one took, measured in the same run,
 * to train and to prove its first update. Writes docs/data/buffers-wall.json and its chart.
 *
 *   node experiments/buffers-wall.ts --task tasks/digits-buffer.json --data digits --runs 5
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { positiveInteger, positiveNumber } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { Processes } from "../demo/processes.ts";
import { buildContracts } from "../operator/build-contracts.ts";
import { readSpecification } from "../operator/read-specification.ts";
import { parseSpecification } from "../task/create-task.ts";
import type { TaskSpecification } from "../task/create-task.ts";
import { renderChart } from "./bench/chart.ts";
import { secondsOf, wallChart } from "./buffers/wall-report.ts";
import type { TimedRun } from "./buffers/wall-report.ts";
import { runUntilGood } from "./buffers/wall-run.ts";
import type { WallOptions, WallResult } from "./buffers/wall-run.ts";

const OUTPUT = fileURLToPath(new URL("../docs/data/buffers-wall.json", import.meta.url));
const PLOT = fileURLToPath(new URL("../docs/plots/buffers-wall.svg", import.meta.url));
const FIRST_SEED = 7;
/** Nothing but the slow clients is to end the barrier's rounds. */
const COLLECT_SECONDS = 1200;

interface Flags extends Omit<WallOptions, "seed"> {
  readonly task: string;
  readonly goal: number;
  readonly runs: number;
}

await createProgram("buffers-wall", "wall time of barriers and buffers, with processes and proofs")
  .requiredOption("--task <file>", "with rounds.bufferGoal")
  .requiredOption("--data <data>", "as for the client, without a shard")
  .option("--clients <n>", "at most 15", positiveInteger, 10)
  .option("--slow <n>", "clients that are slow", positiveInteger, 2)
  .option("--times <factor>", "how many times slower they are", positiveNumber, 10)
  .option("--goal <n>", "submissions at which a buffer closes", positiveInteger, 8)
  .option("--target <accuracy>", "what is to be reached", positiveNumber, 0.95)
  .option("--runs <n>", "of each, the median counts", positiveInteger, 5)
  .action(async (flags: Flags) => {
    const reporter = createReporter("text", "buffers", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      await buildContracts();
      const { rounds, ...asked } = parseSpecification(await readSpecification(flags.task));
      const common = { ...asked, maxRounds: 0, windowSeconds: { ...asked.windowSeconds, collect: COLLECT_SECONDS } };
      const buffer = { ...rounds, bufferGoal: flags.goal };
      const { staleness: _, ...training } = common.document.training;
      const ways = {
        barrier: { ...common, document: { ...common.document, training } },
        buffer: { ...common, rounds: buffer },
      } as Readonly<Record<string, TaskSpecification>>;
      const results: TimedRun[] = [];
      for (let run = 0; run < flags.runs; run++)
        for (const [way, specification] of Object.entries(ways)) {
          const result = await inItsFolder(specification, { ...flags, seed: FIRST_SEED + run });
          const { seconds } = result.models.at(-1)!;
          results.push({ way, seconds, result });
          process.stdout.write(
            `${way}, run ${run + 1}: ${seconds.toFixed(1)} s in ${result.models.length} rounds; a fast client took ${result.fastSeconds.toFixed(1)} s; ${result.dropped} updates dropped\n`,
          );
          await writeFile(OUTPUT, `${JSON.stringify({ flags, results }, null, 2)}\n`);
        }
      const names = Object.keys(ways);
      for (const way of names)
        process.stdout.write(`${way}: median ${secondsOf(results, way).toFixed(1)} s of ${flags.runs}\n`);
      await writeFile(PLOT, renderChart(wallChart(results, names, flags)));
    });
  })
  .parseAsync();

async function inItsFolder(specification: TaskSpecification, options: WallOptions): Promise<WallResult> {
  const processes = new Processes();
  const directory = await mkdtemp(join(tmpdir(), "verisum-wall-"));
  const noise: string[] = [];
  try {
    return await runUntilGood(specification, options, { processes, directory, noise });
  } catch (error) {
    for (const line of noise.slice(-20)) process.stderr.write(`${line}\n`);
    throw error;
  } finally {
    await processes.stopAll();
    await rm(directory, { recursive: true, force: true });
  }
}
