/** Which clients anybody may take off the list, as the contract's `removeClient` has it. */
import type { ClientStatus } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";

/** Why anybody may take the client off; undefined if only it and the operator may, or it is off already. */
export function reasonToRemove(
  { untilRound, refusals, includedRounds }: Pick<ClientStatus, "untilRound" | "refusals" | "includedRounds">,
  { maxRefusals, maxRoundsPerClient }: Pick<TaskParameters, "maxRefusals" | "maxRoundsPerClient">,
): string | undefined {
  if (untilRound !== 0n) return undefined;
  if (maxRoundsPerClient > 0 && includedRounds >= maxRoundsPerClient) return `${includedRounds} settlements count it`;
  if (maxRefusals > 0 && refusals >= maxRefusals) return `${refusals} settlements left it out as refused`;
  return undefined;
}
