/** One round re-checked from the chain's records and content-addressed files alone (docs/protocol.md, section 6, Auditing). */
import { recoverResultSigner } from "../../adapters/chain/result-signature.ts";
import type { FinalisedRecord, ModelRecord, RoundRecords, SettledRecord } from "../../adapters/chain/task-chain.ts";
import { cidFromDigest } from "../../adapters/ipfs/cid.ts";
import { loadCheckpointConfig } from "../../adapters/task/checkpoint.ts";
import { AGGREGATE_FILE, fetchElements, includedRecords, pointOf, publicationOf } from "../../adapters/task/outcome.ts";
import type { RoundPublication } from "../../adapters/task/outcome.ts";
import type { TaskSession } from "../../adapters/task/session.ts";
import { checkAggregate } from "../../protocol/aggregate.ts";
import { bitCount, bitIndexes } from "../../protocol/committee.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { verifyOpening } from "../../protocol/kzg.ts";
import type { ModelState } from "../../protocol/model.ts";
import { MAX_TOTAL_WEIGHT } from "../../protocol/parameters.ts";
import { equalG1, weightedSumG1 } from "../../protocol/points.ts";
import { smallestInclusion } from "../../protocol/task.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { verifySubmission } from "./audit-submission.ts";
import type { Checker } from "./checklist.ts";

/** The state of the audit between rounds: the last good model. */
export interface AuditedModel {
  readonly record: ModelRecord;
  readonly state: ModelState;
}

/** Audits one finalised round. Returns the next model, or undefined if it does not follow. */
export async function auditRound(
  checker: Checker,
  session: TaskSession,
  keys: VerificationKeys,
  records: RoundRecords & { readonly finalised: FinalisedRecord },
  base: AuditedModel,
): Promise<AuditedModel | undefined> {
  const { finalised } = records;
  const round = Number(finalised.round);
  const started = await checker.check(round, "base model", () => checkBase(records, base), (cid) => `starts from ${cid}`);
  for (const record of records.submitted) {
    await checker.check(round, "submission", () => verifySubmission(session, keys, records, record), (chunks) => `${record.client}: ${chunks} proof${chunks === 1 ? "" : "s"} and the opening verify`);
  }
  const settled = await checker.check(round, "settlement", () => checkSettlement(session, records), ({ included, members }) => `${bitCount(included)} of ${records.submitted.length} clients, attested by ${bitCount(members)} members`);
  if (settled === undefined || started === undefined) return undefined;
  await checker.check(round, "sum of commitments", () => checkSum(records, settled), () => `Σ w·C of ${bitCount(settled.included)} commitments`);
  const signed = { ...finalised.result, round: finalised.round, included: settled.included, totalWeight: settled.totalWeight, sum: settled.sum };
  await checker.check(round, "signatures", async () => checkSignatures(session, finalised, signed), (seats) => `seats ${seats.join(", ")} signed the result`);
  const point = pointOf(session, signed);
  await checker.check(round, "opening", () => require(verifyOpening(keys.tau, settled.sum, point, finalised.evaluation, finalised.opening), "AGGREGATE_EVALUATION_MISMATCH", "the sum does not open to the recorded value"), () => "the sum opens at z' to y'");
  const elements = await checker.check(round, "aggregate", async () => {
    const fetched = await fetchElements(session, finalised.result.aggregateCid, AGGREGATE_FILE);
    checkAggregate(fetched, { digest: finalised.result.aggregateDigest, point, evaluation: finalised.evaluation });
    return fetched;
  }, (fetched) => `${fetched.length} elements at ${cidFromDigest(finalised.result.aggregateCid)} open the sum`);
  if (elements === undefined) return undefined;
  const publication = await checker.check(round, "model", async () => recompute(session, records, base.state, elements), ({ model }) => `${model.weights.length} weights recomputed bit for bit: ${cidFromDigest(finalised.result.modelCid)}`);
  return publication === undefined ? undefined : { record: { round: finalised.round, cid: finalised.result.modelCid, digest: finalised.result.modelDigest }, state: publication.model };
}

function checkBase(records: RoundRecords, base: AuditedModel): string {
  const opened = records.opened;
  require(opened !== undefined, "AUDIT_FAILED", "the chain has no opening of this round");
  require(opened!.baseModelDigest === base.record.digest && opened!.baseModelCid === base.record.cid, "AUDIT_FAILED", "the round does not start from the last audited model");
  return cidFromDigest(base.record.cid);
}

/** U is attested by a quorum T, large enough, and its weights add up. */
function checkSettlement(session: TaskSession, records: RoundRecords): SettledRecord {
  checkCohort(session, records);
  const settled = records.settled;
  if (settled === undefined) throw new VerisumError("AUDIT_FAILED", "the chain has no settlement of this round");
  require(bitCount(settled.members) >= session.parameters.quorum, "AUDIT_FAILED", "fewer members than the quorum attested");
  for (const index of bitIndexes(settled.members)) {
    const attested = records.attested.get(index + 1) ?? 0n;
    require((attested & settled.included) === settled.included, "AUDIT_FAILED", `seat ${index + 1} did not attest every included client`);
  }
  require(bitCount(settled.included) >= smallestInclusion(session.parameters, records.submitted.length), "AUDIT_FAILED", "too few clients are included");
  const weight = includedRecords(records, settled).reduce((sum, record) => sum + record.weight, 0);
  require(weight === settled.totalWeight, "AUDIT_FAILED", "the total weight is not the sum of the included weights");
  return settled;
}

/** Each submission has an index and a client of its own, and a weight that the task allows. */
function checkCohort({ parameters }: TaskSession, { submitted }: RoundRecords): void {
  require(submitted.every(({ index }, place) => index === place), "AUDIT_FAILED", "the submissions' indices are not 0, 1, 2, …");
  require(new Set(submitted.map(({ client }) => client)).size === submitted.length, "AUDIT_FAILED", "a client submitted twice");
  require(submitted.every(({ weight }) => weight >= 1 && (weight === 1 || !parameters.uniformWeights)), "AUDIT_FAILED", "a weight is not one that the task allows");
  require(submitted.reduce((sum, { weight }) => sum + weight, 0) <= MAX_TOTAL_WEIGHT, "AUDIT_FAILED", "the weights exceed what a sum decodes with");
}

function checkSum(records: RoundRecords, settled: SettledRecord): void {
  const included = includedRecords(records, settled);
  const sum = weightedSumG1(included.map(({ submission }) => submission.commitment), included.map(({ weight }) => BigInt(weight)));
  require(equalG1(sum, settled.sum), "AGGREGATE_COMMITMENT_MISMATCH", "the recorded sum is not the weighted sum of the included commitments");
}

async function checkSignatures(session: TaskSession, finalised: FinalisedRecord, signed: Parameters<typeof recoverResultSigner>[1]): Promise<number[]> {
  const members = await session.chain.members();
  const seats = new Set<number>();
  for (const { seat, signature } of finalised.signers) {
    const signer = recoverResultSigner(session.chain.context, signed, signature);
    require(signer.toLowerCase() === members[seat - 1]?.toLowerCase(), "AUDIT_FAILED", `the signature of seat ${seat} is not its member's`);
    seats.add(seat);
  }
  require(seats.size >= session.parameters.threshold, "AUDIT_FAILED", "fewer members than the threshold signed");
  return [...seats];
}

/** Recomputes everything that follows from the aggregate; the checkpoint's CID covers every byte of its files. */
async function recompute(session: TaskSession, records: RoundRecords & { readonly finalised: FinalisedRecord }, base: ModelState, elements: readonly bigint[]): Promise<RoundPublication> {
  const { result } = records.finalised;
  const { metrics } = await loadCheckpointConfig(session.store, result.modelCid);
  const publication = await publicationOf(session, records, base, elements, async () => metrics);
  require(publication.signed.modelDigest === result.modelDigest, "MODEL_DIGEST_MISMATCH", "the recorded model is not what the aggregate gives");
  require(publication.signed.aggregateCid === result.aggregateCid, "AUDIT_FAILED", "the aggregate's CID is not that of its bytes");
  require(publication.signed.modelCid === result.modelCid, "AUDIT_FAILED", "the checkpoint's files are not what the aggregate gives");
  return publication;
}

function require(holds: boolean, code: "AUDIT_FAILED" | "AGGREGATE_COMMITMENT_MISMATCH" | "AGGREGATE_EVALUATION_MISMATCH" | "MODEL_DIGEST_MISMATCH", message: string): void {
  if (!holds) throw new VerisumError(code, message);
}
