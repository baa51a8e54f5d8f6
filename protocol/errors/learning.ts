/** Data, models and training. */
import { DISCARDED, EDIT_TASK } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

const EDIT_DATA =
  "Correct the data, or the `--data` argument; `npm run fl-client -- data --data …` shows what is read.";

export const LEARNING_ERRORS = {
  DATASET_SPEC_INVALID: {
    cause: "A --data argument is malformed, or names an option that its kind of data does not have.",
    advice: "Correct the `--data` argument; docs/running.md lists its forms.",
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_NOT_FOUND: {
    cause: "There is no data at the path given, or it cannot be read.",
    advice: "Correct the path.",
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_EMPTY: {
    cause: "A data file is empty, or holds no example, or too few to be split.",
    advice: EDIT_DATA,
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_MALFORMED: {
    cause: "A data file is truncated, has extra bytes, or is not of the format its name promises.",
    advice: EDIT_DATA,
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_TOO_LARGE: {
    cause: "A data file, or the size that it claims, exceeds the reader's limit.",
    advice: "Split the file among several clients, or remove rows.",
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_VALUE_INVALID: {
    cause: "A value in a data file is missing or is not a finite number.",
    advice: EDIT_DATA,
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_LABEL_INVALID: {
    cause: "A label is not an integer in the range of the classes.",
    advice: EDIT_DATA,
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_PARTITION_IMPOSSIBLE: {
    cause: "The data cannot be dealt to that many clients with enough examples each.",
    advice: "Use fewer clients or a larger `alpha`.",
    role: "end",
    about: "input",
    exit: 1,
  },
  DATASET_MODEL_MISMATCH: {
    cause: "The examples do not have the shape or the classes that the model expects.",
    advice: "Use data with the shape and the classes of the task's model.",
    role: "end",
    about: "input",
    exit: 1,
  },
  MODEL_DESCRIPTION_INVALID: {
    cause: "A model's description is malformed or describes no possible network.",
    advice: EDIT_TASK,
    role: "end",
    about: "input",
    exit: 1,
  },
  TRAINING_OPTIONS_INVALID: {
    cause: "A training option is outside its range.",
    advice: EDIT_TASK,
    role: "end",
    about: "input",
    exit: 1,
  },
  TRAINING_DIVERGED: {
    cause: "Training produced NaN or an infinity; the learning rate is probably too high.",
    advice: "Lower the learning rate in the task, and look for extreme values in the data.",
    role: "end",
    about: "input",
    exit: 1,
  },
  TRAINING_BACKEND_UNAVAILABLE: {
    cause: "The numerical backend asked for cannot be loaded on this machine.",
    advice: "Install the backend, or use the default one.",
    role: "end",
    about: "host",
    exit: 1,
  },
  SAFETENSORS_INVALID: {
    cause: "A safetensors file is malformed, has gaps or trailing bytes, or holds a type other than float32.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
