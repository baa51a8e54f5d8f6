/** What is known of an error, in one place: what it says, what a user does, and what programs do. */
export interface ErrorEntry {
  /** The cause in one sentence. */
  readonly cause: string;
  /** What a user does about it. */
  readonly advice: string;
  readonly role: RoleConsequence;
  /** True if it says that a round's training failed: to stay away then would tell of the data. */
  readonly failedTraining?: true;
  readonly about: ErrorSubject;
  /** The exit status of a command that ends with it; 0 is success and 5 a defect of the program. */
  readonly exit: 1 | 2 | 3 | 4;
  /** The HTTP status of a node that answers with it; absent if it says nothing to strangers. */
  readonly http?: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503;
}

/**
 * What a role does that meets the error at work:
 * - `again`: it passes by itself; the role says so and tries again at its next look;
 * - `sit-out`: the role takes no further part in this round, or in the step of it that failed, and goes on with the
 *   next one. A role without a part in the round ends;
 * - `end`: going on would be useless or harmful; the role ends.
 */
export type RoleConsequence = "again" | "sit-out" | "end";

/**
 * What the error says something about. Whoever judges others' work has to know:
 * - `input`: what was given, read or computed from it is wrong: a judgement;
 * - `others`: somebody else has not provided it yet: no judgement until then;
 * - `host`: this machine, or its endpoint of the chain: says nothing about what was looked at.
 */
export type ErrorSubject = "input" | "others" | "host";

export const DISCARDED =
  "Somebody sent bytes that are not what they claim to be. They were discarded; there is nothing to do unless the message names your own files.";
export const EDIT_TASK = "Correct the task's specification; docs/running.md lists the fields.";
