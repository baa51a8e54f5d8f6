/** Whether the chain has a client's submission, and when it may have another. */
import type { SubmittedRecord, TaskLook } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";

/** The account's submission in the current round. */
export function ownSubmission(
  { round, records }: Pick<TaskLook, "round" | "records">,
  account: Hex,
): SubmittedRecord | undefined {
  return records(round.number).submitted.find(({ client }) => client === account);
}

/** The first round that may take a client's next submission. @param last round that took one; 0 for none */
export function firstRoundAfter(last: bigint, { minSeparation }: Pick<TaskParameters, "minSeparation">): bigint {
  return last === 0n ? 0n : last + BigInt(minSeparation);
}
