/** What `fl verify` does. */
import pc from "picocolors";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { neverBetter } from "../learning/evaluation.ts";
import type { ModelState } from "../protocol/model.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { platformRandom } from "../command/platform-random.ts";
import { submissionVerifier } from "../proving/groth16/submission-batch.ts";
import { closeCurve, openCurve } from "../proving/node/open-curve.ts";
import { verifyKeysOrigin } from "../task/keys-origin.ts";
import type { KeysOrigin } from "../task/keys-claim.ts";
import { comparedIn } from "../task/checkpoint.ts";
import { openMeasure } from "../task/measure.ts";
import { weightsOf } from "../task/model-vector.ts";
import { openReadingNode } from "../task/node.ts";
import type { ReadingNode } from "../task/node.ts";
import { auditTask } from "./audit-task.ts";
import type { AuditOptions, TaskAudit } from "./audit-task.ts";
import { auditTwice } from "./audit-twice.ts";
import { failureOf } from "./checklist.ts";
import type { Finding } from "./checklist.ts";
import { checkIdentity } from "./identity.ts";
import { writeReport } from "./report/write-report.ts";
import { outcomeOf, verdictJson, verdictLine, verdictOf } from "./verdict.ts";
import type { Circumstances } from "./verdict.ts";
import { watchdog } from "./watchdog.ts";
import { createWantedFiles } from "./wanted.ts";
import type { Watchdog } from "./watchdog.ts";

export interface VerifyFlags extends CommonFlags {
  readonly round?: bigint;
  /** Seconds without progress after which it ends. */
  readonly timeout: number;
  /** Test data to measure models on, as `loadDataset` names it. */
  readonly data?: string;
  /** Leaves the contract's identity as it is answered. */
  readonly skipDeployment?: boolean;
  /** Where to write a report; see `reportFiles`. */
  readonly report?: string;
}

/**
 * Audits a task and prints what was found.
 * @throws IPFS_UNAVAILABLE if nothing moves for too long; what {@link failureOf} or opening a node gives
 */
export async function verify(flags: VerifyFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const files = createWantedFiles();
  const dog = watchdog(flags.timeout * 1000, DOCUMENT, files.describe);
  const node = await dog.guard(openReadingNode(nodeOptions(flags, "auditor"), explaining(reporter, dog), signal));
  const task = { ...node.task, store: files.watching(node.task.store) };
  const { audit, origin, processorMs } = await dog.guard(auditWith({ ...node, task }, flags, dog, reporter));
  const verdict = verdictOf(audit, { processorMs, context: node.chain.context, origin });
  if (flags.report !== undefined) {
    const { html, json } = await writeReport(flags.report, node.task, verdict, { until: flags.round });
    reporter.say("info", "report", `the report is in ${html} and ${json}`, { html, json });
  }
  await node.close();
  await closeCurve();
  const nothing = neverBetter(audit.metrics.flatMap(({ recomputed }) => (recomputed && comparedIn(recomputed)) ?? []));
  if (nothing !== undefined) reporter.say("warn", "learns-nothing", nothing);
  process.stdout.write(
    flags.format === "json"
      ? `${verdictJson(verdict)}\n`
      : `${COLOURS[outcomeOf(audit.findings)](verdictLine(verdict))}, ${(processorMs / 1000).toFixed(1)} s of processor time\n`,
  );
  const failure = failureOf(audit.findings);
  if (failure !== undefined) throw failure;
}

async function auditWith(
  node: ReadingNode,
  flags: VerifyFlags,
  dog: Watchdog,
  reporter: Reporter,
): Promise<Pick<Circumstances, "origin" | "processorMs"> & { readonly audit: TaskAudit }> {
  const curve = await openCurve();
  dog.progress("the test data");
  const measure = flags.data === undefined ? undefined : await openMeasure(flags.data, node.task.document);
  const before = process.cpuUsage();
  let origin: KeysOrigin | undefined;
  dog.progress("the keys and the genesis model");
  const options: AuditOptions = {
    verifier: submissionVerifier(curve, platformRandom),
    ...(flags.skipDeployment === true ? {} : { identity: () => checkIdentity(node.task) }),
    origin: async () => {
      origin = await verifyKeysOrigin(node.task, node.state.file("keys"), { curve, random: platformRandom, reporter });
      return origin.says;
    },
    ...(flags.round === undefined ? {} : { until: flags.round }),
    ...(measure === undefined
      ? {}
      : { measure: async (model: ModelState) => measure(weightsOf(node.task.document, model)) }),
    onFinding: (finding) => {
      dog.progress(`what follows ${finding.round === 0 ? "the task's" : `round ${finding.round}'s`} ${finding.check}`);
      if (flags.format === "text") process.stdout.write(`${findingLine(finding)}\n`);
    },
  };
  const audit = await auditTwice(
    node.chain,
    () => auditTask(node.task, options),
    ({ message }) =>
      reporter.say("warn", "audited-again", `${message}: everything is read again before this is believed`),
  );
  const { user, system } = process.cpuUsage(before);
  return { audit, origin, processorMs: (user + system) / 1000 };
}

const COLOURS = { verified: pc.green, unfinished: pc.yellow, failed: pc.red } as const;

/** What opening a node waits for. */
const DOCUMENT = "the task's document, which the operator's node and the aggregator should have";

/** The same reporter; what it is told of as missing is what the command ends with. */
function explaining(reporter: Reporter, dog: Watchdog): Reporter {
  return {
    say: (...event) => reporter.say(...event),
    wait: (text, facts = {}) => {
      dog.explain(`${DOCUMENT}: ${typeof facts["missing"] === "string" ? facts["missing"] : text}`);
      reporter.wait(text, facts);
    },
  };
}

function findingLine({ round, check, ok, detail, code }: Finding): string {
  const mark = ok ? pc.green("✓") : pc.red("✗");
  return `${mark} ${round === 0 ? "task   " : `round ${String(round).padEnd(1)}`}  ${check.padEnd(20)} ${detail}${code === undefined ? "" : ` [${code}]`}`;
}
