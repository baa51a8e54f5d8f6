/** Takes clients off whom the contract lets anybody take off, so that rounds do not wait for them. */
import type { Phase, TaskWriter } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { reasonToRemove } from "../task/removal.ts";
import { listedClients, statusesOf } from "./listed-clients.ts";

/** While a settlement is new, or there is no round: whoever is taken off then is not of the next round. */
const PHASES: readonly Phase[] = ["Idle", "Aggregating", "Finalised", "Aborted"];

export interface TidyingDependencies {
  readonly chain: Pick<TaskWriter, "client" | "look" | "removeClient">;
  readonly task: { readonly parameters: Pick<TaskParameters, "maxRefusals" | "maxRoundsPerClient"> };
  readonly reporter: Reporter;
}

/** A client that anybody may take off, and why. */
interface Removable {
  readonly account: Hex;
  readonly why: string;
}

/**
 * A chore that looks once a round, and takes one client off a call: what the round needs comes between. Each costs a
 * transaction of this account's.
 * @returns what throws chain errors
 */
export function createTidying({ chain, task, reporter }: TidyingDependencies): () => Promise<void> {
  let tidied = 0n;
  let left: Removable[] = [];
  return async () => {
    const look = await chain.look();
    const { round } = look;
    if (!PHASES.includes(round.phase)) return;
    // The operator takes off whom it likes, for good: a reorganisation must not take back what this is for.
    const { settled, finalBlock } = look.records(round.number);
    if (settled !== undefined && settled.blockNumber > finalBlock) return;
    if (look.closedRound < round.number - 1n) return;
    if (tidied !== round.number) {
      left = (await statusesOf(chain, listedClients(look))).flatMap(({ account, ...status }) => {
        const why = reasonToRemove(status, task.parameters);
        return why === undefined ? [] : [{ account, why }];
      });
      tidied = round.number;
    }
    const [next] = left;
    if (next === undefined) return;
    const { account, why } = next;
    try {
      await chain.removeClient(account);
      reporter.say("info", "client-removed", `took ${account} off: ${why}`, { account });
    } catch (error) {
      // Somebody else was first.
      if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
      reporter.wait(`${account} stays listed: ${String(error.details.error)}`, { account });
    }
    // After an error that passes it is tried again.
    left = left.slice(1);
  };
}
