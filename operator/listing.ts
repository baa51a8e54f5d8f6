/** Who takes part in a task, and what its next round waits for, as the chain has it. */
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { plainText } from "../content/report.ts";
import type { Hex } from "../protocol/transcript.ts";
import { readOpening } from "./opening.ts";

/** Rounds whose keys are asked for at once. */
const KEYS_AT_ONCE = 8n;

export interface ListedMember {
  readonly seat: number;
  readonly account: Hex;
  /** Rounds in a row, from the next one on, that the seat has a key for. */
  readonly keysAhead: number;
  /** Announced by the account; nobody checked it. */
  readonly endpoint: string | null;
}

export interface ListedClient {
  readonly account: Hex;
  readonly weight: number;
  readonly activeFromRound: string;
  readonly bondWei: string;
  /** Rounds with a submission of it. */
  readonly submissions: number;
}

/** As JSON prints it: counts of any size are decimal texts. */
export interface Listing {
  readonly contract: Hex;
  readonly chainId: string;
  readonly operator: Hex;
  readonly round: string;
  readonly phase: string;
  readonly seats: number;
  readonly members: readonly ListedMember[];
  readonly clients: readonly ListedClient[];
  /** What keeps the next round from opening, in words. */
  readonly obstacles: readonly string[];
}

/** @throws CHAIN_* errors */
export async function readListing(chain: TaskReader): Promise<Listing> {
  const look = await chain.look();
  const { contract, chainId } = chain.context;
  const [parameters, operator, members, accounts, endpoints, { obstacles }] = await Promise.all([
    chain.parameters(),
    chain.operator(),
    chain.members(),
    chain.clients(),
    chain.endpoints(),
    readOpening(chain, look),
  ]);
  const submissions = submissionsIn(look);
  return {
    ...{ contract, chainId: chainId.toString(), operator, round: look.round.number.toString() },
    ...{ phase: look.round.phase, seats: parameters.committeeSize },
    members: await Promise.all(
      members.map(async (account, i) => ({
        ...{ seat: i + 1, account, endpoint: endpoints.get(account) ?? null },
        keysAhead: await keysAhead(chain, i + 1, look.round.number + 1n),
      })),
    ),
    clients: await Promise.all(
      accounts.map(async (account) => {
        const { weight, activeFromRound, bondWei } = await chain.client(account);
        return {
          ...{ account, weight, activeFromRound: activeFromRound.toString(), bondWei: bondWei.toString() },
          submissions: submissions.get(account) ?? 0,
        };
      }),
    ),
    obstacles,
  };
}

/** The same for people. */
export function linesOf({ members, clients, obstacles, ...task }: Listing): readonly string[] {
  return [
    `contract ${task.contract} on chain ${task.chainId}, operator ${task.operator}`,
    `round ${task.round}, ${task.phase}; ${members.length} of ${task.seats} seats filled, ${clients.length} clients`,
    ...members.map(
      ({ seat, account, keysAhead: ahead, endpoint }) =>
        `seat ${seat}  ${account}  keys for ${ahead} rounds ahead  ${endpoint === null ? "no endpoint" : plainText(endpoint)}`,
    ),
    ...clients.map(
      ({ account, weight, activeFromRound, bondWei, submissions }) =>
        `client  ${account}  weight ${weight}  from round ${activeFromRound}  bond ${bondWei} wei  ${submissions} submissions`,
    ),
    ...(obstacles.length === 0
      ? ["the next round can open as soon as the members' keys are there"]
      : obstacles.map((why) => `the next round cannot open: ${why}`)),
  ];
}

function submissionsIn(look: TaskLook): ReadonlyMap<Hex, number> {
  const counts = new Map<Hex, number>();
  for (let round = 1n; round <= look.round.number; round += 1n)
    for (const { client } of look.records(round).submitted) counts.set(client, (counts.get(client) ?? 0) + 1);
  return counts;
}

async function keysAhead(chain: TaskReader, seat: number, from: bigint): Promise<number> {
  for (let first = from; ; first += KEYS_AT_ONCE) {
    const keys = await Promise.all(
      Array.from({ length: Number(KEYS_AT_ONCE) }, (_, i) => chain.roundKey(first + BigInt(i), seat)),
    );
    const missing = keys.findIndex((key) => BigInt(key) === 0n);
    if (missing !== -1) return Number(first - from) + missing;
  }
}
