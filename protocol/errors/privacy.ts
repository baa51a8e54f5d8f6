/** Differential privacy. */
import { EDIT_TASK } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

export const PRIVACY_ERRORS = {
  PRIVACY_BUDGET_SPENT: {
    cause: "This client has taken part in as many rounds as the task's privacy budget allows.",
    advice:
      "Leave the task: your part in it is over, and further rounds would say more about your data than was agreed.",
    role: "end",
    about: "input",
    exit: 1,
  },
  PRIVACY_COHORT_TOO_SMALL: {
    cause: "The noise that the task's epsilon needs would drown what its clients send.",
    advice:
      "Gather as many clients as the message names, choose a smaller model or a larger epsilon, or protect single records (unit `example`).",
    role: "end",
    about: "input",
    exit: 1,
  },
  PRIVACY_PARAMETERS_INVALID: {
    cause: "A privacy parameter is outside the range for which the accountant or the sampler is exact.",
    advice: EDIT_TASK,
    role: "end",
    about: "input",
    exit: 4,
  },
} as const satisfies Record<string, ErrorEntry>;
