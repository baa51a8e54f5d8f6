/** The edge of every command: errors become a coded line and an exit status. */
import { once } from "node:events";
import { isVerisumError } from "../protocol/errors.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";

/** Exit statuses: 0 done, 1 the job failed, 2 no connection, 3 stopped or timed out, 4 wrong use, 5 a defect. */
export function exitStatusOf(code: ErrorCode): number {
  if (code === "USAGE" || code === "PARAMETERS_INVALID" || code === "PRIVACY_PARAMETERS_INVALID") return 4;
  if (code === "INTERRUPTED") return 3;
  if (code.startsWith("CHAIN_UNREACHABLE") || code.startsWith("CHAIN_WRONG") || code === "IPFS_UNAVAILABLE") return 2;
  return 1;
}

/**
 * Runs a command to its end and exits; workers that libraries leave behind do not keep the process alive.
 * SIGINT and SIGTERM abort the signal that the command receives; a second one exits at once.
 */
export async function runCommand(reporter: Reporter, command: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(3);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  process.exitCode = 0;
  try {
    await command(controller.signal);
  } catch (error) {
    if (isVerisumError(error, "INTERRUPTED")) {
      reporter.say("info", "stopped", "stopped on request");
      process.exitCode = exitStatusOf(error.code);
    } else if (isVerisumError(error)) {
      reporter.say("error", "failed", `${error.code}: ${error.message}`, { code: error.code });
      process.exitCode = exitStatusOf(error.code);
    } else {
      reporter.say(
        "error",
        "defect",
        `unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      process.exitCode = 5;
    }
  }
  if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
  process.exit();
}

/** Failures of the surroundings, which a role outlives: it says so, waits and looks again. */
const PASSING: readonly ErrorCode[] = [
  "CHAIN_UNREACHABLE",
  "CHAIN_REVERTED",
  "CHAIN_TRANSACTION_LOST",
  "IPFS_UNAVAILABLE",
  "CELLS_INCOMPLETE",
];

/**
 * One step of a role that must not stop for a node that is away or a call that came too late.
 * @returns what the step returned, or undefined after a failure that may pass
 * @throws every other error
 */
export async function outlive<T>(step: () => Promise<T>, reporter: Reporter): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!isVerisumError(error) || !PASSING.includes(error.code)) throw error;
    reporter.wait(`${error.code}: ${error.message}; trying again`, { code: error.code });
    return undefined;
  }
}
