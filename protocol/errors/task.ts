/** The task, and who may take part in it. */
import { EDIT_TASK } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

export const TASK_ERRORS = {
  PARAMETERS_INVALID: {
    cause: "A task parameter is outside its range or contradicts another one.",
    advice: EDIT_TASK,
    role: "end",
    about: "input",
    exit: 4,
  },
  TASK_DOCUMENT_INVALID: {
    cause: "The task's document is malformed or contradicts the contract.",
    advice: `${EDIT_TASK} If the task is not yours, do not join it: its document contradicts its contract.`,
    role: "end",
    about: "input",
    exit: 1,
  },
  ROLE_NOT_REGISTERED: {
    cause: "The account is not registered for this role in the task.",
    advice: "Ask the task's operator to register this account, and check `--key`.",
    role: "end",
    about: "input",
    exit: 1,
    http: 403,
  },
} as const satisfies Record<string, ErrorEntry>;
