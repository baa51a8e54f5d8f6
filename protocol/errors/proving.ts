/** Circuits, keys, witnesses and proofs. */
import type { ErrorEntry } from "./entry.ts";

export const PROVING_ERRORS = {
  CIRCUIT_COMPILATION: {
    cause: "The circuit compiler refused a source, or its output breaks a rule that the keys rest on.",
    advice: "Restore `circuits/` and run `npm run build` again.",
    role: "end",
    about: "input",
    exit: 1,
  },
  KEY_REFUSED: {
    cause:
      "A verification key has a form under which proofs can be forged, does not fit the preset, or is not the recorded one.",
    advice: "Do not use these keys: proofs can be forged under them. Obtain keys from a complete setup.",
    role: "end",
    about: "input",
    exit: 1,
  },
  KEY_ARTIFACT_CORRUPT: {
    cause: "A key file is malformed or is not the one that the manifest names.",
    advice: "Delete the named directory; keys are fetched by CID or made again.",
    role: "end",
    about: "input",
    exit: 1,
  },
  WITNESS_UNSATISFIED: {
    cause: "A circuit's inputs are incomplete or contradict one of its constraints.",
    advice: "The update breaks the circuit's statement, so there is no proof of it. See UPDATE_OVER_BOUND.",
    role: "end",
    about: "input",
    exit: 1,
  },
  PROVER_COMMAND_FAILED: {
    cause: "The external proving command ended with an error, took too long, or left no valid proof of the witness.",
    advice:
      "Run the command by hand on any circuit to see what it says; leave out --prover-command to prove with the built-in prover.",
    role: "end",
    about: "host",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
