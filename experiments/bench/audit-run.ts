/**
 * A client's audit of a round's submissions: from the events of the chain to the verdict, in the engine that proves.
 */
import type { TaskReader } from "../../chain/task-chain.ts";
import { verifyRounds } from "../../auditor/audit-submission.ts";
import type { SubmissionVerifier } from "../../protocol/batch-verification.ts";
import { parametersHash } from "../../protocol/task.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import type { BenchTask } from "./bench-task.ts";

/** Audits before the first timed one: compilers need that before times are a running client's. */
const WARM_UP = 2;

/**
 * Processor time of all threads for the whole of round 1, in milliseconds, one value for each repeat. Events are
 * fetched and decoded anew each time.
 * @param connect opens the task with no memory of its events
 * @throws SUBMISSION_INVALID if a submission that the contract accepted does not verify
 */
export async function measureAudit(
  { layout, parameters }: BenchTask,
  keys: VerificationKeys,
  connect: () => Promise<TaskReader>,
  verifier: SubmissionVerifier,
  repeats: number,
): Promise<number[]> {
  const milliseconds: number[] = [];
  for (let i = 0; i < WARM_UP + repeats; i++) {
    const chain = await connect();
    const before = process.cpuUsage();
    const records = await chain.records(1n);
    const task = { layout, parameters, parametersHash: parametersHash(parameters), chain };
    const verified = await verifyRounds(task, keys, [records], verifier);
    for (const record of records.submitted) verified.submission(records, record);
    const { user, system } = process.cpuUsage(before);
    if (i >= WARM_UP) milliseconds.push((user + system) / 1000);
  }
  return milliseconds;
}
