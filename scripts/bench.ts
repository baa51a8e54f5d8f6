/**
 * Measures complete rounds: client stages, members, aggregator, gas, bytes and memory.
 *
 *   npm run bench                                  a table for d = 2,410, 10,000 and 100,000
 *   npm run bench -- --d 2410 --json rows.json     one size, and its row as JSON
 */
import { randomFillSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { openCurve } from "../adapters/curve/bn254.ts";
import { kzgCommitter } from "../adapters/curve/kzg.ts";
import { createReporter } from "../adapters/cli/reporter.ts";
import { runCommand } from "../adapters/cli/run.ts";
import { ensureDevKeys } from "../adapters/prover/ensure-keys.ts";
import type { KeySet } from "../adapters/prover/key-set.ts";
import { layoutFor } from "../protocol/layout.ts";
import { BENCH_PRESET } from "./bench/bench-task.ts";
import { describeMachine } from "./bench/machine.ts";
import { measureRound } from "./bench/measure-round.ts";
import { reportMarkdown, reportText } from "./bench/report.ts";
import { extrasOf, rowOf } from "./bench/rows.ts";
import type { BenchEntry } from "./bench/tables.ts";
import { startChain } from "./demo/chain.ts";
import { Processes } from "./demo/processes.ts";
import { buildContracts } from "./task/build-contracts.ts";

const DOCUMENT = new URL("../docs/bench.md", import.meta.url);

interface Flags {
  readonly d: readonly number[];
  readonly repeats: number;
  readonly json?: string;
  readonly writeDocs: boolean;
}

const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

await new Command("bench")
  .description("measure complete rounds with real proofs on a local chain")
  .option("--d <sizes>", "numbers of model parameters, separated by commas", (text) => text.split(",").map(positive), [2_410, 10_000, 100_000])
  .option("--repeats <n>", "timed submissions after the first", positive, 3)
  .option("--json <file>", "write the rows as JSON")
  .option("--write-docs", "write docs/bench.md", false)
  .action(async (flags: Flags) => {
    const reporter = createReporter("text", "bench", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await runCommand(reporter, async (signal) => {
      const processes = new Processes();
      signal.addEventListener("abort", () => void processes.stopAll().then(() => process.exit(3)));
      try {
        const entries = await measure(flags, processes, (step) => reporter.say("info", "step", step));
        const report = { machine: describeMachine(), repeats: flags.repeats, entries };
        process.stdout.write(`${reportText(report)}\n`);
        if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(entries.map(({ row }) => row), null, 2)}\n`);
        if (flags.writeDocs) await writeFile(DOCUMENT, reportMarkdown(report, commandOf(flags)));
      } finally {
        await processes.stopAll();
      }
    });
  })
  .parseAsync();

async function measure({ d, repeats }: Flags, processes: Processes, onStep: (step: string) => void): Promise<BenchEntry[]> {
  await buildContracts();
  const keys = new Map<number, KeySet>();
  for (const dimension of d) keys.set(dimension, await keysFor(dimension, onStep));
  const chain = await startChain(processes, onStep);
  const curve = await openCurve();
  const entries: BenchEntry[] = [];
  for (const dimension of d) {
    const keySet = keys.get(dimension)!;
    const measurement = await measureRound(dimension, repeats, { chain, keys: keySet, committer: kzgCommitter(curve, keySet.powers), random, onStep });
    entries.push({ row: rowOf(measurement), extras: extrasOf(measurement), gas: measurement.gas });
  }
  return entries;
}

async function keysFor(dimension: number, onStep: (step: string) => void): Promise<KeySet> {
  const { chunks, elementCount } = layoutFor(BENCH_PRESET, dimension);
  const kindCount = Math.max(...chunks.map(({ kindIndex }) => kindIndex)) + 1;
  return ensureDevKeys({ preset: BENCH_PRESET, kindCount, powers: elementCount }, { curve: await openCurve(), random, onStep });
}

/** The line that repeats a run. */
function commandOf({ d, repeats }: Flags): string {
  return `npm run bench -- --d ${d.join(",")} --repeats ${repeats} --write-docs`;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a positive whole number");
  return value;
}
