/**
 * The aggregator: settles rounds by members' statements, interpolates, proposes and finalises (docs/protocol.md,
 * section 6). It holds nothing that others could not compute, and everything it writes is checked by the contract or by
 * members.
 */
import type { ReleaseStatement, RoundRecords, RoundState, TaskWriter } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { cidFromDigest } from "../content/cid.ts";
import { recoverSiblingSums, requireSameModel, sameSettlements, siblingRounds } from "../task/cells.ts";
import type { SiblingRound } from "../task/cells.ts";
import { figuresIn, loadModelState, metricsText } from "../task/checkpoint.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";
import { weightsOf } from "../task/model-vector.ts";
import { requireOpened } from "../task/round-records.ts";
import { publicationOf, resultOf } from "../task/outcome.ts";
import { clientsNeeded, intakeText, isBuffer } from "../task/buffers.ts";
import { hasAllRounds } from "../task/completion.ts";
import { openingRefusal } from "../task/opening.ts";
import type { RoundPublication } from "../task/outcome.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import type { ResultRecord } from "../task/result-record.ts";
import { roundNow } from "../task/round-now.ts";
import { withReleases } from "../task/statement-board.ts";
import type { StatementBoard } from "../task/statement-board.ts";
import type { StatementExchange } from "../task/statement-exchange.ts";
import { bitCount, hasClient } from "../protocol/committee.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { ModelState } from "../protocol/model.ts";
import { openVector } from "../protocol/submission.ts";
import { requireReadySiblings, requireSameStep } from "./cells.ts";
import type { SiblingNodes } from "./cells.ts";
import type { ProposalBoard } from "./proposal.ts";
import { createRecovery } from "./recovery.ts";
import type { Recover } from "./recovery.ts";
import { createReleaseWindow } from "./release-window.ts";
import type { ReleaseWindow } from "./release-window.ts";
import { chooseSettlement, replaces } from "./settling.ts";
import { createUsableClients } from "./usable-clients.ts";

export interface CoordinatorDependencies {
  readonly chain: TaskWriter;
  readonly task: CommittingTask;
  readonly proposals: ProposalBoard;
  /** What this node knows that members said. */
  readonly board: StatementBoard;
  readonly exchange: StatementExchange;
  readonly reporter: Reporter;
  readonly siblingNodes: SiblingNodes;
  readonly results: Pick<ResultRecord, "store">;
  /** Measures a model on data of the aggregator's own; absent if it has none. */
  readonly evaluate?: (weights: Float32Array) => Promise<CheckpointConfig["metrics"]>;
}

/** What the coordinator remembers of the round it is finishing. */
interface Computed {
  readonly publication: RoundPublication;
  /** The siblings' rounds that the result combines. */
  readonly siblings: readonly SiblingRound[];
  /** Those that it was interpolated from. */
  readonly releases: readonly ReleaseStatement[];
  readonly evaluation: bigint;
  readonly opening: { readonly x: bigint; readonly y: bigint };
}

/** One look at the chain and at most one action. Returns whether it acted. */
export type CoordinatorStep = () => Promise<boolean>;

export function createCoordinator(deps: CoordinatorDependencies): CoordinatorStep {
  const { chain, task, board, reporter } = deps;
  let computed: Computed | undefined;
  let openedLast = 0n;
  /** The settlement of which the contract refused the result. */
  let refused: Hex | undefined;
  const isInTime = createReleaseWindow(deps);
  const recover = createRecovery(deps);
  const usableClients = createUsableClients(deps);
  const whyNotOpen = createOpeningWords(chain);

  /** Whoever opened it: a result opens the next round where it can. */
  const sayOpened = ({ number, expected }: RoundState): void => {
    if (number <= openedLast) return;
    openedLast = number;
    const whom = isBuffer(task.parameters) ? `until ${expected} clients are in` : `to ${expected} clients`;
    reporter.say("info", "round-opened", `round ${number} is open ${whom}`, { round: number, expected });
  };

  const aggregate = async (round: RoundState): Promise<boolean> => {
    const records = withReleases(await chain.records(round.number), board);
    try {
      const siblings = await siblingRounds(task, records);
      if (computed?.publication.signed.settlement !== round.settlement || !sameSettlements(computed.siblings, siblings))
        computed = await compute(deps, records, siblings, recover);
      if (computed === undefined) return await abortPastDeadline(deps, round, "waiting for releases");
      if (await finalise(deps, round, { ...computed, siblings })) return true;
    } catch (error) {
      if (isVerisumError(error, "CELLS_INCOMPLETE")) return abortPastDeadline(deps, round, error.message);
      if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
      // A result that is refused twice keeps no round open past its end.
      const isAgain = refused === round.settlement;
      refused = round.settlement;
      if (isAgain && (await abortPastDeadline(deps, round, error.message))) return true;
      throw error;
    }
    return abortPastDeadline(deps, round, "waiting for members' signatures");
  };

  return async () => {
    const round = await roundNow(await chain.round(), chain, task.parameters);
    switch (round.phase) {
      case "Idle":
      case "Finalised":
      case "Aborted":
        return openNext(deps, round, { isInTime, usableClients, whyNotOpen });
      case "Collecting":
        sayOpened(round);
        return abortPastDeadline(deps, round, intakeText(task.parameters, round));
      case "Attesting":
        await deps.exchange.hear(round.number, []);
        return settleRound(deps, round, isInTime);
      case "Aggregating":
        await deps.exchange.hear(round.number, []);
        return aggregate(round);
    }
  };
}

async function openNext(
  { chain, task, reporter }: CoordinatorDependencies,
  round: RoundState,
  {
    isInTime,
    usableClients,
    whyNotOpen,
  }: {
    readonly isInTime: ReleaseWindow;
    readonly usableClients: ReturnType<typeof createUsableClients>;
    readonly whyNotOpen: ReturnType<typeof createOpeningWords>;
  },
): Promise<boolean> {
  const { maxRounds, maxRoundsPerClient, minClients } = task.parameters;
  const finalised = await chain.finalisedRounds();
  if (hasAllRounds(task.parameters, finalised)) {
    reporter.wait(`the task is complete: ${finalised} of ${maxRounds} rounds are final`, { finalised });
    return false;
  }
  const clients = await chain.clientCount();
  const needed = clientsNeeded(task.parameters);
  if (clients < needed) {
    reporter.wait(`waiting for clients: ${clients} registered, ${needed} needed`, { clients, needed });
    return false;
  }
  // After a round without a result: the contract opens further ones for whoever is listed, used up or not.
  const usable = round.phase === "Aborted" ? await usableClients() : clients;
  if (usable < minClients) {
    const text = `waiting for clients: further rounds may count ${usable} of the ${clients} registered, ${minClients} needed; the others were in ${maxRoundsPerClient} rounds`;
    reporter.wait(text, { clients, usable, needed: minClients });
    return false;
  }
  // Clients would train, prove and send for nothing.
  if (!(await isInTime(round.number + 1n, "opened"))) return false;
  await requireSameStep(task);
  try {
    await chain.openRound();
  } catch (error) {
    if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
    reporter.wait(`the next round cannot open yet: ${await whyNotOpen(error)}`, {
      reason: String(error.details.error),
    });
    return false;
  }
  return true;
}

/** Why the contract did not open the round, in words, which are made once for each of its refusals. */
function createOpeningWords(chain: TaskWriter): (refusal: VerisumError) => Promise<string> {
  let last: { readonly refusal: string; readonly words: string } | undefined;
  return async (refusal) => {
    const of = refusal.message;
    if (last?.refusal !== of) last = { refusal: of, words: await openingRefusal(chain, await chain.look(), refusal) };
    return last.words;
  };
}

/** Waits; once the phase's time is over, the round ends without a result. */
async function abortPastDeadline(
  { chain, reporter }: CoordinatorDependencies,
  round: RoundState,
  what: string,
): Promise<boolean> {
  const left = round.deadline - (await chain.blockTime());
  reporter.wait(`round ${round.number} ${round.phase}: ${what}`, { round: round.number, phase: round.phase });
  if (left > 0) return false;
  await chain.abort(round.number);
  reporter.say("warn", "aborted", `round ${round.number}: ${round.phase} ended by its deadline, without a result`, {
    round: round.number,
    phase: round.phase,
  });
  return true;
}

/**
 * Settles at once where the statements leave nobody a better choice, otherwise proposes, and settles at the deadline.
 * What could not become final and be released in time is neither proposed nor settled: it would cost privacy and lead
 * to nothing.
 */
async function settleRound(
  deps: CoordinatorDependencies,
  round: RoundState,
  isInTime: ReleaseWindow,
): Promise<boolean> {
  const { chain, task, board, reporter } = deps;
  const { number, submitted, intake } = round;
  const said = board.attestations(number, intake);
  const choice = chooseSettlement(said, round, task.parameters);
  const left = round.deadline - (await chain.blockTime());
  const lastQuarter = left <= task.parameters.attestSeconds / 4;
  const stands = round.proposedMembers !== 0n && left <= 0;
  const isDue = choice !== undefined && left > 0 && (choice.isConclusive || lastQuarter) && replaces(choice, round);
  if (!isDue && !stands)
    return abortPastDeadline(deps, round, `${said.length} members have attested, ${task.parameters.quorum} needed`);
  if (!(await isInTime(number, "settled"))) {
    // Only a settlement ends a phase in which a proposal stands: this one waits for the chain.
    return stands ? false : abortPastDeadline(deps, round, "not to be settled");
  }
  if (isDue && !choice.isConclusive) {
    await chain.settle(number, choice.statements, choice.members, []);
    return true;
  }
  const [statements, members, included] = isDue
    ? [choice.statements, choice.members, choice.included]
    : [[], 0n, round.included];
  const { submitted: records } = await chain.records(number);
  const excluded = records.filter(({ index }) => !hasClient(included, index));
  await chain.settle(number, statements, members, excluded);
  const clients = bitCount(included);
  reporter.say("info", "settled", `round ${number}: settled on ${clients} of ${submitted} clients`, {
    round: number,
    included: clients,
  });
  return true;
}

/** Computes the round's result; undefined while too few (good) releases are there. */
async function compute(
  { task, proposals, reporter, results, evaluate }: CoordinatorDependencies,
  read: RoundRecords,
  siblings: readonly SiblingRound[],
  recover: Recover,
): Promise<Computed | undefined> {
  const recovered = await recover(read);
  if (recovered === undefined) return undefined;
  const { records, elements, releases } = recovered;
  const opened = requireOpened(records);
  const { round } = opened;
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
  await results.store(round, publication);
  const { value, opening } = await openVector(elements, publication.point, task.committer);
  proposals.offer({ round, result: resultOf(publication.signed), metrics });
  const measured = metrics === null ? "" : `; ${metricsText(metrics)} on this aggregator's test data`;
  reporter.say("info", "aggregated", `round ${round}: the aggregate opens the sum of commitments${measured}`, {
    round,
    ...(metrics === null ? {} : figuresIn(metrics)),
  });
  return { publication, siblings, releases, evaluation: value, opening };
}

async function finalise(
  { chain, task, proposals, reporter, siblingNodes }: CoordinatorDependencies,
  round: RoundState,
  computed: Computed,
): Promise<boolean> {
  const signatures = proposals.signatures().slice(0, task.parameters.threshold);
  if (signatures.length < task.parameters.threshold) return false;
  const { signed } = computed.publication;
  await requireReadySiblings(siblingNodes, computed.siblings, signed.modelDigest);
  const receipt = await chain.finalize(
    round.number,
    resultOf(signed),
    computed.evaluation,
    computed.opening,
    computed.releases,
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
