/** Accepted submissions and the opening of their sum, verified again without the contract: alone, or many together. */
import type { FinalisedRecord, RoundRecords, SettledRecord, SubmittedRecord } from "../chain/task-chain.ts";
import { challengePointsOf } from "../task/challenge.ts";
import type { SubmissionTask } from "../task/challenge.ts";
import { pointOf } from "../task/challenge.ts";
import { ensure, isVerisumError } from "../protocol/errors.ts";
import { verifyTogether } from "../protocol/batch-verification.ts";
import type { OpeningStatement, SubmissionClaim, SubmissionVerifier } from "../protocol/batch-verification.ts";
import { chunkSignals, FIRST_ACCUMULATOR_HASH, verifyProof } from "../protocol/groth16.ts";
import { verifyOpening } from "../protocol/kzg.ts";
import { chunkBound, submissionEvaluation } from "../protocol/submission.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import { signedResult } from "./round-checks.ts";

type OfRound = Pick<RoundRecords, "opened" | "bases">;

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
  requireBase(parameters, records, record);
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

/** The model that it starts from is one of those that the round took: the latest one, or so many before it. */
function requireBase(
  { maxStaleness }: SubmissionTask["parameters"],
  { opened }: OfRound,
  { client, submission: { base } }: SubmittedRecord,
): void {
  if (opened === undefined) return;
  const latest = opened.baseModel;
  const oldest = latest - BigInt(maxStaleness);
  requireOf(client, base <= latest && base >= oldest, `it starts from model ${base}, not of ${oldest} to ${latest}`);
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

/** What pairings say of some rounds. */
export interface VerifiedRounds {
  /** Returns and throws what `verifySubmission` does. */
  submission(records: OfRound, record: SubmittedRecord): number;
  /** True if the sum opens as the round's result records it. @throws POINT_NOT_ON_CURVE */
  opening(finalised: FinalisedRecord, settled: SettledRecord): boolean;
}

/**
 * Verifies all submissions of some rounds, and the openings of their sums, in one product. What that leaves open is
 * verified alone, when it is asked for.
 * @param rounds records that are asked about: the same objects
 */
export async function verifyRounds(
  task: SubmissionTask,
  keys: VerificationKeys,
  rounds: readonly RoundRecords[],
  verifier: SubmissionVerifier | undefined,
): Promise<VerifiedRounds> {
  const claims = verifier === undefined ? [] : rounds.flatMap((records) => claimsOf(task, records));
  const failing = new Set(
    await verifier?.failing(
      keys,
      claims.map(({ claim }) => claim),
    ),
  );
  const held = new Set<object>(claims.flatMap(({ record }, i) => (failing.has(i) ? [] : [record])));
  return {
    submission: (records, record) =>
      held.has(record) ? record.submission.chunks.length : verifySubmission(task, keys, records, record),
    opening: (finalised, settled) => {
      if (held.has(finalised)) return true;
      const { commitment, z, value, opening } = sumOpening(task, finalised, settled);
      return verifyOpening(keys.tau, commitment, z, value, opening);
    },
  };
}

interface RecordedClaim {
  readonly record: object;
  readonly claim: SubmissionClaim;
}

function claimsOf(task: SubmissionTask, records: RoundRecords): RecordedClaim[] {
  const { finalised, settled } = records;
  const submissions = records.submitted.flatMap((record): RecordedClaim[] => {
    const claim = claimIfWhole(task, records, record);
    return claim === undefined ? [] : [{ record, claim }];
  });
  if (finalised === undefined || settled === undefined) return submissions;
  return [...submissions, { record: finalised, claim: { proofs: [], opening: sumOpening(task, finalised, settled) } }];
}

/** What the result of a round claims of the sum of commitments. */
function sumOpening(task: SubmissionTask, finalised: FinalisedRecord, settled: SettledRecord): OpeningStatement {
  const { evaluation, opening } = finalised;
  return {
    commitment: settled.sum,
    z: pointOf(task, signedResult(finalised, settled)),
    value: evaluation,
    opening,
  };
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
