/** The database of an index. */
import type { ErrorEntry } from "./entry.ts";

export const DATABASE_ERRORS = {
  DATABASE_FAILED: {
    cause: "The database of the index cannot be opened, read or written.",
    advice:
      "Check that the file or the server that `--database` names is there and writable. The index holds nothing that the chain does not: a damaged file may be removed, and is built again.",
    role: "again",
    about: "host",
    exit: 1,
  },
  DATABASE_NEWER: {
    cause: "The database of the index was written by a later version of this program.",
    advice:
      "Run the later version again, or name another database by `--database`: the index is built again from the chain.",
    role: "end",
    about: "host",
    exit: 1,
  },
  DATABASE_BUSY: {
    cause: "Another process brings the same index up to date.",
    advice: "Nothing is wrong: they take turns. One process is enough.",
    role: "again",
    about: "host",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
