/**
 * Many random schedules of crashes, delays, losses, reorganisations and corrupt parties over the roles' own code, with
 * a virtual clock (docs/threats.md, section 2).
 *
 *   npm run test:adversarial                                    10,000 schedules
 *   npm run test:adversarial -- --schedules 100 --from 501      these only; a seed is a schedule's number
 *   npm run test:adversarial -- --json FILE --jobs 3            the summary as JSON; processes side by side, which wait
 *                                                               for the system a third of the time
 */
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { summaryOf, tableOf } from "./table.ts";
import type { Outcome } from "./schedule.ts";

/** An outcome on its way between processes: without maps. */
export type PlainOutcome = Omit<Outcome, "faults"> & { readonly faults: readonly (readonly [string, number])[] };

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: "string", default: "10000" },
      from: { type: "string", default: "1" },
      jobs: { type: "string", default: String(Math.ceil(1.5 * availableParallelism())) },
      json: { type: "string" },
    },
  });
  const [schedules, from, jobs] = [values.schedules, values.from, values.jobs].map(Number) as [number, number, number];
  const outcomes: Outcome[] = [];
  const startedAt = performance.now();
  const add = (outcome: Outcome): void => {
    outcomes.push(outcome);
    for (const { kind, detail } of outcome.violations) console.log(`seed ${outcome.seed}: ${kind}: ${detail}`);
    if (outcomes.length % 100 === 0)
      console.log(
        `${outcomes.length} of ${schedules} schedules, ${Math.round((performance.now() - startedAt) / 1000)} s`,
      );
  };
  await Promise.all(Array.from({ length: jobs }, (_, job) => runJob(from + job, from + schedules, jobs, add)));
  const summary = summaryOf(outcomes.toSorted((a, b) => Number(a.seed) - Number(b.seed)));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(summary, undefined, 2)}\n`);
  console.log(tableOf(summary));
  return summary.violations.length === 0 ? 0 : 1;
}

/** Every `step`-th schedule, in a process of its own. */
function runJob(first: number, end: number, step: number, add: (outcome: Outcome) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = fork(WORKER, [first, end, step].map(String));
    worker.on("message", (outcome) => {
      const { faults, ...rest } = outcome as PlainOutcome;
      add({ ...rest, faults: new Map(faults) as Outcome["faults"] });
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the process of schedules ${first}, ${first + step}, … ended with ${code}`));
    });
  });
}

process.exitCode = await main();
