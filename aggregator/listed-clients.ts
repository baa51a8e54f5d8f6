/** The clients that stay listed, with what the contract counts of each. */
import type { ClientStatus, TaskLook, TaskReader } from "../chain/task-chain.ts";
import type { Hex } from "../protocol/transcript.ts";

export function listedClients({ clientTerms }: Pick<TaskLook, "clientTerms">): readonly Hex[] {
  return clientTerms.filter(({ untilRound }) => untilRound === undefined).map(({ client }) => client);
}

/** One question for each account. @throws chain errors */
export function statusesOf(
  chain: Pick<TaskReader, "client">,
  accounts: readonly Hex[],
): Promise<readonly (ClientStatus & { readonly account: Hex })[]> {
  return Promise.all(accounts.map(async (account) => ({ ...(await chain.client(account)), account })));
}
