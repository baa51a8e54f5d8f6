/** What time alone makes of a round: no transaction stands between Collecting and Attesting. */
import type { TaskParameters } from "../protocol/task.ts";
import type { RoundState } from "./task-chain.ts";

/**
 * The round as the contract will see it in a block of this time; `round()` says it for a block that is there, which is
 * an old one on a chain that mines on demand.
 * @param time Unix seconds
 */
export function roundAt(
  round: RoundState,
  { minClients, attestSeconds }: Pick<TaskParameters, "minClients" | "attestSeconds">,
  time: number,
): RoundState {
  const collected = round.phase === "Collecting" && time >= round.deadline && round.submitted >= minClients;
  return collected ? { ...round, phase: "Attesting", deadline: round.deadline + attestSeconds } : round;
}
