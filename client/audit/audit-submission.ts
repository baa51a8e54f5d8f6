/** One accepted submission, verified again without the contract. */
import type { RoundRecords, SubmittedRecord } from "../../adapters/chain/task-chain.ts";
import { challengePointsOf } from "../../adapters/task/challenge.ts";
import type { TaskSession } from "../../adapters/task/session.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { FIRST_ACCUMULATOR_HASH, verifyChunkProof } from "../../protocol/groth16.ts";
import { verifyOpening } from "../../protocol/kzg.ts";
import { chunkBound, submissionEvaluation } from "../../protocol/submission.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";

/**
 * Recomputes the challenge, verifies each chunk's proof and the opening.
 * @returns the number of proofs
 * @throws AUDIT_FAILED, POINT_NOT_ON_CURVE
 */
export function verifySubmission(session: TaskSession, keys: VerificationKeys, records: RoundRecords, record: SubmittedRecord): number {
  const { layout, parameters } = session;
  const { submission, client } = record;
  const require = (holds: boolean, message: string): void => {
    if (!holds) throw new VerisumError("AUDIT_FAILED", `${client}: ${message}`, { client });
  };
  require(submission.chunks.length === layout.chunks.length, "the number of proofs is not the layout's");
  require(submission.shareHashes.length === parameters.committeeSize, "the number of share hashes is not the committee's size");
  require(submission.shareEvaluations.length === parameters.threshold - 1, "the number of share evaluations is not t - 1");
  const { alpha, z } = challengePointsOf(session, records, record);
  let hPrevious = FIRST_ACCUMULATOR_HASH;
  for (const [index, chunk] of layout.chunks.entries()) {
    const proof = submission.chunks[index]!;
    const bound = chunkBound(index, layout.chunks.length, parameters.normBoundSquared);
    require(verifyChunkProof(keys, chunk.kindIndex, proof.d, proof, { alpha, z, bound, hPrevious }), `the proof of chunk ${index} does not verify`);
    hPrevious = proof.h;
  }
  const y = submissionEvaluation(layout, submission.chunks.map((chunk) => chunk.y), z);
  require(verifyOpening(keys.tau, submission.commitment, z, y, submission.opening), "the commitment does not open to the proven evaluation");
  return layout.chunks.length;
}
