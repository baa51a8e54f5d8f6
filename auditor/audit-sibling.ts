/**
 * A sibling cell's part in a round, checked as strictly as the cell's own: whoever accepts the sum accepts every cell's
 * clients.
 */
import { sumOf } from "../task/cells.ts";
import type { requireFinalised } from "../task/cells.ts";
import type { SiblingSum } from "../task/outcome.ts";
import { pointOf } from "../task/challenge.ts";
import type { SubmissionVerifier } from "../protocol/batch-verification.ts";
import { ensure } from "../protocol/errors.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import { verifyRounds } from "./audit-submission.ts";
import { findAggregate } from "./find-aggregate.ts";
import { checkReleases, checkSettlement, checkSignatures, checkSum, signedResult } from "./round-checks.ts";

/**
 * Verifies every submission, the settlement, the sum, the signatures, the opening and the aggregate of a finalised
 * sibling round. Its base model is the caller's to compare (`siblingRounds`), and so is its result
 * (`requireSameModel`).
 * @throws AUDIT_FAILED, AGGREGATE_*, and whatever the store throws
 */
export async function auditSibling(
  { task, records }: ReturnType<typeof requireFinalised>[number],
  keys: VerificationKeys,
  verifier?: SubmissionVerifier,
): Promise<SiblingSum> {
  const { finalised } = records;
  const verified = await verifyRounds(task, keys, [records], verifier);
  for (const record of records.submitted) verified.submission(records, record);
  const settled = await checkSettlement(task, records);
  checkSum(records, settled);
  const signed = signedResult(finalised, settled);
  await checkReleases(task, records, settled);
  await checkSignatures(task, finalised, signed);
  const point = pointOf(task, signed);
  ensure(
    verified.opening(finalised, settled),
    "AGGREGATE_EVALUATION_MISMATCH",
    "the sibling's sum does not open to the recorded value",
  );
  const { elements } = await findAggregate(task, records, point);
  return sumOf({ task, records }, elements);
}
