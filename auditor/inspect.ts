/** What `fl status` does. */
import { join } from "node:path";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { cidFromDigest } from "../content/cid.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { keysOrigin } from "../task/keys-origin.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { loadCheckpointConfig, metricsText } from "../task/checkpoint.ts";
import { openReadingNode } from "../task/node.ts";
import type { ReadingNode } from "../task/node.ts";
import { privacyLine, privacySummary } from "../task/privacy-summary.ts";
import { influenceLine, taskWarnings } from "../task/warnings.ts";
import { shortWindows, timingLine } from "../task/windows.ts";

/** What a status shows is of one moment; waiting for content, it looks again after this time, in milliseconds. */
const LOOK_MS = 5_000;

/** Prints a task's state. @throws what opening a node throws */
export async function showStatus(flags: CommonFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const node = await openReadingNode({ ...nodeOptions(flags, "reader"), lookMs: LOOK_MS }, reporter, signal);
  const { chain, task } = node;
  const { round, latestModel: model, finalisedRounds: finalised, clientCount, privacySpent } = await chain.look();
  const gateways = node.network.peers();
  // `fl verify` keeps what it verified in a folder of its own, unless both are told another one.
  const verifiers = [node.state.file("keys"), join(".verisum", "auditor", "keys")];
  const keys = await keysOrigin(task, verifiers);
  const claimedMetrics = await claimedHistory(node, signal);
  const timing = await chain.timing();
  const privacy = privacySummary(task, Number(privacySpent));
  await node.close();
  const status = {
    task: task.document.name,
    round: round.number.toString(),
    phase: round.phase,
    submitted: `${round.submitted}/${round.expected}`,
    finalisedRounds: `${finalised}${task.parameters.maxRounds > 0 ? `/${task.parameters.maxRounds}` : ""}`,
    clients: clientCount,
    committee: `${task.parameters.committeeSize} seats, threshold ${task.parameters.threshold}, quorum ${task.parameters.quorum}`,
    keys: keys.says,
    model: cidFromDigest(model.cid),
    influence: influenceLine(task.document, task.parameters),
    chain: timingLine(timing),
    warnings: [...taskWarnings(task.document, task.parameters), ...shortWindows(task.parameters, timing)].map(
      ({ text }) => text,
    ),
    claimedMetrics: claimedMetrics.map(({ round: number, claimed }) => `round ${number}: ${claimed}`),
    ...(privacy === null ? {} : { privacySpent: privacyLine(privacy), privacyMeans: privacy.statement }),
    gateways,
  };
  const { says: _, ...origin } = keys;
  const data = { ...status, keysOrigin: origin, ...(privacy === null ? {} : { privacyEpsilon: privacy.epsilon }) };
  process.stdout.write(
    flags.format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`
      : `${linesOf(status).join("\n")}\n`,
  );
}

/** Rounds whose metrics are shown, the latest ones, and how long their checkpoints are waited for in all. */
const SHOWN_ROUNDS = 20;
const HISTORY_MS = 10_000;

/**
 * What aggregators said of the models of the latest rounds. Nobody checked it: members sign it unseen.
 * @returns as many rounds as could be read in time, first to last
 */
async function claimedHistory(
  { chain, task, store }: ReadingNode,
  signal: AbortSignal,
): Promise<readonly { readonly round: string; readonly claimed: string }[]> {
  const history: { readonly round: string; readonly claimed: string }[] = [];
  const read = async (): Promise<void> => {
    for (const round of (await chain.finalisedRoundNumbers()).slice(-SHOWN_ROUNDS)) {
      const { finalised } = await chain.records(round);
      if (finalised === undefined || signal.aborted) continue;
      const { metrics } = await loadCheckpointConfig(store, finalised.result.modelCid, task.cells?.cells.length);
      if (metrics !== null) history.push({ round: round.toString(), claimed: `${metricsText(metrics)}, claimed` });
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => (timer = setTimeout(resolve, HISTORY_MS)));
  // What is not there is not shown: the state itself is known from the chain.
  await Promise.race([read().catch(passUnavailable), deadline]);
  clearTimeout(timer);
  return history;
}

function passUnavailable(error: unknown): void {
  if (!isVerisumError(error) || error.entry.about === "host") throw error;
}

function linesOf(status: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(status).map(
    ([key, value]) =>
      `${key.padEnd(16)} ${Array.isArray(value) ? value.join(key === "gateways" ? ", " : "; ") : String(value)}`,
  );
}
