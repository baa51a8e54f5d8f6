/**
 * What the chain's records of a round must satisfy, in this cell or in a sibling (docs/protocol.md, section 6,
 * Auditing).
 */
import { intakeRecordOf } from "../chain/codec.ts";
import { isOf } from "../chain/lists.ts";
import { checkStatementInRound } from "../chain/statement-signatures.ts";
import type { StatementKinds } from "../chain/statement-signatures.ts";
import type {
  FinalisedRecord,
  RoundRecords,
  SeatSignature,
  SettledRecord,
  SignedResult,
  SubmittedRecord,
} from "../chain/task-chain.ts";
import { includedRecords } from "../task/round-records.ts";
import { requireSettled } from "../task/round-records.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { bitCount, bitIndexes } from "../protocol/committee.ts";
import { ensure, isVerisumError, VerisumError } from "../protocol/errors.ts";
import { MAX_TOTAL_WEIGHT } from "../protocol/parameters.ts";
import { equalG1, weightedSumG1 } from "../protocol/points.ts";
import { smallestInclusion } from "../protocol/task.ts";
import { extendIntake, recordHashOf, settlementOf, ZERO_WORD } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";

/** What members signed of a finalised round. */
export function signedResult({ round, result }: FinalisedRecord, { settlement }: SettledRecord): SignedResult {
  return { ...result, round, settlement };
}

/**
 * U is attested by a quorum T, large enough, its weights add up, and intake and settlement are the hashes of what the
 * events say. @throws AUDIT_FAILED, CHAIN_EVENTS_MISSING
 */
export async function checkSettlement(task: OpenTask, records: RoundRecords): Promise<SettledRecord> {
  await checkCohort(task, records);
  const settled = requireSettled(records);
  ensure(bitCount(settled.members) >= task.parameters.quorum, "AUDIT_FAILED", "fewer members than the quorum attested");
  ensure(
    bitIndexes(settled.members).every((index) => index < task.parameters.committeeSize),
    "AUDIT_FAILED",
    "a member that attested has no seat",
  );
  ensure(
    bitCount(settled.included) >= smallestInclusion(task.parameters, records.submitted.length),
    "AUDIT_FAILED",
    "too few clients are included",
  );
  const weight = includedRecords(records, settled).reduce((sum, record) => sum + record.weight, 0);
  ensure(weight === settled.totalWeight, "AUDIT_FAILED", "the total weight is not the sum of the included weights");
  ensure(settled.intake === intakeOf(records), "AUDIT_FAILED", "the intake is not the hash of the submissions");
  ensure(
    settled.settlement === settlementOf(settled),
    "AUDIT_FAILED",
    "the settlement is not the hash of what was settled",
  );
  return settled;
}

/** The running hash of the round's submissions. */
function intakeOf({ submitted }: RoundRecords): Hex {
  return submitted.reduce(
    (intake, record) => extendIntake(intake, recordHashOf(record.round, intakeRecordOf(record))),
    ZERO_WORD,
  );
}

/** Each submission has an index and a client of its own, which was listed for this round with this weight. */
async function checkCohort({ chain, parameters }: OpenTask, { submitted }: RoundRecords): Promise<void> {
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
    submitted.every(({ weight }) => weight >= 1 && weight <= parameters.maxWeight),
    "AUDIT_FAILED",
    "a weight is not one that the task allows",
  );
  const terms = await chain.clientTerms();
  const isListed = ({ round, client, weight }: SubmittedRecord): boolean =>
    terms.some((term) => term.client === client.toLowerCase() && term.weight === weight && isOf(term, round));
  ensure(submitted.every(isListed), "AUDIT_FAILED", "a client was not listed for the round with its weight");
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

/** At least t members signed the result. Returns their seats. @throws AUDIT_FAILED */
export async function checkSignatures(
  task: OpenTask,
  finalised: FinalisedRecord,
  signed: SignedResult,
): Promise<number[]> {
  const statements = finalised.signers.map((signer) => ({ ...signed, ...signer }));
  return checkSeats(task, "Result", statements, "fewer members than the threshold signed");
}

/** At least t members signed where their releases for this settlement are. Returns their seats. @throws AUDIT_FAILED */
export async function checkReleases(
  task: OpenTask,
  { released }: Pick<RoundRecords, "released">,
  { settlement }: SettledRecord,
): Promise<number[]> {
  ensure(
    released.every((release) => release.settlement === settlement),
    "AUDIT_FAILED",
    "a release is of another settlement",
  );
  return checkSeats(task, "Release", released, "fewer members than the threshold released");
}

async function checkSeats<K extends "Release" | "Result">(
  { chain, parameters }: OpenTask,
  kind: K,
  statements: readonly (StatementKinds[K] & SeatSignature)[],
  tooFew: string,
): Promise<number[]> {
  const terms = await chain.seats();
  for (const statement of statements) {
    try {
      checkStatementInRound(chain.context, terms, kind, statement);
    } catch (cause) {
      if (!isVerisumError(cause, "SIGNATURE_INVALID") && !isVerisumError(cause, "SEAT_REPLACED")) throw cause;
      throw new VerisumError("AUDIT_FAILED", cause.message, { seat: statement.seat }, { cause });
    }
  }
  const seats = new Set(statements.map(({ seat }) => seat));
  ensure(seats.size >= parameters.threshold, "AUDIT_FAILED", tooFew);
  return [...seats];
}
