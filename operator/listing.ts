/** Who takes part in a task, and what its next round waits for, as the chain has it. */
import { isOfOrAfter, ZERO_ADDRESS } from "../chain/lists.ts";
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { plainText } from "../content/report.ts";
import type { Hex } from "../protocol/transcript.ts";
import { readOpening } from "../task/opening.ts";

/** Rounds whose keys are asked for at once. */
const KEYS_AT_ONCE = 8n;

export interface ListedMember {
  readonly seat: number;
  readonly account: Hex;
  /** Rounds in a row, from the next one on, that the seat has a key for. */
  readonly keysAhead: number;
  /** Announced by the account; nobody checked it. */
  readonly endpoint: string | null;
  /** The first round of this member on this seat; 0 for a seat's first one. */
  readonly fromRound: string;
  /** The first round in which the seat is no longer its own; null while it stays. */
  readonly untilRound: string | null;
}

export interface ListedClient {
  readonly account: Hex;
  readonly weight: number;
  readonly activeFromRound: string;
  /** The first round that it takes no part in; null while it stays. */
  readonly untilRound: string | null;
  /** Settlements that left it out as refused. */
  readonly refusals: number;
  /** Settlements that count it; 0 in a task without a limit. */
  readonly includedRounds: number;
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
  const [parameters, operator, accounts, endpoints, { obstacles }] = await Promise.all([
    chain.parameters(),
    chain.operator(),
    chain.clients(),
    chain.endpoints(),
    readOpening(chain, look),
  ]);
  const submissions = submissionsIn(look);
  return {
    ...{ contract, chainId: chainId.toString(), operator, round: look.round.number.toString() },
    ...{ phase: look.round.phase, seats: parameters.committeeSize },
    members: await Promise.all(
      look.seats
        .filter((term) => term.member !== ZERO_ADDRESS && isOfOrAfter(term, look.round.number))
        .toSorted((a, b) => a.seat - b.seat)
        .map(async ({ seat, member: account, fromRound, untilRound }) => ({
          ...{ seat, account, endpoint: endpoints.get(account) ?? null, fromRound: fromRound.toString() },
          untilRound: untilRound?.toString() ?? null,
          keysAhead: untilRound === undefined ? await keysAhead(chain, seat, look.round.number + 1n) : 0,
        })),
    ),
    clients: await Promise.all(
      accounts.map(async (account) => {
        const { weight, activeFromRound, untilRound, bondWei, refusals, includedRounds } = await chain.client(account);
        return {
          ...{ account, weight, activeFromRound: activeFromRound.toString(), bondWei: bondWei.toString() },
          ...{ untilRound: untilRound === 0n ? null : untilRound.toString(), refusals, includedRounds },
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
    `round ${task.round}, ${task.phase}; ${filled(members)} of ${task.seats} seats filled, ${clients.length} clients`,
    ...members.map(
      ({ seat, account, keysAhead: ahead, endpoint, fromRound, untilRound }) =>
        `seat ${seat}  ${account}  ${whenOf(fromRound, untilRound, task.round)}keys for ${ahead} rounds ahead  ${endpoint === null ? "no endpoint" : plainText(endpoint)}`,
    ),
    ...clients.map(
      ({ account, weight, activeFromRound, untilRound, bondWei, submissions, refusals }) =>
        `client  ${account}  weight ${weight}  from round ${activeFromRound}${untilRound === null ? "" : ` until round ${untilRound}`}  bond ${bondWei} wei  ${submissions} submissions${refusals === 0 ? "" : `, refused at ${refusals} settlements`}`,
    ),
    ...(obstacles.length === 0
      ? ["the next round can open as soon as the members' keys are there"]
      : obstacles.map((why) => `the next round cannot open: ${why}`)),
  ];
}

/** Seats that have a member from the next round on. */
function filled(members: readonly ListedMember[]): number {
  return members.filter(({ untilRound }) => untilRound === null).length;
}

/** What is queued of a member. */
function whenOf(fromRound: string, untilRound: string | null, round: string): string {
  if (untilRound !== null) return `until round ${untilRound}  `;
  return BigInt(fromRound) > BigInt(round) ? `from round ${fromRound}  ` : "";
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
