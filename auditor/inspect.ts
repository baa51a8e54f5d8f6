/** What `fl status` does. */
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { isBuffer } from "../task/buffers.ts";
import { cidFromDigest } from "../content/cid.ts";
import { plainText } from "../content/report.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { keysOrigin as keysOriginOf } from "../task/keys-origin.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { loadCheckpointConfig, metricsText } from "../task/checkpoint.ts";
import type { Metrics } from "../task/checkpoint.ts";
import { openReadingNode } from "../task/node.ts";
import type { ReadingNode } from "../task/node.ts";
import { countedRounds, ownPrivacyLine } from "../task/own-privacy.ts";
import { privacyLine, privacySummary } from "../task/privacy-summary.ts";
import { influenceLine, influenceOf, taskWarnings } from "../task/warnings.ts";
import { shortWindows, timingLine } from "../task/windows.ts";
import { clientStanding } from "../task/client-standing.ts";
import { comingChanges } from "../task/coming-changes.ts";
import type { RoundMetrics } from "./metrics.ts";
import type { PartyState } from "./parties.ts";
import { presentOf, verifiedKeys } from "./present.ts";

/** What a status shows is of one moment; waiting for content, it looks again after this time, in milliseconds. */
const LOOK_MS = 5_000;

export interface StatusFlags extends CommonFlags {
  /** Whose own privacy is shown as well. */
  readonly client?: Hex;
}

/** Prints a task's state. @throws what opening a node throws */
export async function showStatus(flags: StatusFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const node = await openReadingNode({ ...nodeOptions(flags, "reader"), lookMs: LOOK_MS }, reporter, signal);
  const status = await statusOf(node, signal, flags.client);
  await node.close();
  process.stdout.write(
    flags.format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: status })}\n`
      : `${linesOf(status).join("\n")}\n`,
  );
}

type Status = Awaited<ReturnType<typeof statusOf>>;

async function statusOf(node: ReadingNode, signal: AbortSignal, client?: Hex) {
  const { chain, task } = node;
  const { parameters, document } = task;
  const look = await chain.look();
  const { latestModel, finalisedRounds, clientCount, privacySpent } = look;
  const [{ round, gateways, parties }, { says: keys, ...keysOrigin }, metrics, timing] = await Promise.all([
    presentOf(node, look),
    keysOriginOf(task, verifiedKeys(node)),
    claimedHistory(node, signal),
    chain.timing(),
  ]);
  const privacy = privacySummary(task, Number(privacySpent));
  const own = client === undefined ? {} : await ownPart(node, look, client);
  return {
    task: document.name,
    round: round.number.toString(),
    phase: round.phase,
    submitted: `${round.submitted}/${isBuffer(parameters) ? "goal " : ""}${round.expected}`,
    finalisedRounds: `${finalisedRounds}${parameters.maxRounds > 0 ? `/${parameters.maxRounds}` : ""}`,
    clients: clientCount,
    committee: `${parameters.committeeSize} seats, threshold ${parameters.threshold}, quorum ${parameters.quorum}`,
    keys,
    keysOrigin,
    model: cidFromDigest(latestModel.cid),
    metrics,
    influence: { ...influenceOf(document, parameters), says: influenceLine(document, parameters) },
    chain: timingLine(timing),
    warnings: [...taskWarnings(document, parameters), ...shortWindows(parameters, timing)].map(({ text }) => text),
    parties,
    changes: comingChanges(look).map(({ fromRound, ...change }) => ({ fromRound: fromRound.toString(), ...change })),
    ...(privacy === null
      ? {}
      : { privacySpent: privacyLine(privacy), privacyMeans: privacy.statement, privacyEpsilon: privacy.epsilon }),
    ...own,
    gateways,
  };
}

/** What an account is as a client, and what its rounds cost of its privacy in a private task. */
async function ownPart({ chain, task }: ReadingNode, look: TaskLook, client: Hex) {
  const privacy = ownPrivacyLine(task, countedRounds(look, client));
  return {
    client: `${client} is ${clientStanding(await chain.client(client), look.round.number)}`,
    ...(privacy === null ? {} : { privacyOfClient: privacy }),
  };
}

/** Rounds whose metrics are shown, the latest ones, and how long their checkpoints are waited for in all. */
const SHOWN_ROUNDS = 20;
const HISTORY_MS = 10_000;

type ClaimedMetrics = Pick<RoundMetrics, "round"> & { readonly claimed: Metrics };

/**
 * What aggregators said of the models of the latest rounds. Nobody checked it: members sign it unseen.
 * @returns as many rounds as could be read in time, first to last
 */
async function claimedHistory(
  { chain, task, store }: ReadingNode,
  signal: AbortSignal,
): Promise<readonly ClaimedMetrics[]> {
  const history: ClaimedMetrics[] = [];
  const read = async (): Promise<void> => {
    for (const round of (await chain.finalisedRoundNumbers()).slice(-SHOWN_ROUNDS)) {
      const { finalised } = await chain.records(round);
      if (finalised === undefined || signal.aborted) continue;
      const { metrics } = await loadCheckpointConfig(store, finalised.result.modelCid, task.cells?.cells.length);
      if (metrics !== null) history.push({ round: round.toString(), claimed: metrics });
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

/** Clients, and changes of the lists, that are shown; more are counted. */
const SHOWN_PARTIES = 40;

function linesOf({
  keysOrigin: _,
  privacyEpsilon: __,
  parties,
  changes,
  metrics,
  influence,
  ...status
}: Status): readonly string[] {
  const shown = {
    ...status,
    metrics: metrics.map(({ round, claimed }) => `round ${round}: ${metricsText(claimed)}, claimed`).join("; "),
    influence: influence.says,
    warnings: status.warnings.join("; "),
    gateways: status.gateways.join(", "),
  };
  const more = parties.length - SHOWN_PARTIES;
  return [
    ...Object.entries(shown).map(([key, value]) => `${key.padEnd(16)} ${String(value) || "none"}`),
    ...parties.slice(0, SHOWN_PARTIES).map(partyLine),
    ...(more > 0 ? [`… and ${more} more clients`] : []),
    ...changes.slice(0, SHOWN_PARTIES).map(({ says }) => `${"to come".padEnd(16)} ${says}`),
    ...(changes.length > SHOWN_PARTIES ? [`… and ${changes.length - SHOWN_PARTIES} more changes`] : []),
  ];
}

/** What others' nodes say is shown without what could move a cursor. */
function partyLine({ party, account, state, reason, says }: PartyState): string {
  const who = party === "client" ? account!.slice(0, 10) : party;
  return `${who.padEnd(16)} ${state}: ${reason}${says === undefined ? "" : `; says: ${plainText(says)}`}`;
}
