/** Whether the chain has a client's submission, and when it may have another. */
import type { SubmittedRecord, TaskLook, TaskWriter } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";

/** The account's submission in a round, the current one unless told. */
export function ownSubmission(
  look: Pick<TaskLook, "round" | "records">,
  account: Hex,
  round = look.round.number,
): SubmittedRecord | undefined {
  return look.records(round).submitted.find(({ client }) => client === account);
}

/** The last round that took a submission of the client, if a reorganisation may still undo that. */
export async function lastUndoable(
  chain: Pick<TaskWriter, "account" | "client">,
  { closedRound }: Pick<TaskLook, "closedRound">,
): Promise<bigint | undefined> {
  const { lastSubmittedRound } = await chain.client(chain.account);
  return lastSubmittedRound > closedRound ? lastSubmittedRound : undefined;
}

/** The first round that may take a client's next submission. @param last round that took one; 0 for none */
export function firstRoundAfter(last: bigint, { minSeparation }: Pick<TaskParameters, "minSeparation">): bigint {
  return last === 0n ? 0n : last + BigInt(minSeparation);
}
