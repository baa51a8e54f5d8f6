/**
 * One round re-checked from the chain's records and content-addressed files alone (docs/protocol.md, section 6,
 * Auditing).
 */
import type { ModelRecord, RoundRecords } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { requireFinalised, requireSameModel, siblingRounds } from "../task/cells.ts";
import type { SiblingSum } from "../task/outcome.ts";
import type { Metrics } from "../task/checkpoint.ts";
import { pointOf } from "../task/challenge.ts";
import { requireOpened, requireSettled } from "../task/round-records.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { addCells } from "../protocol/cells.ts";
import { bitCount } from "../protocol/committee.ts";
import { ensure } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import { unpackSum } from "../protocol/packing.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import type { SubmissionVerifier } from "../protocol/batch-verification.ts";
import { auditSibling } from "./audit-sibling.ts";
import type { VerifiedRounds } from "./audit-submission.ts";
import type { Checker } from "./checklist.ts";
import { findAggregate } from "./find-aggregate.ts";
import type { FinalisedRound } from "./find-aggregate.ts";
import { recomputedText, recomputeModel } from "./recompute.ts";
import { checkReleases, checkSettlement, checkSignatures, checkSum, signedResult } from "./round-checks.ts";

/** The state of the audit between rounds: the last good model. */
export interface AuditedModel {
  readonly record: ModelRecord;
  readonly state: ModelState;
  /** What its aggregator said of it, null if nothing; absent of the genesis, and if its checkpoint is lost. */
  readonly claimed?: Metrics | null;
}

/**
 * Audits one finalised round. Returns the next model, or undefined if it does not follow.
 * @param verified what pairings say of this round, and of others perhaps
 * @param verifier of the sibling cells' submissions
 */
export async function auditRound(
  checker: Checker,
  task: OpenTask,
  keys: VerificationKeys,
  records: FinalisedRound,
  base: AuditedModel,
  verified: VerifiedRounds,
  verifier?: SubmissionVerifier,
): Promise<AuditedModel | undefined> {
  const { finalised } = records;
  const round = Number(finalised.round);
  const started = await checker.check(
    round,
    "base model",
    () => checkBase(records, base),
    (cid) => `starts from ${cid}`,
  );
  for (const record of records.submitted) {
    await checker.check(
      round,
      "submission",
      () => verified.submission(records, record),
      (chunks) => `${record.client}: ${chunks} proof${chunks === 1 ? "" : "s"} and the opening verify`,
    );
  }
  const settled = await checker.check(
    round,
    "settlement",
    () => checkSettlement(task, records),
    ({ included, members }) =>
      `${bitCount(included)} of ${records.submitted.length} clients, attested by ${bitCount(members)} members`,
  );
  if (settled === undefined || started === undefined) return undefined;
  await checker.check(
    round,
    "sum of commitments",
    () => checkSum(records, settled),
    () => `Σ w·C of ${bitCount(settled.included)} commitments`,
  );
  const signed = signedResult(finalised, settled);
  await checker.check(
    round,
    "releases",
    async () => checkReleases(task, records, settled),
    (seats) => `seats ${seats.join(", ")} signed where their sums of shares are`,
  );
  await checker.check(
    round,
    "signatures",
    async () => checkSignatures(task, finalised, signed),
    (seats) => `seats ${seats.join(", ")} signed the result`,
  );
  const point = pointOf(task, signed);
  await checker.check(
    round,
    "opening",
    () =>
      ensure(
        verified.opening(finalised, settled),
        "AGGREGATE_EVALUATION_MISMATCH",
        "the sum does not open to the recorded value",
      ),
    () => "the sum opens at z' to y'",
  );
  const found = await checker.check(
    round,
    "aggregate",
    () => findAggregate(task, records, point),
    ({ elements, source }) => `${elements.length} elements ${source} open the sum`,
  );
  if (found === undefined) return undefined;
  const { elements } = found;
  const siblings = await auditSiblings(checker, task, keys, records, elements, verifier);
  if (siblings === undefined) return undefined;
  const recomputed = await checker.check(
    round,
    "model",
    () => recomputeModel(task, records, base.state, elements, siblings),
    recomputedText,
  );
  if (recomputed === undefined) return undefined;
  const { publication, claimed } = recomputed;
  return {
    record: { round: finalised.round, cid: finalised.result.modelCid, digest: finalised.result.modelDigest },
    state: publication.model,
    ...(claimed === undefined ? {} : { claimed }),
  };
}

/** The sums of the other cells, their rounds checked like this one; undefined if one is missing or red. */
async function auditSiblings(
  checker: Checker,
  task: OpenTask,
  keys: VerificationKeys,
  records: FinalisedRound,
  elements: readonly bigint[],
  verifier: SubmissionVerifier | undefined,
): Promise<readonly SiblingSum[] | undefined> {
  if (task.cells === undefined) return [];
  const { cells } = task.cells;
  const round = Number(records.finalised.round);
  const rounds = await checker.check(
    round,
    "sibling cells",
    async () => {
      const siblings = requireFinalised(await siblingRounds(task, records));
      requireSameModel(siblings, records.finalised.result.modelDigest);
      return siblings;
    },
    (siblings) => `${siblings.length + 1} cells started from one model and finalised one model`,
  );
  const sums: SiblingSum[] = [];
  for (const sibling of rounds ?? []) {
    const place = cells.indexOf(sibling.task.chain.context.contract) + 1;
    const sum = await checker.check(
      round,
      `cell ${place}`,
      async () => auditSibling(sibling, keys, verifier),
      (part) =>
        `round ${part.round}: ${part.clients.length} clients; proofs, settlement, sum, signatures and aggregate verify`,
    );
    if (sum !== undefined) sums.push(sum);
  }
  if (sums.length !== cells.length - 1) return undefined;
  const parts = [{ elements, totalWeight: requireSettled(records).totalWeight }, ...sums];
  const total = await checker.check(
    round,
    "sum of cells",
    () =>
      addCells(parts.map((part) => ({ sums: unpackSum(task.layout, part.elements), totalWeight: part.totalWeight }))),
    ({ totalWeight }) => `${cells.length} cells add up, total weight ${totalWeight}`,
  );
  return total === undefined ? undefined : sums;
}

function checkBase(records: RoundRecords, base: AuditedModel): string {
  const opened = requireOpened(records);
  ensure(
    opened.baseModelDigest === base.record.digest && opened.baseModelCid === base.record.cid,
    "AUDIT_FAILED",
    "the round does not start from the last audited model",
  );
  return cidFromDigest(base.record.cid);
}
