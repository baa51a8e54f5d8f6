/** Whether the chain has a client's submission. */
import type { SubmittedRecord, TaskLook } from "../chain/task-chain.ts";
import type { Hex } from "../protocol/transcript.ts";

/** The account's submission in the current round. */
export function ownSubmission(
  { round, records }: Pick<TaskLook, "round" | "records">,
  account: Hex,
): SubmittedRecord | undefined {
  return records(round.number).submitted.find(({ client }) => client === account);
}
