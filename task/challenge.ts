/** The challenges of an accepted submission and of a result, as their reader recomputes them. */
import type { RoundRecords, SignedResult, SubmittedRecord } from "../chain/task-chain.ts";
import { challengeOf, challengePoints, resultPoint, sharesDigest } from "../protocol/transcript.ts";
import type { OpenTask } from "./opened-task.ts";
import { baseDigestIn } from "./round-records.ts";

/** What verifying a submission takes of its task. */
export type SubmissionTask = Pick<OpenTask, "layout" | "parameters"> & {
  readonly chain: Pick<OpenTask["chain"], "context">;
};

/** alpha and z of a submission that is recorded on chain. @throws CHAIN_EVENTS_MISSING */
export function challengePointsOf(
  task: SubmissionTask,
  records: Pick<RoundRecords, "bases">,
  record: SubmittedRecord,
): { readonly alpha: bigint; readonly z: bigint } {
  const { submission } = record;
  return challengePoints(
    challengeOf({
      ...task.chain.context,
      round: record.round,
      client: record.client,
      weight: record.weight,
      baseModelDigest: baseDigestIn(records, submission.base),
      base: submission.base,
      commitment: submission.commitment,
      sharesDigest: sharesDigest(submission.shareHashes),
      sharesCid: submission.sharesCid,
      shareEvaluationCount: submission.shareEvaluations.length,
      wireCommitments: submission.chunks.map((chunk) => chunk.d),
    }),
  );
}

/** z' of a result. */
export function pointOf(task: { readonly chain: Pick<OpenTask["chain"], "context"> }, signed: SignedResult): bigint {
  return resultPoint({ ...task.chain.context, ...signed });
}
