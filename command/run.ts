/** The edge of every command: errors become a coded line and an exit status. */
import { once } from "node:events";
import { ERRORS, isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { failureOf } from "./failure.ts";

/**
 * Runs a command to its end and exits; workers that libraries leave behind do not keep the process alive.
 * SIGINT and SIGTERM abort the signal that the command receives; a second one exits at once.
 */
export async function runCommand(reporter: Reporter, command: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(ERRORS.INTERRUPTED.exit);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.exitCode = 0;
  try {
    await command(controller.signal);
  } catch (error) {
    process.exitCode = failureOf(error).status;
    report(error, reporter);
  }
  if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
  process.exit();
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
    if (!isVerisumError(error) || error.entry.role !== "again") throw error;
    reporter.wait(`${error.code}: ${error.message}; trying again`, { code: error.code });
    return undefined;
  }
}
