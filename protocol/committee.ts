/** Which clients a set of members can settle on (docs/protocol.md, section 6, Attesting). */
import { fewestMissed } from "./quorum-search.ts";

/** A set of clients or members as bits: client index i is bit i, seat j is bit j − 1. */
export type Bitmap = bigint;

export interface Proposal {
  readonly members: Bitmap;
  readonly included: Bitmap;
}

/** Whether a client's bit is set. */
export function hasClient(clients: Bitmap, index: number): boolean {
  return ((clients >> BigInt(index)) & 1n) === 1n;
}

/** Whether a seat's bit is set. */
export function hasSeat(members: Bitmap, seat: number): boolean {
  return hasClient(members, seat - 1);
}

/** The bitmap of these seats. */
export function seatsMask(seats: readonly number[]): Bitmap {
  return seats.reduce((mask, seat) => mask | (1n << BigInt(seat - 1)), 0n);
}

/** The indexes of the set bits, ascending. */
export function bitIndexes(bitmap: Bitmap): number[] {
  const indexes: number[] = [];
  for (let i = 0, rest = bitmap; rest > 0n; i++, rest >>= 1n) if ((rest & 1n) === 1n) indexes.push(i);
  return indexes;
}

export function bitCount(bitmap: Bitmap): number {
  return bitIndexes(bitmap).length;
}

/**
 * The proposal with the largest U, then the largest T, among all sets of at least `quorum` attesters; undefined if no U
 * has `smallest` clients.
 *
 * @param attestations bitmap of each attesting seat
 * @param submitted P: bitmaps have no bit from P on
 */
export function bestProposal(
  attestations: ReadonlyMap<number, Bitmap>,
  quorum: number,
  smallest: number,
  submitted: number,
): Proposal | undefined {
  const seats = [...attestations.keys()];
  const bitmaps = [...attestations.values()];
  const missers = Array.from({ length: submitted }, (_, client) =>
    bitmaps.reduce((mask, bitmap, i) => (hasClient(bitmap, client) ? mask : mask | (1 << i)), 0),
  );
  const everybody = seats.reduce((mask, _, i) => mask | (1 << i), 0);
  const chosen = fewestMissed(everybody, missers, quorum, submitted - smallest);
  if (chosen === undefined) return undefined;
  const isChosen = (_: unknown, i: number): boolean => (chosen & (1 << i)) !== 0;
  return {
    members: seatsMask(seats.filter(isChosen)),
    included: bitmaps.filter(isChosen).reduce((a, b) => a & b),
  };
}

/**
 * Whether nobody outside U can be in any settlement, so that it takes effect at once: at least `n − quorum + 1` seats
 * refuse each of them, and no quorum is without one of those.
 *
 * @param refusals bitmap of each seat
 * @param submitted P: bitmaps have no bit from P on
 */
export function isConclusive(
  included: Bitmap,
  refusals: readonly Bitmap[],
  submitted: number,
  { committeeSize, quorum }: { readonly committeeSize: number; readonly quorum: number },
): boolean {
  const outside = bitIndexes(((1n << BigInt(submitted)) - 1n) & ~included);
  return outside.every(
    (client) => refusals.filter((refused) => hasClient(refused, client)).length > committeeSize - quorum,
  );
}

/** Whether the contract lets `proposal` replace the one that stands: more clients, or as many with more members. */
export function isBetter(proposal: Proposal, standing: Proposal): boolean {
  const more = bitCount(proposal.included) - bitCount(standing.included);
  return more > 0 || (more === 0 && bitCount(proposal.members) > bitCount(standing.members));
}
