/** A client's own ledger of what it has revealed. */
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Journal, SubmissionName, VectorName } from "./journal.ts";

interface LedgerDependencies {
  readonly task: {
    readonly parameters: Pick<TaskParameters, "privacyBudget" | "privacyCostPerRound" | "maxRoundsPerClient">;
  };
  readonly journal: Pick<Journal, "vectors" | "submissions">;
}

/**
 * Refuses to draw a vector beyond the rounds that epsilon is stated for, all of the task's or those that can count one
 * client, by the client's own count, which neither a reorganisation nor a lying endpoint that forgets rounds resets:
 * every vector of which a submission was made counts once, whatever became of the rounds. So nobody obtains more of
 * them by ending rounds without a result.
 * @throws PRIVACY_BUDGET_SPENT; storage errors
 */
export async function assertBudgetLeft(deps: LedgerDependencies): Promise<void> {
  const { spent, budget, cost } = await countOf(deps);
  if (spent + cost > budget)
    throw new VerisumError("PRIVACY_BUDGET_SPENT", `this client has spent ${spent} of a privacy budget of ${budget}`, {
      spent,
      budget,
    });
}

/** Whether another vector may be drawn. @throws storage errors */
export async function hasBudgetLeft(deps: LedgerDependencies): Promise<boolean> {
  const { spent, budget, cost } = await countOf(deps);
  return spent + cost <= budget;
}

/** In the unit of the task's ledger; all of it is zero where the task has no budget. */
async function countOf({
  task,
  journal,
}: LedgerDependencies): Promise<{ readonly spent: bigint; readonly budget: bigint; readonly cost: bigint }> {
  const { privacyBudget: ofTask, privacyCostPerRound: cost, maxRoundsPerClient } = task.parameters;
  if (ofTask === 0n) return { spent: 0n, budget: 0n, cost: 0n };
  const ofClient = BigInt(maxRoundsPerClient) * cost;
  const budget = ofClient > 0n && ofClient < ofTask ? ofClient : ofTask;
  const shared = sharedVectors(await journal.vectors(), await journal.submissions());
  return { spent: BigInt(shared) * cost, budget, cost };
}

/** Different vectors in these submissions. One whose vector is not known counts as another one. */
function sharedVectors(vectors: readonly VectorName[], submissions: readonly SubmissionName[]): number {
  const keys = submissions.map(({ round, baseModelDigest, isLost }) => {
    if (isLost === true) return `round ${round}`;
    const vector = vectors.findLast((name) => name.baseModelDigest === baseModelDigest && name.firstRound <= round);
    return vector === undefined ? `round ${round}` : `${vector.base} ${vector.baseModelDigest} ${vector.firstRound}`;
  });
  return new Set(keys).size;
}
