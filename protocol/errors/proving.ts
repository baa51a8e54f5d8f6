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
      "Keys under which proofs can be forged or updates read: a verification key of an unsafe form or not the recorded one, powers of tau that are none, or a proving key, witness program or constraint system that is not this release's circuit. `details.rule` says which.",
    advice:
      "Do not use these keys, and do not try them again: nothing was sent. Tell the operator the rule; keys of a complete setup for this release's circuits pass. If it is `circuit-unknown`, compare the releases first.",
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
