/** Whether a round is under way, and whether a task can have a further one; pages import it, without the errors. */
import type { Counters, Phase } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";

/** Whether a round may still become final. */
export function isUnderWay(phase: Phase): boolean {
  return phase === "Collecting" || phase === "Attesting" || phase === "Aggregating";
}

/** Whether every round that the task may finalise is final; never in a task without an end. */
export function hasAllRounds({ maxRounds }: Pick<TaskParameters, "maxRounds">, finalisedRounds: number): boolean {
  return maxRounds > 0 && finalisedRounds >= maxRounds;
}

/** Why no further round will open, in words; undefined while one is under way or can open. */
export function completionOf(
  parameters: Pick<TaskParameters, "maxRounds" | "privacyBudget" | "privacyCostPerRound">,
  { round, finalisedRounds, privacySpent }: Pick<Counters, "round" | "finalisedRounds" | "privacySpent">,
): string | undefined {
  if (isUnderWay(round.phase)) return undefined;
  const { privacyBudget, privacyCostPerRound } = parameters;
  if (hasAllRounds(parameters, finalisedRounds))
    return `the task is complete: all ${parameters.maxRounds} rounds are final`;
  if (privacyBudget > 0n && privacySpent + privacyCostPerRound > privacyBudget)
    return `the task is complete: ${finalisedRounds} rounds are final, and its privacy budget is spent`;
  return undefined;
}
