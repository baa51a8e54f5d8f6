/** Bytes, field elements and points that are not what they claim to be. */
import { DISCARDED } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

export const ENCODING_ERRORS = {
  ENCODING_LENGTH: {
    cause: "A byte string or vector does not have the length that the round's layout fixes.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  ENCODING_NOT_CANONICAL: {
    cause: "A field element or coordinate is outside its canonical range.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  ENCODING_SLOT_RANGE: {
    cause: "A packed element does not decode into slots of the allowed range.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  POINT_NOT_ON_CURVE: {
    cause: "A pair of coordinates is not a point of BN254 G1 or G2.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
