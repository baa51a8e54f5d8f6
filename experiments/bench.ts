/**
 * Measures complete rounds: client stages, members, aggregator, gas, bytes and memory.
 *
 *   npm run bench                                    tables for d = 2,410, 10,000 and 100,000
 *   npm run bench -- --d 2410 --json rows.json       one size, and its row as JSON
 *   npm run bench -- --d 2410 --clients 2,10,100     one size, rounds of 2, 10 and 100 clients
 *   npm run bench -- --write-docs                    docs/bench.md, its plots and its data, up to d = 1,199,882
 *   npm run bench -- --check                         ratios to yardsticks against test/vectors/bench-ratios.json
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { platformRandom as random } from "../command/platform-random.ts";
import { listOf, positiveInteger } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { SMALLEST_COMMITTEE } from "./bench/bench-task.ts";
import type { KernelReport } from "./bench/kernel-report.ts";
import { describeMachine } from "./bench/machine.ts";
import { measureAll } from "./bench/measure-all.ts";
import type { Scenario } from "./bench/measure-round.ts";
import { RATIO_TOLERANCE, regressionsIn } from "./bench/ratios.ts";
import type { RatioBaseline } from "./bench/ratios.ts";
import { reportFiles, reportText } from "./bench/report.ts";
import type { BenchReport } from "./bench/report.ts";
import type { BenchEntry } from "./bench/tables.ts";
import { measureTraining } from "./bench/training.ts";
import { Processes } from "../demo/processes.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DATA = "docs/data/bench.json";
/** Written by experiments/bench/kernels.ts. */
const KERNEL_DATA = "docs/data/kernels.json";
const BASELINE = "test/vectors/bench-ratios.json";

interface Flags {
  readonly d?: readonly number[];
  readonly clients?: readonly number[];
  readonly members: number;
  readonly repeats?: number;
  readonly json?: string;
  readonly writeDocs: boolean;
  readonly check: boolean;
  readonly updateBaseline: boolean;
}

/** What a run measures unless it is told: quickly, for the documents, or against the baseline. */
const PLANS = {
  quick: { d: [2_410, 10_000, 100_000], clients: [3], repeats: 3, batches: true, training: false },
  docs: {
    d: [2_410, 10_000, 100_000, 1_199_882],
    clients: [3, 2, 10, 30, 100],
    repeats: 3,
    batches: true,
    training: true,
  },
  check: { d: [2_410, 10_000], clients: [3], repeats: 8, batches: false, training: false },
} as const;

await createProgram("bench", "measure complete rounds with real proofs on a local chain")
  .option("--d <sizes>", "numbers of model parameters, separated by commas", listOf(positiveInteger))
  .option(
    "--clients <counts>",
    "clients in a round: the first for every size, the others for the first size",
    listOf(positiveInteger),
  )
  .option("--members <n>", "committee members", positiveInteger, SMALLEST_COMMITTEE)
  .option("--repeats <n>", "timed submissions after the first", positiveInteger)
  .option("--json <file>", "write the rows as JSON")
  .option("--write-docs", "write docs/bench.md, docs/plots and docs/data/bench.json", false)
  .option("--check", "compare ratios to yardsticks with the kept baseline; status 1 if one is exceeded", false)
  .option("--update-baseline", "keep this run's ratios as the baseline", false)
  .action(async (flags: Flags) => {
    const reporter = createReporter("text", "bench", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async (signal) => {
      const processes = new Processes();
      signal.addEventListener("abort", () => void processes.stopAll().then(() => process.exit(3)));
      const plan = { ...planOf(flags), ...flags };
      try {
        const training = plan.training
          ? await measureTraining(plan.repeats, ({ model, backend }) =>
              reporter.say("info", "step", `training: ${model} on ${backend}`),
            )
          : [];
        const reportOf = (entries: readonly BenchEntry[]): BenchReport => ({
          command: commandOf(plan),
          machine: describeMachine(),
          repeats: plan.repeats,
          entries,
          training,
        });
        const entries = await measureAll(scenariosOf(plan), plan.repeats, {
          processes,
          withBatches: plan.batches,
          random,
          onStep: (step) => reporter.say("info", "step", step),
          ...(flags.writeDocs ? { onEntry: (soFar: readonly BenchEntry[]) => writeDocs(reportOf(soFar)) } : {}),
        });
        process.stdout.write(`${reportText(reportOf(entries))}\n`);
        if (flags.json !== undefined) await writeFile(flags.json, jsonOf(entries.map(({ row }) => row)));
        if (flags.updateBaseline) await writeFile(join(ROOT, BASELINE), jsonOf(baselineOf(entries)));
        if (flags.check && !(await agreesWithBaseline(entries))) process.exitCode = 1;
      } finally {
        await processes.stopAll();
      }
    });
  })
  .parseAsync();

function planOf({ writeDocs, check, updateBaseline }: Flags): {
  readonly d: readonly number[];
  readonly clients: readonly number[];
  readonly repeats: number;
  readonly batches: boolean;
  readonly training: boolean;
} {
  if (check || updateBaseline) return PLANS.check;
  return writeDocs ? PLANS.docs : PLANS.quick;
}

/** The first size with every number of clients, then the other sizes, which take longer, with the first number. */
function scenariosOf({ d, clients, members }: Required<Pick<Flags, "d" | "clients" | "members">>): Scenario[] {
  const [smallest = 1, ...larger] = d;
  const [usual = 1] = clients;
  return [
    ...clients.map((count) => ({ dimension: smallest, clients: count, members })),
    ...larger.map((dimension) => ({ dimension, clients: usual, members })),
  ];
}

async function writeDocs(report: BenchReport): Promise<void> {
  const kernels = JSON.parse(await readFile(join(ROOT, KERNEL_DATA), "utf8")) as KernelReport;
  for (const [path, content] of Object.entries({ [DATA]: jsonOf(report), ...reportFiles(report, kernels) })) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), content);
  }
}

function baselineOf(entries: readonly BenchEntry[]): RatioBaseline {
  return Object.fromEntries(entries.map(({ row, extras }) => [String(row.d), extras.ratios]));
}

/** Prints the verdict. False if a ratio is too high. */
async function agreesWithBaseline(entries: readonly BenchEntry[]): Promise<boolean> {
  const baseline = JSON.parse(await readFile(join(ROOT, BASELINE), "utf8")) as RatioBaseline;
  const regressions = regressionsIn(baselineOf(entries), baseline);
  for (const { size, name, measured, baseline: kept } of regressions) {
    process.stdout.write(
      `REGRESSED d = ${size}, ${name}: ${measured} times its yardstick, ${kept} in the baseline, at most ${(kept * RATIO_TOLERANCE).toPrecision(3)} allowed\n`,
    );
  }
  if (regressions.length === 0)
    process.stdout.write(`no ratio exceeds its baseline by more than a factor of ${RATIO_TOLERANCE}\n`);
  return regressions.length === 0;
}

/** The line that repeats a run. */
function commandOf({
  d,
  clients,
  members,
  repeats,
}: Required<Pick<Flags, "d" | "clients" | "members" | "repeats">>): string {
  return `npm run bench -- --d ${d.join(",")} --clients ${clients.join(",")} --members ${members} --repeats ${repeats} --write-docs`;
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
