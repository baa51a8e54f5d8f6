/** One client's own part of a task's privacy: only rounds that count its update say anything of its data. */
import { accountsOfPlace } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import { hasClient } from "../protocol/committee.ts";
import type { Hex } from "../protocol/transcript.ts";
import { roundsOfOneClient } from "./privacy.ts";
import type { PrivateTask } from "./privacy.ts";
import { privacyLine, privacySummary } from "./privacy-summary.ts";

/** Settled rounds that count the account, or those whose place it took. */
export function countedRounds(look: Pick<TaskLook, "clientTerms" | "records" | "round">, account: Hex): number {
  const accounts = accountsOfPlace(look.clientTerms, account);
  let counted = 0;
  for (let round = 1n; round <= look.round.number; round += 1n) {
    const { settled, submitted } = look.records(round);
    if (settled === undefined) continue;
    const own = submitted.filter(({ client }) => accounts.includes(client.toLowerCase() as Hex));
    counted += own.filter(({ index }) => hasClient(settled.included, index)).length;
  }
  return counted;
}

/** In one line; null if the task trains without noise. Of the rounds that are left, the task may have fewer. */
export function ownPrivacyLine(task: PrivateTask, counted: number): string | null {
  const { maxRoundsPerClient, privacyBudget } = task.parameters;
  // A round of a task with noise costs one unit.
  const budget = BigInt(roundsOfOneClient(Number(privacyBudget), maxRoundsPerClient));
  const parameters = { ...task.parameters, privacyBudget: budget };
  const summary = privacySummary({ ...task, parameters }, counted);
  return summary === null ? null : `counted in ${counted} rounds: ${privacyLine(summary)}`;
}
