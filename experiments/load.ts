/**
 * A crowd of clients on one machine: a chain, a real committee, and many light clients in one process, with real keys,
 * proofs, shares, stores, transactions and verification throughout.
 *
 *   npm run load -- --clients 100
 *   npm run load -- --clients 100 --batch 20
 *   npm run load -- --clients 100 --task tasks/digits-cohort.json
 */
import { randomFillSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { Option } from "commander";
import { integerWithin } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { MAX_COHORT, MAX_COMMITTEE } from "../protocol/parameters.ts";
import type { PresetName } from "../protocol/parameters.ts";
import { SMALLEST_COMMITTEE } from "./bench/bench-task.ts";
import { withProcesses } from "../demo/with-processes.ts";
import { loadText } from "./load/load-report.ts";
import { runLoad } from "./load/run-load.ts";
import { readSpecification } from "../operator/read-specification.ts";

interface Flags {
  readonly clients: number;
  readonly d: number;
  readonly rounds: number;
  readonly members: number;
  readonly atOnce: number;
  readonly batch?: number;
  readonly preset: PresetName;
  readonly json?: string;
  readonly task?: string;
}

await createProgram(
  "load",
  "many light clients, a real committee and a chain on this machine, with real proofs throughout",
)
  .option("--clients <n>", `clients, 2 to ${MAX_COHORT}`, integerWithin(2, MAX_COHORT), 100)
  .option(
    "--d <n>",
    "wanted number of model parameters; the nearest that a network on the digits has is taken",
    integerWithin(1, Number.MAX_SAFE_INTEGER),
    2_410,
  )
  .option("--rounds <n>", "rounds until the task is complete", integerWithin(1, 1_000), 1)
  .option(
    "--members <n>",
    `committee members, ${SMALLEST_COMMITTEE} to ${MAX_COMMITTEE}`,
    integerWithin(SMALLEST_COMMITTEE, MAX_COMMITTEE),
    SMALLEST_COMMITTEE,
  )
  .option("--at-once <n>", "clients at work at the same time", integerWithin(1, MAX_COHORT), 4)
  .option(
    "--batch <n>",
    "relay signed submissions, so many in a transaction, instead of each client's sending its own",
    integerWithin(1, MAX_COHORT),
  )
  .addOption(
    new Option("--preset <name>", "tiny is quicker and for tests").choices(["tiny", "standard"]).default("standard"),
  )
  .option(
    "--task <file>",
    "a task on the digits, in place of --d and --preset; its windows and committee are the run's",
  )
  .option("--json <file>", "write the figures as JSON")
  .action(async ({ d, json, task, ...flags }: Flags) => {
    const reporter = createReporter("text", "load", (line) => void process.stderr.write(`${line}\n`), Date.now);
    await withProcesses(
      "load",
      (line) => reporter.say("info", "run", line),
      async ({ processes, directory, noise }) => {
        const environment = {
          processes,
          directory,
          random: (length: number) => randomFillSync(new Uint8Array(length)),
          onStep: (step: string) => reporter.say("info", "step", step),
          onNoise: (line: string) => void noise.push(line),
        };
        const result = await runLoad(
          { ...flags, dimension: d, ...(task === undefined ? {} : { task: await readSpecification(task) }) },
          environment,
        );
        process.stdout.write(`${loadText(result)}\n`);
        if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`);
        return result.verified;
      },
    );
  })
  .parseAsync();
