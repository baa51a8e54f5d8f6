/** Cells of one group (docs/scale.md). */
import type { ErrorEntry } from "./entry.ts";

export const CELLS_ERRORS = {
  CELLS_DIVERGED: {
    cause: "Two cells of a group no longer share one model: the group has ended.",
    advice:
      "Stop training. Start a new group from the last model that all cells finalised; docs/scale.md says why nothing can mend it.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CELLS_GROUP_INVALID: {
    cause: "The group in the task's document is not full, does not list this contract, or lists one of another task.",
    advice:
      "Register every cell, each once; then start the roles. If the document names another group, the contract was deployed with the wrong one.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CELLS_GROUP_FULL: {
    cause: "The group that a cell is to be deployed into has all of its cells.",
    advice: "Give `--group` a group with room, or deploy a new one.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CELLS_INCOMPLETE: {
    cause: "A sibling cell has no sum of this step yet, or has not finalised it.",
    advice:
      "If this goes on, check that the sibling's members and aggregator run, with `npm run fl -- status --contract <sibling>`.",
    role: "again",
    about: "others",
    exit: 1,
  },
  CELLS_SUM_OVERFLOW: {
    cause: "A coordinate of the sum over all cells leaves the range of 32-bit integers.",
    advice: "Start a new group with smaller weights or fewer cells.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
