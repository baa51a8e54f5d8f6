/** A client's own ledger of what it has revealed. */
import type { TaskReader } from "../chain/task-chain.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Journal } from "./journal.ts";

/**
 * Refuses a round beyond the task's budget by the client's own count, which neither a reorganisation nor a lying
 * endpoint that forgets rounds resets: every round that a submission was made for counts, except those that were
 * aborted before they settled, of which nothing was revealed.
 * @param round the round about to be joined
 * @throws PRIVACY_BUDGET_SPENT; chain and storage errors
 */
export async function assertBudgetLeft(
  deps: {
    readonly chain: Pick<TaskReader, "records">;
    readonly task: { readonly parameters: Pick<TaskParameters, "privacyBudget" | "privacyCostPerRound"> };
    readonly journal: Pick<Journal, "rounds">;
  },
  round: bigint,
): Promise<void> {
  const { privacyBudget, privacyCostPerRound } = deps.task.parameters;
  if (privacyBudget === 0n) return;
  let spent = 0n;
  for (const past of await deps.journal.rounds()) {
    if (past === round) continue;
    const { aborted, settled } = await deps.chain.records(past);
    if (!aborted || settled !== undefined) spent += privacyCostPerRound;
  }
  if (spent + privacyCostPerRound > privacyBudget) {
    throw new VerisumError(
      "PRIVACY_BUDGET_SPENT",
      `this client has spent ${spent} of the task's privacy budget of ${privacyBudget}`,
      { spent, budget: privacyBudget },
    );
  }
}
