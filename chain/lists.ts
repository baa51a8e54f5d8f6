/**
 * Who takes part in which rounds, by the events that change the lists. A change is of the next round and of those after
 * it, so that a round's lists never change once it is open.
 */
import type { Hex } from "../protocol/transcript.ts";
import type { TaskLog } from "./logs.ts";

export const ZERO_ADDRESS: Hex = `0x${"00".repeat(20)}`;

/** Rounds from `fromRound` on and before `untilRound`; undefined: there is no end yet. */
export interface Term {
  readonly fromRound: bigint;
  readonly untilRound: bigint | undefined;
}

export interface SeatTerm extends Term {
  readonly seat: number;
  /** In lower case; the zero address while the seat is empty. */
  readonly member: Hex;
}

export interface ClientTerm extends Term {
  /** In lower case. */
  readonly client: Hex;
  readonly weight: number;
  /** Whose place it took, with what was counted of it. */
  readonly predecessor?: Hex;
}

/** Events that the contract counts as changes of its lists. */
export const LIST_EVENTS: readonly TaskLog["name"][] = ["MemberRegistered", "ClientRegistered", "ClientLeft"];

/** Terms of seats in the order in which they were decided. One that another replaced before it began is left out. */
export function seatTerms(logs: readonly TaskLog[]): readonly SeatTerm[] {
  const terms: SeatTerm[] = [];
  for (const log of logs) {
    if (log.name !== "MemberRegistered") continue;
    const { seat, member, fromRound } = log.args;
    end(terms, (term) => term.seat === Number(seat), fromRound);
    terms.push({ seat: Number(seat), member: member.toLowerCase() as Hex, fromRound, untilRound: undefined });
  }
  return terms.filter(isSome);
}

/** The same of clients. */
export function clientTerms(logs: readonly TaskLog[]): readonly ClientTerm[] {
  const terms: ClientTerm[] = [];
  for (const { name, args } of logs) {
    if (name === "ClientLeft") {
      const client = args.client.toLowerCase();
      end(terms, (term) => term.client === client, args.untilRound);
    }
    if (name === "ClientRegistered") {
      const { client, weight, activeFromRound: fromRound } = args;
      terms.push({ client: client.toLowerCase() as Hex, weight: Number(weight), fromRound, untilRound: undefined });
    }
    if (name === "PlaceTaken") {
      const [predecessor, successor] = [args.predecessor.toLowerCase() as Hex, args.successor.toLowerCase()];
      const place = terms.findLastIndex(({ client }) => client === successor);
      if (place !== -1) terms[place] = { ...terms[place]!, predecessor };
    }
  }
  return terms.filter(isSome);
}

export function isOf({ fromRound, untilRound }: Term, round: bigint): boolean {
  return fromRound <= round && (untilRound === undefined || round < untilRound);
}

/** Whether it is of the round, or of one after it. */
export function isOfOrAfter({ untilRound }: Term, round: bigint): boolean {
  return untilRound === undefined || round < untilRound;
}

/** Seat 1 first; the zero address where a seat is empty in the round. */
export function membersIn(terms: readonly SeatTerm[], round: bigint): readonly Hex[] {
  const seats = terms.reduce((most, { seat }) => Math.max(most, seat), 0);
  return Array.from(
    { length: seats },
    (_, i) => terms.findLast((term) => term.seat === i + 1 && isOf(term, round))?.member ?? ZERO_ADDRESS,
  );
}

/** Accounts of the round and of those after it, each once. */
export function accountsFrom(terms: readonly ClientTerm[], round: bigint): readonly Hex[] {
  return [...new Set(terms.filter((term) => isOfOrAfter(term, round)).map(({ client }) => client))];
}

/** The account, and those whose place it took, one after the other. */
export function accountsOfPlace(terms: readonly ClientTerm[], account: Hex): readonly Hex[] {
  const found = [account.toLowerCase() as Hex];
  for (const known of found) {
    const before = terms.find(({ client, predecessor }) => client === known && predecessor !== undefined)?.predecessor;
    if (before !== undefined && !found.includes(before)) found.push(before);
  }
  return found;
}

/** Ends the last term of these that is open. */
function end<T extends Term>(terms: T[], isMeant: (term: T) => boolean, untilRound: bigint): void {
  const place = terms.findLastIndex((term) => isMeant(term) && term.untilRound === undefined);
  if (place !== -1) terms[place] = { ...terms[place]!, untilRound };
}

function isSome({ fromRound, untilRound }: Term): boolean {
  return untilRound === undefined || fromRound < untilRound;
}
