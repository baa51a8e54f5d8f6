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
      "Leave the file where it is: docs/state.md says what the role does without it. Do not put an old copy of the directory back.",
    role: "end",
    about: "host",
    exit: 1,
  },
  STORAGE_NEWER: {
    cause: "A state directory, or a store, was written by a later version of this program.",
    advice: "Run the later version again. Nothing in the directory was changed.",
    role: "end",
    about: "host",
    exit: 1,
  },
  ROUND_RECORD_DAMAGED: {
    cause:
      "The record of what was released, or submitted, in a round is damaged: something was, and nobody knows what.",
    advice:
      "Leave the file where it is: the role sits this one round out and goes on with the next. Look for faults of the disk.",
    role: "sit-out",
    about: "host",
    exit: 1,
  },
  STORAGE_MOVED: {
    cause: "The state directory was moved, removed or replaced while a role used it.",
    advice:
      "Move it back, and start the role again with it. Whoever moves it stops the role first. If it is lost, see docs/state.md.",
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
