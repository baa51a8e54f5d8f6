/** The client's own audit of the chain's newest model, and how far it came. */
import type { ModelRecord, TaskReader } from "../chain/task-chain.ts";
import type { AuditOn } from "../auditor/continued-audit.ts";
import { failureOf } from "../auditor/checklist.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Journal } from "./journal.ts";

export interface ModelAuditDependencies {
  readonly chain: Pick<TaskReader, "records">;
  readonly task: { readonly parametersHash: Hex };
  readonly journal: Pick<Journal, "audited" | "setAudited">;
  readonly audit: AuditOn;
  readonly reporter: Reporter;
}

/**
 * Audits every round since the last one audited, up to that of this model, which is then right by induction from the
 * genesis: as long as the chain still says of the last audited round what it said then.
 * @throws AUDIT_FAILED if a published round does not follow from the chain, CELLS_DIVERGED if a sibling cell left the
 * group; CHAIN_REORGANISED if the model changed while it was audited; what is away, by its own code
 */
export async function auditModel(deps: ModelAuditDependencies, { round, digest }: ModelRecord): Promise<void> {
  const { chain, journal, reporter } = deps;
  const { parametersHash } = deps.task;
  const audited = await journal.audited(parametersHash);
  if (round === 0n || (audited?.round === round && audited.modelDigest === digest)) return;
  // A reorganisation may have replaced what was audited: then everything is audited again.
  const stands =
    audited !== undefined && (await chain.records(audited.round)).finalised?.result.modelDigest === audited.modelDigest;
  const { findings, model } = await deps.audit(stands ? audited : undefined, round);
  // Content that is away now may come, and a sibling cell may yet finalise; both must happen before this client shares.
  const failure = failureOf(findings);
  if (failure !== undefined) throw failure;
  // A reorganisation while it audited: what it arrived at is another model than the one it is about to train on.
  if (model?.record.digest !== digest)
    throw new VerisumError("CHAIN_REORGANISED", `the chain's model of round ${round} changed during its audit`, {
      round,
    });
  await journal.setAudited({ round, modelDigest: digest, parametersHash });
  reporter.say("good", "audited", `audited round ${round}: ${findings.length} checks passed`, {
    round,
    checks: findings.length,
  });
}
