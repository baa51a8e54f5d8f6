/** Clients that further rounds may count. */
import type { TaskReader } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";

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
    const { clientTerms, latestModel, round } = await chain.look();
    const accounts = clientTerms.filter(({ untilRound }) => untilRound === undefined).map(({ client }) => client);
    if (maxRoundsPerClient === 0) return accounts.length;
    // A settlement counts them, also where its round ends without a model.
    const of = [latestModel.digest, round.number, ...accounts].join();
    if (counted?.of === of) return counted.usable;
    const statuses = await Promise.all(accounts.map((account) => chain.client(account)));
    const usable = statuses.filter(({ includedRounds }) => includedRounds < maxRoundsPerClient).length;
    counted = { of, usable };
    return usable;
  };
}
