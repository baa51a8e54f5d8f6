/** The edge of every command: errors become a coded line and an exit status. */
import { isVerisumError, mayPass, ERRORS, VerisumError } from "../protocol/errors.ts";
import type { Sleep } from "../protocol/ports.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { failureOf } from "./failure.ts";
import { flushOutput, keepOutput } from "./output.ts";

/** A command that was told to stop has this long to close what it has open; the process ends then in any case. */
const GRACE_MS = 1_500;
/** Between two tries of what a role cannot start without. */
const START_PAUSE_MS = 1_000;

/**
 * Runs a command to its end and exits; workers that libraries leave behind do not keep the process alive.
 * SIGINT, SIGTERM and SIGHUP abort the signal that the command receives, and end the process {@link GRACE_MS} later
 * whatever it waits for; a second one exits at once. What is thrown where nobody waits, on a library's timer, is named.
 */
export async function runCommand(reporter: Reporter, command: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(ERRORS.INTERRUPTED.exit);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // A terminal that was closed; what this process started would outlive it.
  process.on("SIGHUP", stop);
  process.exitCode = 0;
  keepOutput();
  try {
    await Promise.race([command(controller.signal), ended(controller.signal), thrownElsewhere(reporter)]);
  } catch (error) {
    process.exitCode = failureOf(error).status;
    report(error, reporter);
  }
  await flushOutput().catch((error: unknown) => {
    if (process.exitCode === 0) process.exitCode = failureOf(error).status;
    report(error, reporter);
  });
  process.exit();
}

/** Rejects when the time for closing is over. @throws INTERRUPTED */
function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const interrupted = (): void => reject(new VerisumError("INTERRUPTED", "stopped on request"));
    signal.addEventListener("abort", () => setTimeout(interrupted, GRACE_MS), { once: true });
  });
}

/** The last net. Rejects with what was thrown where nobody waits, unless it passes by itself. */
function thrownElsewhere(reporter: Reporter): Promise<never> {
  return new Promise((_, reject) => {
    process.on("uncaughtException", (error: unknown) => {
      if (!mayPass(error)) return reject(error instanceof Error ? error : new Error(String(error)));
      reporter.say("warn", "uncaught", `${error.code}: ${error.message}; going on`, { code: error.code });
    });
  });
}

function report(error: unknown, reporter: Reporter): void {
  if (isVerisumError(error, "INTERRUPTED")) return reporter.say("info", "stopped", "stopped on request");
  const { code, text } = failureOf(error);
  reporter.say("error", code === "DEFECT" ? "defect" : "failed", `${code}: ${text}`, { code });
}

/**
 * One step of a role that must not stop for a node that is away or a call that came too late: it says so, waits and
 * looks again.
 * @returns what the step returned, or undefined after a failure that may pass
 * @throws every other error
 */
export async function outlive<T>(step: () => Promise<T>, reporter: Reporter): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!mayPass(error)) throw error;
    reporter.wait(`${error.code}: ${error.message}; trying again`, { code: error.code });
    return undefined;
  }
}

/**
 * Does what a role cannot start without, and again until it is done.
 * @throws what {@link outlive} throws; INTERRUPTED
 */
export async function persist<T>(work: () => Promise<T>, reporter: Reporter, sleep: Sleep): Promise<T> {
  for (;;) {
    const done = await outlive(async () => ({ result: await work() }), reporter);
    if (done !== undefined) return done.result;
    await sleep(START_PAUSE_MS);
  }
}
