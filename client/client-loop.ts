/** What a client does next, given the state of the chain. */
import type { ModelRecord } from "../chain/task-chain.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { TaskAudit } from "../auditor/audit-task.ts";
import { failureOf } from "../auditor/checklist.ts";
import { submitUpdate } from "./participant.ts";
import type { ParticipantDependencies } from "./participant.ts";

export interface ClientLoopDependencies extends ParticipantDependencies {
  /** Audits the rounds after `after`, up to `until`. */
  readonly audit: (after: bigint, until: bigint) => Promise<TaskAudit>;
  /** Called with each finalised model that this client sees first. */
  readonly onModel?: (round: bigint) => Promise<void>;
}

/** What one look led to. `done` when the task has no further round. */
export type ClientProgress = "waiting" | "acted" | "done";

/**
 * One look at the chain and at most one action.
 *
 * Before it trains on a model, the client audits every round since the last it audited: the base is trusted by
 * induction from the genesis, as long as the chain still says of the last audited round what it said then. A round that
 * refuses its submission is left; the next one is joined.
 * @throws AUDIT_FAILED if a published round does not follow from the chain, CELLS_DIVERGED if a sibling cell left the
 * group: the task must end; CHAIN_REORGANISED if the model changed while it was audited; what is away, by its own code
 */
export function createClientStep(deps: ClientLoopDependencies): () => Promise<ClientProgress> {
  const finished = new Set<bigint>();
  let seenModel: Hex | undefined;

  const auditUpTo = async ({ round, digest }: ModelRecord): Promise<void> => {
    const audited = await deps.journal.audited();
    if (round === 0n || (audited?.round === round && audited.modelDigest === digest)) return;
    // A reorganisation may have replaced what was audited: then everything is audited again.
    const after =
      audited !== undefined &&
      (await deps.chain.records(audited.round)).finalised?.result.modelDigest === audited.modelDigest
        ? audited.round
        : 0n;
    const { findings, model } = await deps.audit(after, round);
    // Content that is away now may come, and a sibling cell may yet finalise; both must happen before this client
    // trains.
    const failure = failureOf(findings);
    if (failure !== undefined) throw failure;
    // A reorganisation while it audited: what it arrived at is another model than the one it is about to train on.
    if (model?.record.digest !== digest)
      throw new VerisumError("CHAIN_REORGANISED", `the chain's model of round ${round} changed during its audit`, {
        round,
      });
    await deps.journal.setAudited({ round, modelDigest: digest });
    deps.reporter.say("good", "audited", `audited round ${round}: ${findings.length} checks passed`, {
      round,
      checks: findings.length,
    });
  };

  return async () => {
    const { chain, task, reporter } = deps;
    const round = await chain.round();
    const latest = await chain.latestModel();
    if (latest.digest !== seenModel) {
      await auditUpTo(latest);
      await deps.onModel?.(latest.round);
      // Last: a look that was broken off must not leave a model that counts as audited.
      seenModel = latest.digest;
    }
    const { maxRounds } = task.parameters;
    const ended = round.phase === "Finalised" || round.phase === "Aborted";
    if (ended && maxRounds > 0 && (await chain.finalisedRounds()) >= maxRounds) return "done";
    if (round.phase !== "Collecting") {
      reporter.wait(
        ended || round.phase === "Idle"
          ? `waiting for round ${round.number + 1n} to open`
          : `round ${round.number}: ${round.phase}, waiting for the committee`,
        { round: round.number },
      );
      return "waiting";
    }
    const status = await chain.client(chain.account);
    if (status.activeFromRound > round.number) {
      reporter.wait(`registered; taking part from round ${status.activeFromRound}`, { round: status.activeFromRound });
      return "waiting";
    }
    if (finished.has(round.number) || status.lastSubmittedRound === round.number) {
      reporter.wait(`round ${round.number}: submitted; ${round.submitted}/${round.expected} clients are in`, {
        round: round.number,
      });
      return "waiting";
    }
    try {
      await submitUpdate(deps, round);
    } catch (error) {
      // A refused submission or a missed deadline costs this round only.
      if (!isVerisumError(error) || !(error.code === "CHAIN_REVERTED" || error.entry.role === "sit-out")) throw error;
      reporter.say("error", "refused", `round ${round.number}: refused: ${error.message}`, {
        round: round.number,
        code: error.code,
        reason: String(error.details.error ?? error.code),
      });
    }
    finished.add(round.number);
    return "acted";
  };
}
