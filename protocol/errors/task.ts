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
    advice:
      "Do not join the task: its document contradicts its contract. If it is yours, create and deploy it anew with the program as it is.",
    role: "end",
    about: "input",
    exit: 1,
  },
  TASK_SPECIFICATION_INVALID: {
    cause: "The specification of a task to be created is malformed.",
    advice: EDIT_TASK,
    role: "end",
    about: "input",
    exit: 1,
  },
  TASK_DEPLOYMENT_INVALID: {
    cause: "The file that says what to deploy is not one that create-task wrote.",
    advice: "Run `npm run create-task` again, and deploy what it writes.",
    role: "end",
    about: "input",
    exit: 1,
  },
  WINDOWS_TOO_SHORT: {
    cause: "A window of the task is shorter than the chain's blocks or its finality allow: its rounds would abort.",
    advice:
      "Set the numbers that the message names in the specification's `windowSeconds`, run `create-task` again and deploy that; or count `--confirmations` where the chain's finality is not needed. `--accept-short-windows` deploys it as it is. Nothing was sent.",
    role: "end",
    about: "input",
    exit: 4,
  },
  ROSTER_INVALID: {
    cause: "The members and clients to be registered are not such as the contract takes.",
    advice: "Correct the accounts or weights that the message names. Nothing was sent.",
    role: "end",
    about: "input",
    exit: 4,
  },
  ROUND_CANNOT_OPEN: {
    cause: "The task's next round cannot open yet, or never will.",
    advice:
      "Do what the message names, then repeat the command; `fl-operator list` shows who is missing. Nothing was sent.",
    role: "again",
    about: "others",
    exit: 1,
  },
  TASK_COMPLETE: {
    cause: "All rounds of the task are final, or its privacy budget is spent: nobody can take part any more.",
    advice:
      "Check the task with `fl verify` and download its model with `fl pull`; to go on, deploy another task. Nothing was sent.",
    role: "end",
    about: "input",
    exit: 1,
  },
  INVITATION_REFUSED: {
    cause:
      "An invitation is malformed, altered or expired, or it is for another chain, deployment, operator, task or keys than the contract has; the evidence names which.",
    advice: "Do not join by it. Ask the operator for a new one, and have it sent by another way.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CONSENT_MISSING: {
    cause: "Nobody said yes to what taking part reveals and costs.",
    advice: "Read what the command shows, then answer yes, or repeat it with `--yes`. Nothing was sent.",
    role: "end",
    about: "input",
    exit: 4,
  },
  CONTRACT_MISMATCH: {
    cause:
      "The contract's parameters do not have the hash that it records, its identity is not that of its block, or it lacks a function that a task has: it is of another version than this program, no task's contract at all, or the endpoint alters what it says.",
    advice: "Use the version of the program with which the task was deployed, or another `--rpc`.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CONTRACT_CODE_UNKNOWN: {
    cause:
      "What runs at the task's address, or at one of the contracts that it works with, is not this release's code with the task's parameters: it is of another version, or refuses less than it should; the evidence names which.",
    advice:
      "Take no part in it, and believe no result of it. If the task was deployed with another version, use that one; otherwise ask the operator.",
    role: "end",
    about: "input",
    exit: 1,
  },
  ROLE_NOT_REGISTERED: {
    cause: "The account is not registered for this role in the task.",
    advice:
      "Check `--key`: where the message names who may do it, that account's key is needed. Otherwise ask the task's operator to register this account.",
    role: "end",
    about: "input",
    exit: 1,
    http: 403,
  },
} as const satisfies Record<string, ErrorEntry>;
