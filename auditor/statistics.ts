/** What `fl statistics` does. */
import { writeFile } from "node:fs/promises";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { platformRandom } from "../command/platform-random.ts";
import type { StatisticsSummary } from "../learning/statistics/summary.ts";
import { bitCount } from "../protocol/committee.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { submissionVerifier } from "../proving/groth16/submission-batch.ts";
import { closeCurve, openCurve } from "../proving/node/open-curve.ts";
import { openReadingNode } from "../task/node.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { requireSettled } from "../task/round-records.ts";
import { statisticsIn } from "../task/statistics.ts";
import { auditTask } from "./audit-task.ts";
import type { TaskAudit } from "./audit-task.ts";
import { auditTwice } from "./audit-twice.ts";
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
  const verifier = submissionVerifier(await openCurve(), platformRandom);
  const audit = await auditTwice(
    node.chain,
    () => auditTask(node.task, { verifier }),
    ({ message }) =>
      reporter.say("warn", "audited-again", `${message}: everything is read again before this is believed`),
  );
  const failure = failureOf(audit.findings);
  const summary = failure ?? (await auditedStatistics(node.task, audit));
  await node.close();
  await closeCurve();
  if (summary instanceof VerisumError) throw summary;
  const text = `${JSON.stringify(summary, undefined, 2)}\n`;
  if (flags.out === undefined) process.stdout.write(text);
  else await writeFile(flags.out, text);
  reporter.say("good", "statistics", `${summary.rows} rows of ${summary.clients} clients, audited`);
}

/** Of an audit that passed: its model, by the settlement that it checked. @throws STATISTICS_ABSENT */
export async function auditedStatistics(
  { chain, document }: Pick<OpenTask, "chain" | "document">,
  { model }: Pick<TaskAudit, "model">,
): Promise<StatisticsSummary> {
  ensure(
    model !== undefined && model.record.round > 0n,
    "STATISTICS_ABSENT",
    "the task's round is not final yet: there are no statistics",
  );
  const { included, totalWeight } = requireSettled(await chain.records(model.record.round));
  return statisticsIn(document, model.state, { clients: bitCount(included), totalWeight });
}
