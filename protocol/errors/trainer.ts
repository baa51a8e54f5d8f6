/** Trainers that are programs of somebody else: their models, their updates, and what becomes of a round. */
import type { ErrorEntry } from "./entry.ts";

const READ_CONTRACT = "Correct the trainer; docs/trainers.md says what it is given and what it must give.";

export const TRAINER_ERRORS = {
  MODEL_EXTERNAL: {
    cause: "The task's model is external: this program knows its tensors, and can neither train nor measure it.",
    advice: "Take part with `--trainer` and leave `--data` out; docs/trainers.md explains how.",
    role: "end",
    about: "input",
    exit: 1,
  },
  MODEL_INITIAL_INVALID: {
    cause: "The file with a model's first weights does not hold the tensors that the task lists.",
    advice:
      "Correct the file or the list of `parameters` in the task's specification; tensors that are not float32 or float64 cannot be trainable.",
    role: "end",
    about: "input",
    exit: 1,
  },
  TRAINER_PRIVACY_UNCHECKED: {
    cause:
      "The task protects single records by noise that training itself adds, and nobody can check that a trainer of somebody else adds it.",
    advice: "Use a task that protects whole clients (`unit: client`), or train with the built-in engine.",
    role: "end",
    about: "input",
    exit: 1,
  },
  TRAINER_UNAVAILABLE: {
    cause: "The trainer cannot be started, or nothing answers at its address.",
    advice: "Correct `--trainer`, or start the server that it names; the client tries again meanwhile.",
    role: "again",
    about: "host",
    exit: 1,
  },
  TRAINER_FAILED: {
    cause: "The trainer ended without an update: it failed, was killed, or did not end by the deadline.",
    advice: "Read the round's log, whose path the message names. The next round is tried again.",
    role: "sit-out",
    failedTraining: true,
    about: "host",
    exit: 1,
  },
  TRAINER_UPDATE_INVALID: {
    cause: "What the trainer gave is no update of this round's model.",
    advice: READ_CONTRACT,
    role: "sit-out",
    failedTraining: true,
    about: "input",
    exit: 1,
  },
  TRAINER_SAT_OUT: {
    cause: "The trainer chose to sit the round out.",
    advice: "Nothing: it is asked again in the next round.",
    role: "sit-out",
    about: "host",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
