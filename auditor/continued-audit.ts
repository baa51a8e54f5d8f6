/** An audit that goes on, round by round, for as long as a task runs. */
import type { OpenTask } from "../task/opened-task.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { SubmissionVerifier } from "../protocol/batch-verification.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import { verifyRounds } from "./audit-submission.ts";
import { rememberingVerifier } from "./remembering-verifier.ts";
import type { AuditedModel } from "./audit-round.ts";
import { auditTask } from "./audit-task.ts";
import type { AuditOptions, TaskAudit } from "./audit-task.ts";

/** Which model the rounds up to this one led to: after a reorganisation a number alone may stand for another round. */
export interface AuditedRound {
  readonly round: bigint;
  readonly modelDigest: Hex;
}

/**
 * Audits the rounds after `after`, up to `until`; undefined stands for the genesis.
 * @throws what {@link auditTask} does
 */
export type AuditOn = (after: AuditedRound | undefined, until: bigint) => Promise<Omit<TaskAudit, "metrics">>;

export interface ContinuedAudit {
  readonly audit: AuditOn;
  /** Verifies the submissions of a round that has no result yet, so that its audit finds that done. Judges nothing. */
  readonly verifyAhead: (round: bigint) => Promise<void>;
}

/**
 * Each audit starts from the model at which the last one arrived, without reading it again: its work does not depend on
 * how many rounds there were. The caller remembers over restarts how far it came.
 * @param keys the task's, checked against the recorded hash
 */
export function continuedAudit(task: OpenTask, keys: VerificationKeys, engine: SubmissionVerifier): ContinuedAudit {
  const verifier = rememberingVerifier(engine);
  let arrived: AuditedModel | undefined;
  return {
    audit: async (after, until) => {
      const audit = await auditTask(task, { keys, verifier, until, ...startAfter(after, arrived) });
      if (audit.ok) arrived = audit.model;
      return audit;
    },
    verifyAhead: async (round) => {
      await verifyRounds(task, keys, [await task.chain.records(round)], verifier);
    },
  };
}

function startAfter(
  after: AuditedRound | undefined,
  arrived: AuditedModel | undefined,
): Pick<AuditOptions, "after" | "base"> {
  if (after === undefined) return {};
  const digest = after.modelDigest;
  return {
    after: after.round,
    base: arrived?.record.digest === digest ? { digest, state: arrived.state } : { digest },
  };
}
