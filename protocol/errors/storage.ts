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
    cause: "A file cannot be read, written or created.",
    advice: "Check that the path exists and is writable. A new key is never written over a file that is there.",
    role: "end",
    about: "host",
    exit: 1,
  },
  STORAGE_CORRUPT: {
    cause: "A state file is truncated or altered.",
    advice:
      "See docs/state.md for what the named file is and whether it may be deleted. Do not put an old copy of the directory back; a role that starts with an empty one sits out what it cannot know.",
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
