/** What a round is made of: shares, sums, models and updates. */
import { DISCARDED } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

const REJECT_MODEL =
  "Do not train on this model. Run `npm run fl -- verify` against another RPC endpoint; if it fails there too, start a new task from the last good model.";

export const ROUND_ERRORS = {
  SHARE_INDEX: {
    cause: "A share index is zero, repeated or larger than the committee.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  SHARE_COUNT: {
    cause: "Fewer shares were given than the threshold needs.",
    advice: "Wait for further members' releases. If the round aborts, see that enough members run.",
    role: "again",
    about: "input",
    exit: 1,
  },
  SHARE_DIGEST_MISMATCH: {
    cause: "A decrypted share does not have the digest recorded on chain.",
    advice:
      "The member does not attest this client; the round goes on without it. The client should start again from a clean state directory.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  SHARE_EVALUATION_MISMATCH: {
    cause: "A share does not evaluate at z to the committed polynomial's value.",
    advice: "As for SHARE_DIGEST_MISMATCH: the client shared something other than what it committed to.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  SHARE_DECRYPTION: {
    cause: "A share ciphertext does not open for this member, round and client.",
    advice:
      "As for SHARE_DIGEST_MISMATCH. If a member reports it for every client, its round keys are not the registered ones: start it with the state directory that it registered them from.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  AGGREGATE_COMMITMENT_MISMATCH: {
    cause: "The recorded sum of commitments is not the weighted sum of the included clients' commitments.",
    advice: REJECT_MODEL,
    role: "end",
    about: "input",
    exit: 1,
  },
  AGGREGATE_EVALUATION_MISMATCH: {
    cause: "The published aggregate does not evaluate to the value checked on chain.",
    advice: REJECT_MODEL,
    role: "end",
    about: "input",
    exit: 1,
  },
  AGGREGATE_DIGEST_MISMATCH: {
    cause: "The published aggregate does not have the digest recorded on chain.",
    advice: REJECT_MODEL,
    role: "end",
    about: "input",
    exit: 1,
  },
  AGGREGATE_NOT_RECOVERABLE: {
    cause: "No threshold-sized set of released share sums opens the sum of commitments.",
    advice: "Wait for further releases until the deadline; then the round aborts and the next one opens.",
    role: "again",
    about: "input",
    exit: 1,
  },
  MODEL_DIGEST_MISMATCH: {
    cause: "A model's integer state does not have the digest recorded on chain.",
    advice: REJECT_MODEL,
    role: "end",
    about: "input",
    exit: 1,
  },
  CHECKPOINT_INVALID: {
    cause: "A checkpoint is absent or incomplete, or its files are malformed or contradict one another.",
    advice: REJECT_MODEL,
    role: "end",
    about: "input",
    exit: 1,
  },
  MODEL_NOT_FINITE: {
    cause: "A weight of a model is NaN or an infinity.",
    advice: "Start from finite weights: correct the model that the task starts from, or the file that is read.",
    role: "end",
    about: "input",
    exit: 1,
  },
  MODEL_OVERFLOW: {
    cause: "An integer model weight left the range of the model's fixed-point format.",
    advice:
      "Training has diverged over the rounds. Start a new task with a lower server learning rate or fewer fractional bits.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  UPDATE_NOT_FINITE: {
    cause: "A local update contains NaN or an infinity.",
    advice: "Lower the learning rate, and look for extreme values in the data.",
    role: "end",
    about: "input",
    exit: 1,
  },
  UPDATE_LENGTH: {
    cause: "An update, a model or a sum of updates does not have the task's number of coordinates.",
    advice: "What was trained is not the task's model. Update this program and join again.",
    role: "end",
    about: "input",
    exit: 1,
  },
  UPDATE_OVER_BOUND: {
    cause: "A quantised update exceeds the round's norm bound or coordinate range.",
    advice:
      "An honest client never sends such an update. If you changed the client, its update must stay within the task's clip norm.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  UPDATE_NOISE_OVER_BOUND: {
    cause: "This round's random rounding or noise takes the update over the norm bound.",
    advice:
      "Nothing is to be done: the client sits the round out, since noise is not drawn twice. It is rare in a task whose bounds fit its noise (docs/privacy.md).",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  ROUND_SAT_OUT: {
    cause: "The client sits this round out, for a reason that it met before.",
    advice: "Nothing is to be done: the client goes on with the next round.",
    role: "sit-out",
    about: "host",
    exit: 1,
  },
  ROUND_EQUIVOCATION: {
    cause: "A second, different release or submission was asked for in one round.",
    advice: "Never override it: two answers in one round reveal single updates. Wait for the next round.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  ROUND_TOO_SMALL: {
    cause: "A round settled on fewer clients than this member's own minimum.",
    advice: "There is nothing to do: the member releases nothing in this round. Its minimum is `--min-clients`.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  ROUND_KEY_GONE: {
    cause: "The member's key of a round is not in its state directory: it was erased after a release, or never there.",
    advice:
      "There is nothing to do after a release. If it happens in every round, the state directory is not the one whose keys are registered: use that one.",
    role: "sit-out",
    about: "host",
    exit: 1,
  },
  ROUND_KEY_INVALID: {
    cause: "A member's public key of a round cannot be encrypted to.",
    advice:
      "That seat gets no share of this client. Its member restores the state directory whose keys are registered.",
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  AUDIT_FAILED: {
    cause: "A published round does not follow from the chain's records.",
    advice: REJECT_MODEL,
    role: "end",
    about: "input",
    exit: 1,
  },
  METRICS_MISMATCH: {
    cause: "What an aggregator claims of a model is not what was measured on as many examples.",
    advice:
      "If `--data` names the aggregator's own test data, its claim is false: go by the number that was recomputed. The model itself is what the rounds give.",
    role: "end",
    about: "input",
    exit: 1,
  },
  SUBMISSION_INVALID: {
    cause: "A proof or the opening of a submission does not hold, or one of its parts has another length.",
    advice:
      "If the audit finds it in a round: do not train on the model. If a client finds it in its own submission, nothing has left the machine: delete the keys' directory; they are fetched or made again.",
    role: "end",
    about: "input",
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
