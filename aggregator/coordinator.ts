/**
 * The aggregator: pushes rounds through their phases, interpolates, proposes and finalises (docs/protocol.md, section
 * 6). It holds nothing that others could not compute, and everything it writes is checked by the contract or by
 * members.
 */
import type { RoundState, SignedResult, TaskWriter } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { cidFromDigest } from "../content/cid.ts";
import { recoverSiblingSums, requireSameModel, sameSettlements, siblingRounds } from "../task/cells.ts";
import type { SiblingRound } from "../task/cells.ts";
import { loadModelState } from "../task/checkpoint.ts";
import { metricsText } from "../task/checkpoint.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";
import { weightsOf } from "../task/model-vector.ts";
import { requireOpened } from "../task/round-records.ts";
import { publicationOf, resultOf } from "../task/outcome.ts";
import { hasAllRounds } from "../task/completion.ts";
import type { RoundPublication } from "../task/outcome.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import { bestProposal, bitCount, isBetter } from "../protocol/committee.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import { equalG1 } from "../protocol/points.ts";
import { openVector } from "../protocol/submission.ts";
import { smallestInclusion } from "../protocol/task.ts";
import { requireReadySiblings, requireSameStep } from "./cells.ts";
import type { SiblingNodes } from "./cells.ts";
import type { ProposalBoard } from "./proposal.ts";
import { createRecovery } from "./recovery.ts";
import type { Recover } from "./recovery.ts";
import { createReleaseWindow } from "./release-window.ts";
import type { ReleaseWindow } from "./release-window.ts";

export interface CoordinatorDependencies {
  readonly chain: TaskWriter;
  readonly task: CommittingTask;
  readonly board: ProposalBoard;
  readonly reporter: Reporter;
  readonly siblingNodes: SiblingNodes;
  /** Measures a model on data of the aggregator's own; absent if it has none. */
  readonly evaluate?: (weights: Float32Array) => Promise<CheckpointConfig["metrics"]>;
}

/** What the coordinator remembers of the round it is finishing. */
interface Computed {
  readonly publication: RoundPublication;
  /** The siblings' rounds that the result combines. */
  readonly siblings: readonly SiblingRound[];
  readonly evaluation: bigint;
  readonly opening: { readonly x: bigint; readonly y: bigint };
}

/** One look at the chain and at most one action. Returns whether it acted. */
export type CoordinatorStep = () => Promise<boolean>;

export function createCoordinator(deps: CoordinatorDependencies): CoordinatorStep {
  let computed: Computed | undefined;
  const isInTime = createReleaseWindow(deps);
  const recover = createRecovery(deps);
  return async () => {
    const round = await deps.chain.round();
    switch (round.phase) {
      case "Idle":
      case "Finalised":
      case "Aborted":
        return openNext(deps, round, isInTime);
      case "Collecting":
        return pushPastDeadline(deps, round, `${round.submitted}/${round.expected} clients have submitted`);
      case "Attesting":
        return settleRound(deps, round, isInTime);
      case "Aggregating": {
        try {
          const isOver = round.deadline <= (await deps.chain.blockTime());
          if (isOver) return await pushPastDeadline(deps, round, "out of time");
          const siblings = await siblingRounds(deps.task, await deps.chain.records(round.number));
          if (
            computed === undefined ||
            !isOf(computed.publication.signed, round) ||
            !sameSettlements(computed.siblings, siblings)
          )
            computed = await compute(deps, round, siblings, recover);
          if (computed === undefined) return await pushPastDeadline(deps, round, "waiting for releases");
          if (
            round.deadline > (await deps.chain.blockTime()) &&
            (await finalise(deps, round, { ...computed, siblings }))
          )
            return true;
        } catch (error) {
          if (!isVerisumError(error, "CELLS_INCOMPLETE")) throw error;
          return pushPastDeadline(deps, round, error.message);
        }
        return pushPastDeadline(deps, round, "waiting for members' signatures");
      }
    }
  };
}

/** True if a result is of the round's present settlement; a reorganisation can bring another one. */
function isOf(signed: SignedResult, round: RoundState): boolean {
  return signed.round === round.number && signed.included === round.included && equalG1(signed.sum, round.sum);
}

async function openNext(
  { chain, task, reporter }: CoordinatorDependencies,
  round: RoundState,
  isInTime: ReleaseWindow,
): Promise<boolean> {
  const { maxRounds, minClients } = task.parameters;
  const finalised = await chain.finalisedRounds();
  if (hasAllRounds(task.parameters, finalised)) {
    reporter.wait(`the task is complete: ${finalised} of ${maxRounds} rounds are final`, { finalised });
    return false;
  }
  const clients = await chain.clientCount();
  if (clients < minClients) {
    reporter.wait(`waiting for clients: ${clients} registered, ${minClients} needed`, { clients, needed: minClients });
    return false;
  }
  // Clients would train, prove and send for nothing.
  if (!(await isInTime(round.number + 1n, "opened"))) return false;
  await requireSameStep(task);
  try {
    await chain.openRound();
  } catch (error) {
    if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
    reporter.wait(`the next round cannot open yet: ${String(error.details.error)}`, {
      reason: String(error.details.error),
    });
    return false;
  }
  const { number, expected } = await chain.round();
  reporter.say("info", "round-opened", `round ${number} is open to ${expected} clients`, { round: number, expected });
  return true;
}

async function pushPastDeadline(
  { chain, reporter }: CoordinatorDependencies,
  round: RoundState,
  what: string,
): Promise<boolean> {
  const left = round.deadline - (await chain.blockTime());
  reporter.wait(`round ${round.number} ${round.phase}: ${what}`, { round: round.number, phase: round.phase });
  if (left > 0) return false;
  await chain.advance(round.number);
  const after = await chain.round();
  reporter.say(
    after.phase === "Aborted" ? "warn" : "info",
    "phase",
    `round ${round.number}: ${round.phase} ended by its deadline, now ${after.phase}`,
    { round: round.number, phase: after.phase },
  );
  return true;
}

/**
 * Proposes what the attestations allow; settles at once with everybody in, otherwise at the deadline. What could not
 * become final and be released in time is neither proposed nor settled: it would cost privacy and lead to nothing.
 */
async function settleRound(
  deps: CoordinatorDependencies,
  round: RoundState,
  isInTime: ReleaseWindow,
): Promise<boolean> {
  const { chain, task, reporter } = deps;
  const records = await chain.records(round.number);
  const best = bestProposal(
    records.attested,
    task.parameters.quorum,
    smallestInclusion(task.parameters, round.submitted),
    round.submitted,
  );
  const left = round.deadline - (await chain.blockTime());
  const everybody = best !== undefined && bitCount(best.included) === round.submitted;
  const lastQuarter = left <= task.parameters.attestSeconds / 4;
  if (
    best !== undefined &&
    (everybody || lastQuarter) &&
    left > 0 &&
    isBetter(best, { members: round.proposedMembers, included: round.included })
  ) {
    if (!(await isInTime(round.number, "settled"))) return pushPastDeadline(deps, round, "not to be settled");
    await chain.propose(round.number, best.members);
    return true;
  }
  const standing = round.proposedMembers !== 0n;
  if (standing && (bitCount(round.included) === round.submitted || left <= 0)) {
    // Only a settlement ends a phase in which a proposal stands: this one waits for the chain.
    if (!(await isInTime(round.number, "settled"))) return false;
    const excluded = records.submitted.filter(({ index }) => ((round.included >> BigInt(index)) & 1n) === 0n);
    await chain.settle(round.number, excluded);
    reporter.say(
      "info",
      "settled",
      `round ${round.number}: settled on ${bitCount(round.included)} of ${round.submitted} clients`,
      { round: round.number, included: bitCount(round.included) },
    );
    return true;
  }
  return pushPastDeadline(
    deps,
    round,
    `${records.attested.size} members have attested, ${task.parameters.quorum} needed`,
  );
}

/** Computes the round's result; undefined while too few (good) releases are there. */
async function compute(
  { chain, task, board, reporter, evaluate }: CoordinatorDependencies,
  round: RoundState,
  siblings: readonly SiblingRound[],
  recover: Recover,
): Promise<Computed | undefined> {
  const recovered = await recover(await chain.records(round.number));
  if (recovered === undefined) return undefined;
  const { records, elements } = recovered;
  const opened = requireOpened(records);
  const base = await loadModelState(task, opened.baseModelCid, opened.baseModelDigest);
  const measure = async (model: ModelState): Promise<CheckpointConfig["metrics"]> =>
    evaluate === undefined ? null : evaluate(weightsOf(task.document, model));
  const publication = await publicationOf(
    task,
    records,
    base,
    elements,
    measure,
    await recoverSiblingSums(task, siblings),
  );
  requireSameModel(siblings, publication.signed.modelDigest);
  const { metrics } = publication;
  await task.store.putDirectory(publication.aggregateFiles);
  await task.store.putDirectory(publication.checkpointFiles);
  const { value, opening } = await openVector(elements, publication.point, task.committer);
  board.offer({ round: round.number, result: resultOf(publication.signed), metrics });
  const measured = metrics === null ? "" : `; ${metricsText(metrics)} on this aggregator's test data`;
  reporter.say("info", "aggregated", `round ${round.number}: the aggregate opens the sum of commitments${measured}`, {
    round: round.number,
    ...(metrics === null ? {} : { accuracy: metrics.accuracy, loss: metrics.loss }),
  });
  return { publication, siblings, evaluation: value, opening };
}

async function finalise(
  { chain, task, board, reporter, siblingNodes }: CoordinatorDependencies,
  round: RoundState,
  computed: Computed,
): Promise<boolean> {
  const signatures = board.signatures().slice(0, task.parameters.threshold);
  if (signatures.length < task.parameters.threshold) return false;
  const { signed } = computed.publication;
  await requireReadySiblings(siblingNodes, computed.siblings, signed.modelDigest);
  const receipt = await chain.finalize(
    round.number,
    resultOf(signed),
    computed.evaluation,
    computed.opening,
    signatures,
  );
  reporter.say(
    "good",
    "finalised",
    `round ${round.number} is final: ${cidFromDigest(signed.modelCid)}, ${receipt.gasUsed} gas`,
    {
      round: round.number,
      modelCid: cidFromDigest(signed.modelCid),
      aggregateCid: cidFromDigest(signed.aggregateCid),
      gas: receipt.gasUsed,
      transaction: receipt.transactionHash,
    },
  );
  return true;
}
