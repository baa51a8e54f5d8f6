/** The command line. */
import type { ErrorEntry } from "./entry.ts";

export const COMMAND_ERRORS = {
  USAGE: {
    cause: "The command line is wrong.",
    advice: "Run the command with `--help`.",
    role: "end",
    about: "input",
    exit: 4,
  },
  CHECKS_FAILED: {
    cause: "At least one check of `fl doctor` failed; the message names them.",
    advice: "Do what stands behind the arrow below each failed check, and run the command again.",
    role: "end",
    about: "host",
    exit: 1,
  },
  PROCESS_ENDED: {
    cause: "A process that the command started ended, or did not start, before its work was done.",
    advice: "The lines above the message are the last that the processes wrote; the logs that it names say more.",
    role: "end",
    about: "host",
    exit: 1,
  },
  INTERRUPTED: {
    cause: "The command was stopped before it finished.",
    advice: "Start the command again; it resumes.",
    role: "end",
    about: "host",
    exit: 3,
  },
} as const satisfies Record<string, ErrorEntry>;
