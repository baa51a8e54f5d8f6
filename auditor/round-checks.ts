/**
 * What the chain's records of a round must satisfy, in this cell or in a sibling (docs/protocol.md, section 6,
 * Auditing).
 */
import { recoverResultSigner } from "../chain/result-signature.ts";
import type { FinalisedRecord, RoundRecords, SettledRecord, SignedResult } from "../chain/task-chain.ts";
import { includedRecords } from "../task/round-records.ts";
import { requireSettled } from "../task/round-records.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { bitCount, bitIndexes } from "../protocol/committee.ts";
import { ensure } from "../protocol/errors.ts";
import { MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";
import { equalG1, weightedSumG1 } from "../protocol/points.ts";
import { smallestInclusion } from "../protocol/task.ts";

/** What members signed of a finalised round. */
export function signedResult(
  { round, result }: FinalisedRecord,
  { included, totalWeight, sum }: SettledRecord,
): SignedResult {
  return { ...result, round, included, totalWeight, sum };
}

/** U is attested by a quorum T, large enough, and its weights add up. @throws AUDIT_FAILED, CHAIN_EVENTS_MISSING */
export function checkSettlement(task: OpenTask, records: RoundRecords): SettledRecord {
  checkCohort(task, records);
  const settled = requireSettled(records);
  ensure(bitCount(settled.members) >= task.parameters.quorum, "AUDIT_FAILED", "fewer members than the quorum attested");
  for (const index of bitIndexes(settled.members)) {
    const attested = records.attested.get(index + 1) ?? 0n;
    ensure(
      (attested & settled.included) === settled.included,
      "AUDIT_FAILED",
      `seat ${index + 1} did not attest every included client`,
    );
  }
  ensure(
    bitCount(settled.included) >= smallestInclusion(task.parameters, records.submitted.length),
    "AUDIT_FAILED",
    "too few clients are included",
  );
  const weight = includedRecords(records, settled).reduce((sum, record) => sum + record.weight, 0);
  ensure(weight === settled.totalWeight, "AUDIT_FAILED", "the total weight is not the sum of the included weights");
  return settled;
}

/** Each submission has an index and a client of its own, and a weight that the task allows. */
function checkCohort({ parameters }: OpenTask, { submitted }: RoundRecords): void {
  ensure(
    submitted.every(({ index }, place) => index === place),
    "AUDIT_FAILED",
    "the submissions' indices are not 0, 1, 2, …",
  );
  ensure(
    new Set(submitted.map(({ client }) => client)).size === submitted.length,
    "AUDIT_FAILED",
    "a client submitted twice",
  );
  ensure(
    submitted.every(({ weight }) => weight >= 1 && (weight === 1 || !parameters.uniformWeights)),
    "AUDIT_FAILED",
    "a weight is not one that the task allows",
  );
  ensure(
    submitted.reduce((sum, { weight }) => sum + weight, 0) <= MAX_TOTAL_WEIGHT,
    "AUDIT_FAILED",
    "the total weight is larger than a sum can decode",
  );
}

/** @throws AGGREGATE_COMMITMENT_MISMATCH */
export function checkSum(records: RoundRecords, settled: SettledRecord): void {
  const included = includedRecords(records, settled);
  const sum = weightedSumG1(
    included.map(({ submission }) => submission.commitment),
    included.map(({ weight }) => BigInt(weight)),
  );
  ensure(
    equalG1(sum, settled.sum),
    "AGGREGATE_COMMITMENT_MISMATCH",
    "the recorded sum is not the weighted sum of the included commitments",
  );
}

/** At least t members signed. Returns their seats. @throws AUDIT_FAILED */
export async function checkSignatures(
  task: OpenTask,
  finalised: FinalisedRecord,
  signed: SignedResult,
): Promise<number[]> {
  const members = await task.chain.members();
  const seats = new Set<number>();
  for (const { seat, signature } of finalised.signers) {
    const signer = recoverResultSigner(task.chain.context, signed, signature);
    ensure(
      signer.toLowerCase() === members[seat - 1]?.toLowerCase(),
      "AUDIT_FAILED",
      `the signature of seat ${seat} is not its member's`,
    );
    seats.add(seat);
  }
  ensure(seats.size >= task.parameters.threshold, "AUDIT_FAILED", "fewer members than the threshold signed");
  return [...seats];
}
