/** Sends a client's submission through a node that relays, and sees whether it gets onto the chain. */
import type { TaskWriter } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Sleep } from "../protocol/ports.ts";
import { signedSubmissionJson } from "../task/signed-submission.ts";
import type { Submission } from "../protocol/submission.ts";

const TIMEOUT_MS = 15_000;
const POLL_MS = 1_000;
/**
 * Handing over and waiting take this long together, or half of what is left of the phase if that is less: nodes that
 * stall cost no more.
 */
const PATIENCE_SECONDS = 60;

export interface RelayClientDependencies {
  readonly chain: TaskWriter;
  /** Base URLs of the task's nodes; those that do not relay refuse. */
  readonly nodes: () => readonly string[];
  readonly fetch: typeof globalThis.fetch;
  readonly sleep: Sleep;
  readonly reporter: Reporter;
}

/** Returns true once the submission is on chain; false if it is not in time, and the client has to send it itself. */
export type SendThroughRelay = (round: bigint, submission: Submission) => Promise<boolean>;

export function createRelayClient({ chain, nodes, fetch, sleep, reporter }: RelayClientDependencies): SendThroughRelay {
  return async (round, submission) => {
    const body = signedSubmissionJson(await chain.signSubmission(round, submission));
    const now = await chain.blockTime();
    const patience = Math.min(PATIENCE_SECONDS, Math.max(0, (await chain.round()).deadline - now) / 2);
    const node = await firstThatTakes(nodes(), round, body, fetch, AbortSignal.timeout(Math.floor(patience * 1000)));
    if (node === undefined) {
      reporter.say("warn", "no-relay", `round ${round}: no node relays the submission`, { round });
      return false;
    }
    const until = now + patience;
    reporter.say("info", "handed-over", `round ${round}: ${node} relays the submission`, { round, node });
    for (let polls = 0; polls * POLL_MS <= PATIENCE_SECONDS * 1000; polls++) {
      // What is on chain under this account carries its signature: a relayer cannot have changed it.
      if ((await chain.client(chain.account)).lastSubmittedRound === round) return true;
      if ((await chain.blockTime()) >= until) break;
      await sleep(POLL_MS);
    }
    reporter.say(
      "warn",
      "relay-late",
      `round ${round}: the submission did not reach the chain in time; sending it directly`,
      {
        round,
        node,
      },
    );
    return false;
  };
}

async function firstThatTakes(
  nodes: readonly string[],
  round: bigint,
  body: string,
  fetch: typeof globalThis.fetch,
  end: AbortSignal,
): Promise<string | undefined> {
  for (const node of nodes) {
    if (end.aborted) break;
    try {
      const url = new URL(`v1/submissions/${round}`, node.endsWith("/") ? node : `${node}/`);
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.any([end, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      if (response.status === 202) return node;
    } catch {
      // Unreachable: the next one may relay.
    }
  }
  return undefined;
}
