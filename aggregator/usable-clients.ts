/** Clients that further rounds may count. */
import type { TaskReader } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { listedClients, statusesOf } from "./listed-clients.ts";

export interface UsableClientsDependencies {
  readonly chain: Pick<TaskReader, "client" | "look">;
  readonly task: { readonly parameters: Pick<TaskParameters, "maxRoundsPerClient"> };
}

/**
 * Counts the listed clients that settlements have counted less often than `maxRoundsPerClient`. Each is asked for once
 * a round and list.
 * @returns what throws chain errors
 */
export function createUsableClients({ chain, task }: UsableClientsDependencies): () => Promise<number> {
  const { maxRoundsPerClient } = task.parameters;
  let counted: { readonly of: string; readonly usable: number } | undefined;
  return async () => {
    const look = await chain.look();
    const accounts = listedClients(look);
    if (maxRoundsPerClient === 0) return accounts.length;
    // A settlement counts them, also where its round ends without a model, and a reorganisation takes it back.
    const { digest } = look.latestModel;
    const { settled, settledRounds } = look.records(look.round.number);
    const of = [digest, look.round.number, settled?.settlement, settledRounds, ...accounts].join();
    if (counted?.of === of) return counted.usable;
    const usable = (await statusesOf(chain, accounts)).filter(
      ({ includedRounds }) => includedRounds < maxRoundsPerClient,
    ).length;
    counted = { of, usable };
    return usable;
  };
}
