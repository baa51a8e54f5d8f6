/** Whether a task can have a further round. */
import type { Counters } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";

/** Why no further round will open, in words; undefined while one is under way or can open. */
export function completionOf(
  { maxRounds, privacyBudget, privacyCostPerRound }: TaskParameters,
  { round, finalisedRounds, privacySpent }: Pick<Counters, "round" | "finalisedRounds" | "privacySpent">,
): string | undefined {
  if (round.phase !== "Finalised" && round.phase !== "Aborted" && round.phase !== "Idle") return undefined;
  if (maxRounds > 0 && finalisedRounds >= maxRounds) return `the task is complete: all ${maxRounds} rounds are final`;
  if (privacyBudget > 0n && privacySpent + privacyCostPerRound > privacyBudget)
    return `the task is complete: ${finalisedRounds} rounds are final, and its privacy budget is spent`;
  return undefined;
}
