/** The processes that run trials. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import pLimit from "p-limit";
import { TOO_LONG } from "./worker.ts";
import type { TrialReport, TrialRequest } from "./worker.ts";

/** Trials of one process: modules that are loaded anew are never freed. */
const MOST_TRIALS = 60;

/** Where trials run: a copy of the repository, with what was compiled in it. */
export interface Place {
  readonly folder: string;
  readonly artifacts: string;
  /** Whether the contracts tell which mutants are reached, and none can be switched on. */
  readonly counts: boolean;
}

interface Worker {
  readonly process: ChildProcess;
  output: string;
  trials: number;
}

/** Runs trials, so many at a time, in processes that are started as they are needed. Close it at the end. */
export class TrialPool {
  readonly #place: Place;
  readonly #queue: ReturnType<typeof pLimit>;
  readonly #idle: Worker[] = [];

  constructor(place: Place, jobs: number) {
    this.#place = place;
    this.#queue = pLimit(jobs);
  }

  /**
   * Runs test files against one mutant. The request is made when its turn comes.
   * @returns undefined if they took too long
   * @throws Error if the process ends by itself
   */
  run(request: () => TrialRequest): Promise<TrialReport | undefined> {
    return this.#queue(() => this.#try(request()));
  }

  close(): void {
    for (const { process: child } of this.#idle) child.kill();
  }

  async #try(request: TrialRequest): Promise<TrialReport | undefined> {
    const worker = this.#idle.pop() ?? this.#start();
    const report = await ask(worker, request);
    if (report !== undefined && ++worker.trials < MOST_TRIALS) this.#idle.push(worker);
    else worker.process.kill();
    return report;
  }

  #start(): Worker {
    const child = fork(join("scripts", "mutation", "worker.ts"), [], {
      cwd: this.#place.folder,
      env: {
        ...process.env,
        MUTANT_ARTIFACTS: this.#place.artifacts,
        ...(this.#place.counts ? { MUTANT_COUNT: "1" } : {}),
        NODE_NO_WARNINGS: "1",
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const worker: Worker = { process: child, output: "", trials: 0 };
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        worker.output = `${worker.output}${text}`.slice(-4000);
      });
    return worker;
  }
}

async function ask(worker: Worker, request: TrialRequest): Promise<TrialReport | undefined> {
  const { process: child } = worker;
  const answered = new Promise<TrialReport | undefined>((resolve, reject) => {
    child.once("message", (report) => resolve(report as TrialReport));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === TOO_LONG) resolve(undefined);
      else reject(new Error(`a trial of mutant ${request.mutant} ended by itself:\n${worker.output}`));
    });
  });
  child.send(request);
  return answered.finally(() => {
    for (const event of ["message", "error", "close"]) child.removeAllListeners(event);
  });
}
