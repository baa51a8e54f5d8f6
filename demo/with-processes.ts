/**
 * How a script over many processes begins and ends: nothing that it started outlives it, and its folder stays only if
 * there is something to read.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { failureLine, failureOf } from "../command/failure.ts";
import { flushOutput } from "../command/output.ts";
import { ERRORS } from "../protocol/errors.ts";
import { Processes } from "./processes.ts";

export interface ProcessRun {
  readonly processes: Processes;
  /** Of this run alone, for its roles' state and logs. */
  readonly directory: string;
  /** Lines that no role meant for people; the last ones are written if the run fails. */
  readonly noise: string[];
  /** Ends at the first signal, which is then the run's proper end. */
  untilInterrupted(): Promise<void>;
}

type EndingSignal = (typeof ENDING_SIGNALS)[number];

const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const NOISE_LINES = 20;
const WRONG_USE = ERRORS.USAGE.exit;

/**
 * Runs it, stops every process, and exits: with 0 if it gave true, 1 if it gave false, an error's status if it threw,
 * and 128 + n (130 for SIGINT, 143 for SIGTERM) after signal n. A run that failed keeps its folder and says where,
 * unless it was asked for what cannot be; any other removes it.
 *
 * @param name of the script, for its folder
 * @param write takes a line for people
 */
export async function withProcesses(
  name: string,
  write: (line: string) => void,
  run: (context: ProcessRun) => Promise<boolean>,
): Promise<never> {
  const signalled = firstSignal();
  const processes = new Processes();
  const directory = await mkdtemp(join(tmpdir(), `verisum-${name}-`));
  const noise: string[] = [];
  let isWaitingForSignal = false;
  const untilInterrupted = async (): Promise<void> => {
    isWaitingForSignal = true;
    await signalled;
  };
  const interrupted = signalled.then((signal) => (isWaitingForSignal ? new Promise<never>(() => undefined) : signal));
  let outcome: boolean | EndingSignal;
  let status = 1;
  let failure: string | undefined;
  try {
    outcome = await Promise.race([run({ processes, directory, noise, untilInterrupted }), interrupted]);
    if (typeof outcome === "boolean") status = outcome ? 0 : 1;
    else status = 128 + constants.signals[outcome];
  } catch (error) {
    outcome = false;
    status = failureOf(error).status;
    for (const line of noise.slice(-NOISE_LINES)) write(line);
    failure = failureLine(error);
  }
  await processes.stopAll();
  if (outcome === false && status !== WRONG_USE) write(`the roles' logs are in ${directory}`);
  else await rm(directory, { recursive: true, force: true });
  if (failure !== undefined) write(failure);
  if (typeof outcome === "string") write(`stopped by ${outcome}; no process is left`);
  await flushOutput().catch(() => undefined);
  return process.exit(status);
}

/** Further signals change nothing: a terminal, npm and the bootstrap may all pass on one and the same Ctrl-C. */
function firstSignal(): Promise<EndingSignal> {
  return new Promise((resolve) => {
    for (const signal of ENDING_SIGNALS) process.on(signal, () => resolve(signal));
  });
}
