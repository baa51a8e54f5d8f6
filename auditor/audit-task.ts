/** A whole task audited, from its genesis to its latest model. */
import type { RoundRecords } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { loadModelState } from "../task/checkpoint.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { VerisumError } from "../protocol/errors.ts";
import { guardVerificationKeys } from "../protocol/key-guard.ts";
import { decodeVerificationKeys, hashVerificationKeys } from "../protocol/verification-key.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import { toHex } from "../protocol/transcript.ts";
import type { SubmissionVerifier } from "../protocol/batch-verification.ts";
import { auditRound } from "./audit-round.ts";
import type { AuditedModel } from "./audit-round.ts";
import { Checker } from "./checklist.ts";
import type { Checklist, Finding } from "./checklist.ts";

export interface AuditOptions {
  /** Rounds up to and including this one are taken as audited before. */
  readonly after?: bigint;
  /** The last round looked at; the current one by default. */
  readonly until?: bigint;
  readonly onFinding?: (finding: Finding) => void;
  /** Verifies the submissions of a round together; without it each is verified alone, which takes many times longer. */
  readonly verifier?: SubmissionVerifier;
}

export interface TaskAudit extends Checklist {
  /** The last model that follows from the genesis. */
  readonly model: AuditedModel | undefined;
}

/**
 * Re-checks the keys, the genesis and every finalised round from the chain and content-addressed files alone.
 * A red finding does not throw; what cannot be read at all (an unreachable chain) does.
 */
export async function auditTask(task: OpenTask, options: AuditOptions = {}): Promise<TaskAudit> {
  const checker = new Checker(options.onFinding ?? (() => undefined));
  const keys = await checker.check(
    0,
    "keys",
    () => checkKeys(task),
    ({ kinds }) => `${kinds.length} key${kinds.length === 1 ? "" : "s"}, hash as recorded, none degenerate`,
  );
  const { genesisCid: cid, genesisDigest: digest, dimension } = task.parameters;
  const after = options.after ?? 0n;
  const until = options.until ?? (await task.chain.round()).number;
  let model: AuditedModel | undefined = await checker.check(
    0,
    "genesis",
    async () => ({
      record: { round: 0n, cid, digest },
      state: await loadModelState(task, cid, digest),
    }),
    () => `${dimension} weights at ${cidFromDigest(cid)}`,
  );
  for (let round = 1n; round <= until && model !== undefined && keys !== undefined; round += 1n) {
    const records = await task.chain.records(round);
    if (!isFinalised(records)) continue;
    if (round <= after) {
      const { modelCid, modelDigest } = records.finalised.result;
      model = await checker.check(
        Number(round),
        "base model",
        async () => ({
          record: { round, cid: modelCid, digest: modelDigest },
          state: await loadModelState(task, modelCid, modelDigest),
        }),
        () => `audited before: ${cidFromDigest(modelCid)}`,
      );
      continue;
    }
    model = await auditRound(checker, task, keys, records, model, options.verifier);
  }
  if (model !== undefined) await checkLatest(checker, task, model, until);
  return { ...checker.result(), model };
}

/**
 * What the contract calls the latest model is what the audit arrived at: no finalised round is missing from the events.
 */
async function checkLatest(checker: Checker, task: OpenTask, { record }: AuditedModel, until: bigint): Promise<void> {
  const latest = await task.chain.latestModel();
  if (latest.round > until) return;
  const check = (): void => {
    const same = latest.round === record.round && latest.cid === record.cid && latest.digest === record.digest;
    if (!same)
      throw new VerisumError(
        latest.round > record.round ? "CHAIN_EVENTS_MISSING" : "AUDIT_FAILED",
        `the contract's model comes from round ${latest.round}, the audited one from round ${record.round}`,
      );
  };
  await checker.check(Number(latest.round), "latest model", check, () => `the contract's model is the audited one`);
}

function isFinalised(
  records: RoundRecords,
): records is RoundRecords & { readonly finalised: NonNullable<RoundRecords["finalised"]> } {
  return records.finalised !== undefined;
}

async function checkKeys(task: OpenTask): Promise<VerificationKeys> {
  const keys = decodeVerificationKeys(await task.chain.verificationKeys());
  if (toHex(hashVerificationKeys(keys)) !== task.parameters.keysHash) {
    throw new VerisumError("KEY_REFUSED", "the keys on chain do not have the recorded hash");
  }
  guardVerificationKeys(keys, task.layout.preset);
  return keys;
}
