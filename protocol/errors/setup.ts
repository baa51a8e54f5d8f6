/** Errors of the setup ceremony: powers of tau from elsewhere, and contributions. */
import type { ErrorEntry } from "./entry.ts";

export const SETUP_ERRORS = {
  POWERS_REFUSED: {
    cause:
      "A file of powers of tau is malformed, too small, altered, or of a ceremony whose record does not hold. `details.rule` says which.",
    advice:
      "Download the file again and compare its digest with what its ceremony publishes. If the rule is `too-small`, take the file of the power that the message names.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CEREMONY_REFUSED: {
    cause:
      "A setup's transcript or one of its contributions does not hold: a proof, the order, a name, a secret that changes nothing, or files that are not the ones that it names. `details.rule` says which, `details.contribution` at which one.",
    advice:
      "Do not use these keys. Go back to the last folder that `fl setup verify` accepts, and ask the contributor that the message names to contribute again from there.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CEREMONY_UNFINISHED: {
    cause: "A setup to which nobody has contributed yet: everybody knows its secrets, which are 1.",
    advice: "Have at least one party run `fl setup contribute`; docs/running.md says how a ceremony goes.",
    role: "end",
    about: "input",
    exit: 1,
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
