/** What `fl statistics` does. */
import { writeFile } from "node:fs/promises";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { platformRandom } from "../command/platform-random.ts";
import type { StatisticsSummary } from "../learning/statistics/summary.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { submissionVerifier } from "../proving/groth16/submission-batch.ts";
import { closeCurve, openCurve } from "../proving/node/open-curve.ts";
import { loadCheckpointConfig, loadModelState } from "../task/checkpoint.ts";
import { openReadingNode } from "../task/node.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { statisticsIn } from "../task/statistics.ts";
import { auditTask } from "./audit-task.ts";
import { failureOf } from "./checklist.ts";

/**
 * Audits a task of statistics, and writes what its round summed up.
 * @throws AUDIT_FAILED, STATISTICS_ABSENT before its round is final, and what opening a node throws
 */
export async function writeStatistics(
  flags: CommonFlags & { readonly out?: string },
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const node = await openReadingNode(nodeOptions(flags, "auditor"), reporter, signal);
  const curve = await openCurve();
  const audit = await auditTask(node.task, { verifier: submissionVerifier(curve, platformRandom) });
  const failure = failureOf(audit.findings);
  if (failure !== undefined) throw failure;
  const summary = await auditedStatistics(node.task);
  await node.close();
  await closeCurve();
  const text = `${JSON.stringify(summary, undefined, 2)}\n`;
  if (flags.out === undefined) process.stdout.write(text);
  else await writeFile(flags.out, text);
  reporter.say("good", "statistics", `${summary.rows} rows of ${summary.clients} clients, audited`);
}

/** Of a task whose audit has passed. @throws STATISTICS_ABSENT */
export async function auditedStatistics(task: OpenTask): Promise<StatisticsSummary> {
  const { round, cid, digest } = await task.chain.latestModel();
  ensure(round > 0n, "STATISTICS_ABSENT", "the task's round is not final yet: there are no statistics");
  const { totalWeight, clients } = await loadCheckpointConfig(task.store, cid);
  const state = await loadModelState(task, cid, digest);
  return statisticsIn(task.document, state, { clients: clients.length, totalWeight });
}
