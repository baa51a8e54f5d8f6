/** What taking part in a task reveals and costs, in words, before a client registers. */
import { formatEther } from "ethers";
import type { ClientStatus } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { plannedPrivacyLine, privacySummary } from "../task/privacy-summary.ts";

type DescribedTask = Pick<OpenTask, "document" | "parameters">;

/** The account is on the task's list now: one that has left, or was taken off, is not, and keeps its weight. */
export function isListed({ weight, untilRound }: Pick<ClientStatus, "weight" | "untilRound">): boolean {
  return weight > 0 && untilRound === 0n;
}

/** One sentence or two each. @param client as the contract lists it; weight 0 if it does not yet */
export function termsOf(task: DescribedTask, { weight }: Pick<ClientStatus, "weight">): readonly string[] {
  const { committeeSize, threshold, minHonest, openRegistration, bondWei } = task.parameters;
  const share = openRegistration ? "1" : weight === 0 ? "what the operator lists it with" : String(weight);
  return [
    privacyTerm(task),
    `the sum of each round's updates becomes public, over at least ${minHonest} honest clients, and so does every model made of it; that this account took part is public, too`,
    `the committee has ${committeeSize} members: any ${threshold} of them together can read this client's single updates, and fewer learn the sum alone`,
    `this client's weight in a sum is ${share}`,
    openRegistration
      ? `registering costs a bond of ${formatEther(bondWei)} ether, which comes back after leaving, and gas`
      : "the operator lists clients; there is no bond",
  ];
}

/** Says the terms, and asks whoever would pay for them. @throws what `consent` throws */
export async function agree(
  task: DescribedTask,
  client: Pick<ClientStatus, "weight" | "untilRound">,
  account: Hex,
  consent: (question: string) => Promise<void>,
  reporter: Reporter,
): Promise<void> {
  for (const term of termsOf(task, client)) reporter.say("info", "terms", term);
  if (!isListed(client) && task.parameters.openRegistration) await consent(`Register ${account}, with the bond above?`);
}

function privacyTerm(task: DescribedTask): string {
  const summary = privacySummary(task, 0);
  return summary === null
    ? "training adds no noise: what the public sums say of single records has no proven bound"
    : `${plannedPrivacyLine(summary)}: ${summary.statement}`;
}
