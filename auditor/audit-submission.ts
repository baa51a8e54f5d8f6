/** One accepted submission, verified again without the contract. */
import type { RoundRecords, SubmittedRecord } from "../chain/task-chain.ts";
import { challengePointsOf } from "../task/challenge.ts";
import type { SubmissionTask } from "../task/challenge.ts";
import { VerisumError } from "../protocol/errors.ts";
import { verifyTogether } from "../protocol/batch-verification.ts";
import { chunkSignals, FIRST_ACCUMULATOR_HASH, verifyChunkProof } from "../protocol/groth16.ts";
import type { ChunkInputs } from "../protocol/groth16.ts";
import { verifyOpening } from "../protocol/kzg.ts";
import { chunkBound, submissionEvaluation } from "../protocol/submission.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";

/**
 * Recomputes the challenge, verifies each chunk's proof and the opening.
 * @returns the number of proofs
 * @throws SUBMISSION_INVALID, CHAIN_EVENTS_MISSING, POINT_NOT_ON_CURVE
 */
export function verifySubmission(
  task: SubmissionTask,
  keys: VerificationKeys,
  records: Pick<RoundRecords, "opened">,
  record: SubmittedRecord,
): number {
  const { layout, parameters } = task;
  const { submission, client } = record;
  const require = (holds: boolean, message: string): void => {
    if (!holds) throw new VerisumError("SUBMISSION_INVALID", `${client}: ${message}`, { client });
  };
  require(submission.chunks.length === layout.chunks.length, "the number of proofs is not the layout's");
  require(submission.shareHashes.length ===
    parameters.committeeSize, "the number of share hashes is not the committee's size");
  require(submission.shareEvaluations.length ===
    parameters.threshold - 1, "the number of share evaluations is not t - 1");
  const { alpha, z } = challengePointsOf(task, records, record);
  const inputs = layout.chunks.map((_, index): ChunkInputs => ({
    alpha,
    z,
    bound: chunkBound(index, layout.chunks.length, parameters.normBoundSquared),
    hPrevious: index === 0 ? FIRST_ACCUMULATOR_HASH : submission.chunks[index - 1]!.h,
  }));
  const value = submissionEvaluation(
    layout,
    submission.chunks.map((chunk) => chunk.y),
    z,
  );
  const { commitment, opening } = submission;
  const statements = submission.chunks.map((proof, index) => ({
    kindIndex: layout.chunks[index]!.kindIndex,
    wires: proof.d,
    proof,
    publicSignals: chunkSignals(proof, inputs[index]!),
  }));
  if (verifyTogether(keys, statements, { commitment, z, value, opening })) return layout.chunks.length;
  // Something does not hold; one by one they say what.
  for (const [index, chunk] of layout.chunks.entries()) {
    const proof = submission.chunks[index]!;
    require(verifyChunkProof(
      keys,
      chunk.kindIndex,
      proof.d,
      proof,
      inputs[index]!,
    ), `the proof of chunk ${index} does not verify`);
  }
  require(verifyOpening(
    keys.tau,
    commitment,
    z,
    value,
    opening,
  ), "the commitment does not open to the proven evaluation");
  return layout.chunks.length;
}
