/** The challenge of an accepted submission, as its reader recomputes it. */
import type { RoundRecords, SubmittedRecord } from "../chain/task-chain.ts";
import { VerisumError } from "../protocol/errors.ts";
import { challengeOf, challengePoints, sharesDigest } from "../protocol/transcript.ts";
import type { OpenTask } from "./opened-task.ts";

/** alpha and z of a submission that is recorded on chain. @throws AUDIT_FAILED if the round has no opening on record */
export function challengePointsOf(
  task: OpenTask,
  records: RoundRecords,
  record: SubmittedRecord,
): { readonly alpha: bigint; readonly z: bigint } {
  const { submission } = record;
  if (records.opened === undefined)
    throw new VerisumError("AUDIT_FAILED", `the chain has no opening of round ${record.round}`, {
      round: record.round,
    });
  return challengePoints(
    challengeOf({
      ...task.chain.context,
      round: record.round,
      client: record.client,
      weight: record.weight,
      parametersHash: task.parametersHash,
      baseModelDigest: records.opened.baseModelDigest,
      commitment: submission.commitment,
      sharesDigest: sharesDigest(submission.shareHashes),
      sharesCid: submission.sharesCid,
      shareEvaluationCount: submission.shareEvaluations.length,
      wireCommitments: submission.chunks.map((chunk) => chunk.d),
    }),
  );
}
