/** A client's own ledger of what it has revealed. */
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Journal, SubmissionName, VectorName } from "./journal.ts";

/**
 * Refuses to draw a vector beyond the rounds that epsilon is stated for, all of the task's or those that can count one
 * client, by the client's own count, which neither a reorganisation nor a lying endpoint that forgets rounds resets:
 * every vector of which a submission was made counts once, whatever became of the rounds. So nobody obtains more of
 * them by ending rounds without a result.
 * @throws PRIVACY_BUDGET_SPENT; storage errors
 */
export async function assertBudgetLeft({
  task,
  journal,
}: {
  readonly task: {
    readonly parameters: Pick<TaskParameters, "privacyBudget" | "privacyCostPerRound" | "maxRoundsPerClient">;
  };
  readonly journal: Pick<Journal, "vectors" | "submissions">;
}): Promise<void> {
  const { privacyBudget: ofTask, privacyCostPerRound, maxRoundsPerClient } = task.parameters;
  if (ofTask === 0n) return;
  const ofClient = BigInt(maxRoundsPerClient) * privacyCostPerRound;
  const budget = ofClient > 0n && ofClient < ofTask ? ofClient : ofTask;
  const shared = sharedVectors(await journal.vectors(), await journal.submissions());
  const spent = BigInt(shared) * privacyCostPerRound;
  if (spent + privacyCostPerRound > budget)
    throw new VerisumError("PRIVACY_BUDGET_SPENT", `this client has spent ${spent} of a privacy budget of ${budget}`, {
      spent,
      budget,
    });
}

/** Different vectors in these submissions. One whose vector is not known counts as another one. */
function sharedVectors(vectors: readonly VectorName[], submissions: readonly SubmissionName[]): number {
  const keys = submissions.map(({ round, baseModelDigest }) => {
    const vector = vectors.findLast((name) => name.baseModelDigest === baseModelDigest && name.firstRound <= round);
    return vector === undefined ? `round ${round}` : `${vector.base} ${vector.baseModelDigest} ${vector.firstRound}`;
  });
  return new Set(keys).size;
}
