/** Nobody is blamed by one reading of the chain. */
import type { TaskReader } from "../chain/task-chain.ts";
import type { VerisumError } from "../protocol/errors.ts";
import type { TaskAudit } from "./audit-task.ts";
import { failureOf } from "./checklist.ts";

/**
 * Audits; where something is wrong, and not only away, once more after everything was read anew, from another endpoint
 * if there is one. The second audit is the answer.
 * @param onDoubt told of what the first one found
 * @throws what `audit` throws
 */
export async function auditTwice(
  chain: Pick<TaskReader, "reread">,
  audit: () => Promise<TaskAudit>,
  onDoubt: (failure: VerisumError) => void,
): Promise<TaskAudit> {
  const first = await audit();
  const failure = failureOf(first.findings);
  if (failure === undefined || failure.entry.role === "again") return first;
  onDoubt(failure);
  await chain.reread("by what it says the task's history is wrong");
  return audit();
}
