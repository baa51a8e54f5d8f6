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
  INTERRUPTED: {
    cause: "The command was stopped before it finished.",
    advice: "Start the command again; it resumes.",
    role: "end",
    about: "host",
    exit: 3,
  },
} as const satisfies Record<string, ErrorEntry>;
