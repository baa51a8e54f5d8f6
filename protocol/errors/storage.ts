/** The state directory. */
import type { ErrorEntry } from "./entry.ts";

export const STORAGE_ERRORS = {
  STORAGE_FULL: {
    cause: "The disk has no space left.",
    advice: "Free space on the disk, then start again; the role resumes.",
    role: "end",
    about: "host",
    exit: 1,
  },
  STORAGE_FAILED: {
    cause: "A file of the state directory cannot be read or written.",
    advice: "Check that the path exists and is writable. For a missing contract artifact, run `npm run build`.",
    role: "end",
    about: "host",
    exit: 1,
  },
  STORAGE_CORRUPT: {
    cause: "A state file is truncated or altered.",
    advice:
      "A member restores its state directory from a backup only if that is newer than its last release; otherwise it sits the round out. A client deletes the named file.",
    role: "end",
    about: "host",
    exit: 1,
  },
  STORAGE_LOCKED: {
    cause: "Another process uses the state directory, or the store.",
    advice: "Stop the process that the message names, or give each role its own `--state` and `--store`.",
    role: "end",
    about: "host",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
