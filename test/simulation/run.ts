/** Many random schedules, in processes side by side. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./schedule.ts";

/** An outcome on its way between processes: without maps. */
export type PlainOutcome = Omit<Outcome, "faults"> & { readonly faults: readonly (readonly [string, number])[] };

export interface Schedules {
  readonly schedules: number;
  /** The first one's number, which is its seed. */
  readonly from: number;
  /** Processes. */
  readonly jobs: number;
}

/** Schedules leave much behind, and another thread that collects it only takes the other schedules' processor. */
const NODE_OPTIONS = ["--single-threaded-gc", "--max-semi-space-size=64"];
const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
/** Schedules from one line of progress to the next. */
const BETWEEN_LINES = 100;

/** By their numbers. @param say is told of progress, and of whatever a schedule broke as soon as it did */
export async function runSchedules(
  { schedules, from, jobs }: Schedules,
  say: (line: string) => void,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const startedAt = performance.now();
  const add = (outcome: Outcome): void => {
    outcomes.push(outcome);
    for (const { kind, detail } of outcome.violations) say(`seed ${outcome.seed}: ${kind}: ${detail}`);
    if (outcomes.length % BETWEEN_LINES === 0)
      say(`${outcomes.length} of ${schedules} schedules, ${Math.round((performance.now() - startedAt) / 1000)} s`);
  };
  await Promise.all(Array.from({ length: jobs }, (_, job) => runJob(from + job, from + schedules, jobs, add)));
  return outcomes.sort((a, b) => Number(a.seed) - Number(b.seed));
}

/** A process that runs every `step`-th schedule and tells each outcome. */
export function startWorker(first: number, end: number, step: number): ChildProcess {
  return fork(WORKER, [first, end, step].map(String), { execArgv: [...process.execArgv, ...NODE_OPTIONS] });
}

/** Every `step`-th schedule, in a process of its own. */
function runJob(first: number, end: number, step: number, add: (outcome: Outcome) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = startWorker(first, end, step);
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
