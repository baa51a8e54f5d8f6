/** Accepted submissions, verified again without the contract: one alone, or all of a round together. */
import type { RoundRecords, SubmittedRecord } from "../chain/task-chain.ts";
import { challengePointsOf } from "../task/challenge.ts";
import type { SubmissionTask } from "../task/challenge.ts";
import { ensure, isVerisumError } from "../protocol/errors.ts";
import { verifyTogether } from "../protocol/batch-verification.ts";
import type { SubmissionClaim, SubmissionVerifier } from "../protocol/batch-verification.ts";
import { chunkSignals, FIRST_ACCUMULATOR_HASH, verifyProof } from "../protocol/groth16.ts";
import { verifyOpening } from "../protocol/kzg.ts";
import { chunkBound, submissionEvaluation } from "../protocol/submission.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";

type OfRound = Pick<RoundRecords, "opened">;

/**
 * What a submission claims at the challenge that its own fields give.
 * @throws SUBMISSION_INVALID if it has not as many parts as the task asks for, CHAIN_EVENTS_MISSING
 */
function claimOf(task: SubmissionTask, records: OfRound, record: SubmittedRecord): SubmissionClaim {
  const { layout, parameters } = task;
  const { submission, client } = record;
  const { chunks, commitment, opening } = submission;
  requireOf(client, chunks.length === layout.chunks.length, "the number of proofs differs from the layout's");
  const { committeeSize, threshold } = parameters;
  requireOf(
    client,
    submission.shareHashes.length === committeeSize,
    "the number of share hashes differs from the committee's size",
  );
  requireOf(
    client,
    submission.shareEvaluations.length === threshold - 1,
    "the number of share evaluations is not t - 1",
  );
  const { alpha, z } = challengePointsOf(task, records, record);
  const proofs = chunks.map((proof, index) => ({
    kindIndex: layout.chunks[index]!.kindIndex,
    wires: proof.d,
    proof,
    publicSignals: chunkSignals(proof, {
      alpha,
      z,
      bound: chunkBound(index, chunks.length, parameters.normBoundSquared),
      hPrevious: index === 0 ? FIRST_ACCUMULATOR_HASH : chunks[index - 1]!.h,
    }),
  }));
  const evaluations = chunks.map((chunk) => chunk.y);
  return { proofs, opening: { commitment, z, value: submissionEvaluation(layout, evaluations, z), opening } };
}

/**
 * Recomputes the challenge, verifies each chunk's proof and the opening.
 * @returns the number of proofs
 * @throws SUBMISSION_INVALID, CHAIN_EVENTS_MISSING, POINT_NOT_ON_CURVE
 */
export function verifySubmission(
  task: SubmissionTask,
  keys: VerificationKeys,
  records: OfRound,
  record: SubmittedRecord,
): number {
  const { proofs, opening } = claimOf(task, records, record);
  if (verifyTogether(keys, proofs, opening)) return proofs.length;
  // Something does not hold; one by one they say what.
  for (const [index, { kindIndex, wires, proof, publicSignals }] of proofs.entries()) {
    const holds = verifyProof(keys, kindIndex, wires, proof, publicSignals);
    requireOf(record.client, holds, `the proof of chunk ${index} does not verify`);
  }
  const opens = verifyOpening(keys.tau, opening.commitment, opening.z, opening.value, opening.opening);
  requireOf(record.client, opens, "the commitment does not open to the proven evaluation");
  return proofs.length;
}

/**
 * Verifies all submissions of a round in one product. What that leaves open is verified alone, when it is asked for.
 * @returns for each submission what `verifySubmission` returns or throws
 */
export async function verifySubmissions(
  task: SubmissionTask,
  keys: VerificationKeys,
  records: OfRound & Pick<RoundRecords, "submitted">,
  verifier: SubmissionVerifier | undefined,
): Promise<(record: SubmittedRecord) => number> {
  const alone = (record: SubmittedRecord): number => verifySubmission(task, keys, records, record);
  if (verifier === undefined) return alone;
  const claims = records.submitted.flatMap((record) => {
    const claim = claimIfWhole(task, records, record);
    return claim === undefined ? [] : [{ record, claim }];
  });
  const failing = new Set(
    await verifier.failing(
      keys,
      claims.map(({ claim }) => claim),
    ),
  );
  const verified = new Map(
    claims.filter((_, i) => !failing.has(i)).map(({ record, claim }) => [record, claim.proofs.length]),
  );
  return (record) => verified.get(record) ?? alone(record);
}

function claimIfWhole(task: SubmissionTask, records: OfRound, record: SubmittedRecord): SubmissionClaim | undefined {
  try {
    return claimOf(task, records, record);
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    return undefined;
  }
}

function requireOf(client: string, holds: boolean, message: string): void {
  ensure(holds, "SUBMISSION_INVALID", `${client}: ${message}`, { client });
}
