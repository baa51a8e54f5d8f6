/** A whole task audited, from its genesis to its latest model. */
import type { ModelRecord, RoundRecords } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { loadModelState } from "../task/checkpoint.ts";
import type { Metrics } from "../task/checkpoint.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { VerisumError } from "../protocol/errors.ts";
import { guardVerificationKeys } from "../protocol/key-guard.ts";
import { decodeVerificationKeys, hashVerificationKeys } from "../protocol/verification-key.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import type { ModelState } from "../protocol/model.ts";
import { toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { SubmissionVerifier } from "../protocol/batch-verification.ts";
import { auditRound } from "./audit-round.ts";
import type { AuditedModel } from "./audit-round.ts";
import { verifyRounds } from "./audit-submission.ts";
import { Checker } from "./checklist.ts";
import type { Checklist, Finding } from "./checklist.ts";
import type { FinalisedRound } from "./find-aggregate.ts";
import { auditGenesis } from "./genesis.ts";
import { lastModelUpTo } from "./last-model.ts";
import { checkMetrics } from "./metrics.ts";
import type { RoundMetrics } from "./metrics.ts";

export interface AuditOptions {
  /** Rounds up to and including this one are taken as audited before; of their models the last one alone is read. */
  readonly after?: bigint;
  /** Where the audit of those rounds led, if the caller remembers: the chain must still say so. */
  readonly base?: AuditedBase;
  /** The last round looked at; by default the one that the contract's latest model comes from. */
  readonly until?: bigint;
  /** Says where the keys come from; throws if what their folder claims does not hold. Not asked unless given. */
  readonly origin?: () => Promise<string>;
  /** Says what of the contract's identity was computed again; throws if it is another. Not asked unless given. */
  readonly identity?: () => Promise<string>;
  readonly onFinding?: (finding: Finding) => void;
  /** The task's keys, if the caller has checked them against the recorded hash and that none is degenerate. */
  readonly keys?: VerificationKeys;
  /** Verifies submissions together; without it each is verified alone, which takes many times longer. */
  readonly verifier?: SubmissionVerifier;
  /** Measures each round's model on data of the auditor's own, to compare with what the aggregator claims. */
  readonly measure?: (model: ModelState) => Promise<Metrics>;
}

/** A model that was audited before. Its state is what the digest is of; without it the model is read again. */
export interface AuditedBase {
  readonly digest: Hex;
  readonly state?: ModelState;
}

export interface TaskAudit extends Checklist {
  /** The last model that follows from the genesis. */
  readonly model: AuditedModel | undefined;
  /** Of each round whose model follows. */
  readonly metrics: readonly RoundMetrics[];
}

/** Submissions that are verified in one product, besides those of one more round: what memory has to hold of them. */
const SUBMISSIONS_TOGETHER = 256;

/**
 * Re-checks the keys, the genesis and every finalised round from the chain and content-addressed files alone.
 * A red finding does not throw; what cannot be read at all (an unreachable chain) does.
 * @throws CHAIN_REORGANISED if the chain no longer says of the rounds audited before what `base` says
 */
export async function auditTask(task: OpenTask, options: AuditOptions = {}): Promise<TaskAudit> {
  const checker = new Checker(options.onFinding ?? (() => undefined));
  const { verifier } = options;
  const metrics: RoundMetrics[] = [];
  if (options.identity !== undefined) await checker.check(0, "deployment", options.identity, (says) => says);
  const keys = options.keys ?? (await checkedKeys(checker, task));
  if (options.origin !== undefined) await checker.check(0, "setup", options.origin, (says) => says);
  const after = options.after ?? 0n;
  // The task goes on meanwhile: what is audited, and compared at the end, is as of this one look.
  const { latestModel } = await task.chain.look();
  const until = options.until ?? latestModel.round;
  let model = await startingModel(checker, task, after, options.base);
  for await (const rounds of roundsTogether(task, after, until < latestModel.round ? until : latestModel.round)) {
    if (model === undefined || keys === undefined) break;
    const verified = await verifyRounds(task, keys, rounds, verifier);
    for (const records of rounds) {
      if (model === undefined) break;
      model = await auditRound(checker, task, keys, records, model, verified, verifier);
      if (model !== undefined) metrics.push(await metricsOf(checker, model, options.measure));
    }
  }
  if (model !== undefined && latestModel.round <= until) await checkLatest(checker, latestModel, model);
  return { ...checker.result(), model, metrics };
}

async function metricsOf(
  checker: Checker,
  { record, state, claimed }: AuditedModel,
  measure: AuditOptions["measure"],
): Promise<RoundMetrics> {
  const said = { round: record.round.toString(), ...(claimed === undefined ? {} : { claimed }) };
  if (measure === undefined) return said;
  const recomputed = await measure(state);
  await checkMetrics(checker, Number(record.round), claimed, recomputed);
  return { ...said, recomputed };
}

/** The genesis, or the last model of the rounds that were audited before. */
async function startingModel(
  checker: Checker,
  task: OpenTask,
  after: bigint,
  base: AuditedBase | undefined,
): Promise<AuditedModel | undefined> {
  const { genesisCid, genesisDigest, dimension } = task.parameters;
  const record = await lastModelUpTo(task, after);
  if (base !== undefined && base.digest !== (record?.digest ?? genesisDigest))
    throw new VerisumError("CHAIN_REORGANISED", `round ${after} led to another model when it was audited`, {
      round: after,
    });
  if (record === undefined)
    return checker.check(
      0,
      "genesis",
      async () => ({
        record: { round: 0n, cid: genesisCid, digest: genesisDigest },
        state: base?.state ?? (await auditGenesis(task)),
      }),
      () => `${dimension} weights at ${cidFromDigest(genesisCid)}`,
    );
  return checker.check(
    Number(record.round),
    "base model",
    async () => ({ record, state: base?.state ?? (await loadModelState(task, record.cid, record.digest)) }),
    () => `audited before: ${cidFromDigest(record.cid)}`,
  );
}

/** The finalised rounds after one and up to another, in order, as many together as their submissions allow. */
async function* roundsTogether(task: OpenTask, after: bigint, until: bigint): AsyncGenerator<FinalisedRound[]> {
  let together: FinalisedRound[] = [];
  for (let round = after + 1n; round <= until; round += 1n) {
    const records = await task.chain.records(round);
    if (!isFinalised(records)) continue;
    together.push(records);
    if (together.reduce((count, { submitted }) => count + submitted.length, 0) < SUBMISSIONS_TOGETHER) continue;
    yield together;
    together = [];
  }
  if (together.length > 0) yield together;
}

/**
 * What the contract calls the latest model is what the audit arrived at: no finalised round is missing from the events.
 */
async function checkLatest(checker: Checker, latest: ModelRecord, { record }: AuditedModel): Promise<void> {
  const check = (): void => {
    const same = latest.round === record.round && latest.cid === record.cid && latest.digest === record.digest;
    if (!same)
      throw new VerisumError(
        latest.round === record.round ? "AUDIT_FAILED" : "CHAIN_EVENTS_MISSING",
        `the contract's model comes from round ${latest.round}, the audited one from round ${record.round}`,
      );
  };
  await checker.check(Number(latest.round), "latest model", check, () => `the contract's model is the audited one`);
}

function isFinalised(records: RoundRecords): records is FinalisedRound {
  return records.finalised !== undefined;
}

function checkedKeys(checker: Checker, task: OpenTask): Promise<VerificationKeys | undefined> {
  return checker.check(
    0,
    "keys",
    () => readKeys(task),
    ({ kinds }) => `${kinds.length} key${kinds.length === 1 ? "" : "s"}, hash as recorded, none degenerate`,
  );
}

async function readKeys(task: OpenTask): Promise<VerificationKeys> {
  const keys = decodeVerificationKeys(await task.chain.verificationKeys());
  if (toHex(hashVerificationKeys(keys)) !== task.parameters.keysHash) {
    throw new VerisumError("KEY_REFUSED", "the keys on chain do not have the recorded hash");
  }
  guardVerificationKeys(keys, task.layout.preset);
  return keys;
}
