/** The present round, where time alone may have ended its collecting since the last block. */
import { roundAt } from "../chain/round-at.ts";
import type { RoundState, TaskReader } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";

/** @param round as of the latest block */
export async function roundNow(
  round: RoundState,
  chain: Pick<TaskReader, "blockTime">,
  parameters: Pick<TaskParameters, "minClients" | "attestSeconds">,
): Promise<RoundState> {
  // Nothing else changes by time, and the time costs a question.
  if (round.phase !== "Collecting" || round.submitted < parameters.minClients) return round;
  return roundAt(round, parameters, await chain.blockTime());
}
