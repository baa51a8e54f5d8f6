/** What the task's nodes say to one another and to strangers over HTTP, besides content. */
import type { ErrorEntry } from "./entry.ts";

export const NODE_ERRORS = {
  REQUEST_INVALID: {
    cause: "A request to a node is malformed, or asks for something or for a form that it does not offer.",
    advice:
      "Correct the request; a node serves `/ipfs/<cid>/`, raw blocks and CARs, takes CARs, and exchanges proposals.",
    role: "end",
    about: "input",
    exit: 1,
    http: 400,
  },
  HOST_REFUSED: {
    cause: "A request names a host, or comes from a web origin, that the node does not serve.",
    advice: "Use the node's announced URL; behind a proxy, start it with that URL as `--public-url`.",
    role: "end",
    about: "input",
    exit: 1,
    http: 403,
  },
  LISTEN_FAILED: {
    cause: "The address to listen on is in use, or not one that this process may take.",
    advice: "Stop the process that listens there, or give another `--listen`.",
    role: "end",
    about: "host",
    exit: 1,
  },
  NODE_FAILED: {
    cause: "A node cannot answer because of a fault of its own.",
    advice: "The node's log says why. Whoever asked tries again later or elsewhere.",
    role: "again",
    about: "others",
    exit: 1,
    http: 500,
  },
  RELAY_BUSY: {
    cause: "A relayer has checked as many submissions of one sender as it allows.",
    advice: "There is nothing to do: the client sends its submission itself.",
    role: "again",
    about: "others",
    exit: 1,
    http: 429,
  },
  POSTS_TOO_MANY: {
    cause: "One address has posted more to a node than it takes in a minute.",
    advice: "Wait a minute. Behind a proxy all of its clients count as one address.",
    role: "again",
    about: "others",
    exit: 1,
    http: 429,
  },
  ROUND_NOT_COLLECTING: {
    cause:
      "A submission was handed to a relayer for a round that is not collecting, or a client's update came after its round.",
    advice:
      "There is nothing to do: the client takes part in the next round. If this goes on, compare both sides' `--rpc`.",
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 409,
  },
  PROPOSAL_MISSING: {
    cause: "A node proposes no result for the round asked for.",
    advice: "There is nothing to do: members ask again until somebody proposes one.",
    role: "again",
    about: "others",
    exit: 1,
    http: 404,
  },
  PROPOSAL_MISMATCH: {
    cause: "A proposed result is not what the round's releases give.",
    advice: "The member does not sign it. If the node is yours, update it; if not, its operator is mistaken or cheats.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  STATEMENT_CONTRADICTORY: {
    cause: "A member's signed statement calls the share of one client both good and wrong.",
    advice: "The statement counts for nothing. If the member is yours, update it; if not, it is mistaken or cheats.",
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 400,
  },
  SIGNATURE_NOT_TAKEN: {
    cause: "A node that proposes a result is away, or does not take a member's signature of it.",
    advice: "If this goes on, check that the node runs and reads the same chain.",
    role: "again",
    about: "others",
    exit: 2,
  },
} as const satisfies Record<string, ErrorEntry>;
