/**
 * What waiting for slow clients costs: rounds that wait for everybody beside buffers, over virtual time, with the
 * task's real training and encoding. Writes docs/data/buffers.json and docs/plots/buffers.svg.
 *
 *   node experiments/buffers.ts --task tasks/digits.json --data digits
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { positiveInteger, positiveNumber } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { loadDataset } from "../learning/dataset.ts";
import { partitionIid } from "../learning/partition.ts";
import { dataRulesOf } from "../learning/preprocessing.ts";
import { createTrainer } from "../learning/trainer.ts";
import { readSpecification } from "../operator/read-specification.ts";
import { parseSpecification } from "../task/create-task.ts";
import { renderChart } from "./bench/chart.ts";
import { bufferChart, medianSeconds, rowOf } from "./buffers/report.ts";
import type { BufferRow } from "./buffers/report.ts";
import { runInVirtualTime } from "./buffers/virtual-time.ts";
import type { ClientPace, RoundRules } from "./buffers/virtual-time.ts";
import { repeatableBytes } from "./privacy/repeatable-bytes.ts";

const DATA = fileURLToPath(new URL("../docs/data/buffers.json", import.meta.url));
const PLOT = fileURLToPath(new URL("../docs/plots/buffers.svg", import.meta.url));
const FIRST_SEED = 7;

interface Flags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly slow: number;
  readonly times: number;
  readonly training: number;
  readonly proving: number;
  readonly committee: number;
  readonly goal: number;
  readonly staleness: number;
  readonly exponent: number;
  readonly target: number;
  readonly barriers: number;
  readonly seeds: number;
}

/** A way to run the rounds, and how fast its clients are. */
interface Way {
  readonly name: string;
  readonly slow: ClientPace;
  readonly rules: RoundRules;
}

await createProgram("buffers", "rounds that wait for everybody beside buffers, over virtual time")
  .requiredOption("--task <file>")
  .requiredOption("--data <data>", "as for the client, without a shard")
  .option("--clients <n>", "shards of the data", positiveInteger, 10)
  .option("--slow <n>", "clients that are slow", positiveInteger, 2)
  .option("--times <factor>", "how many times slower they are", positiveNumber, 10)
  .option("--training <seconds>", "of a fast client", positiveNumber, 2)
  .option("--proving <seconds>", "of a fast client", positiveNumber, 1)
  .option("--committee <seconds>", "from the last submission until the next round is open", positiveNumber, 2)
  .option("--goal <n>", "submissions at which a buffer closes", positiveInteger, 8)
  .option("--staleness <n>", "models that a base may be behind", positiveInteger, 8)
  .option("--exponent <a>", "an update of a base that is τ models old counts (1 + τ)^−a times", positiveNumber, 0.5)
  .option("--target <accuracy>", "what is to be reached", positiveNumber, 0.95)
  .option("--barriers <n>", "rounds that wait for everybody; buffers run as long", positiveInteger, 8)
  .option("--seeds <n>", "partitions", positiveInteger, 5)
  .action(async (flags: Flags) => {
    const reporter = createReporter("text", "buffers", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async () => {
      const rows = await rowsOf(flags);
      await writeFile(DATA, `${JSON.stringify({ flags, rows }, null, 2)}\n`);
      await writeFile(PLOT, renderChart(bufferChart(rows, flags.clients, flags.slow, flags.times)));
    });
  })
  .parseAsync();

async function rowsOf(flags: Flags): Promise<BufferRow[]> {
  const { initialSeed, document: asked } = parseSpecification(await readSpecification(flags.task));
  const staleness = { kind: "polynomial", exponent: flags.exponent } as const;
  const document = { ...asked, training: { ...asked.training, staleness } };
  const { train, test } = await loadDataset(flags.data, dataRulesOf(document));
  const trainer = await createTrainer(document.model);
  const fast = { trainingSeconds: flags.training, provingSeconds: flags.proving };
  const rows: BufferRow[] = [];
  for (const { name, slow, rules } of waysOf(flags)) {
    const paces = Array.from({ length: flags.clients }, (_, i) => (i < flags.clients - flags.slow ? fast : slow));
    const runs = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + flags.seeds; seed++)
      runs.push(
        await runInVirtualTime({ document, initialSeed }, paces, rules, {
          trainer,
          shards: partitionIid(train, flags.clients, seed),
          test,
          random: repeatableBytes(`buffers ${seed}`),
          isEnough: ({ seconds }) => seconds >= flags.barriers * barrierSeconds(flags),
        }),
      );
    const row = rowOf({ name, rules }, runs, FIRST_SEED, flags.target);
    rows.push(row);
    process.stdout.write(
      `${name}: ${medianSeconds(row)} s to ${flags.target * 100} %, of ${row.runs.map(({ secondsToTarget }) => secondsToTarget).join(" ")}; ${row.runs.map(({ dropped }) => dropped).join(" ")} dropped\n`,
    );
  }
  return rows;
}

function barrierSeconds({ times, training, proving, committee }: Flags): number {
  return times * (training + proving) + committee;
}

/** A slow client takes as long in each, in training and proving alike or in training alone. */
function waysOf({ clients, times, training, proving, committee, goal, staleness }: Flags): readonly Way[] {
  const everything = { trainingSeconds: times * training, provingSeconds: times * proving };
  const trainingAlone = { trainingSeconds: times * (training + proving) - proving, provingSeconds: proving };
  const rules = { goal, maxStaleness: staleness, minSeparation: 1, minCollectSeconds: 0, committeeSeconds: committee };
  return [
    { name: "barrier", slow: everything, rules: { ...rules, goal: clients, maxStaleness: 0 } },
    { name: "buffer, slow provers", slow: everything, rules: rules },
    { name: "buffer, slow training", slow: trainingAlone, rules },
  ];
}
