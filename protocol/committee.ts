/** Which clients a set of members can settle on (docs/protocol.md, section 6, Attesting). */

/** A set of clients or members as bits: client index i is bit i, seat j is bit j − 1. */
export type Bitmap = bigint;

export interface Proposal {
  readonly members: Bitmap;
  readonly included: Bitmap;
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
 * The proposal with the largest U, then the largest T, among sets of at least `quorum` attesters; undefined if no U has
 * `smallest` clients. Tries every set when there are at most 12 attesters, else greedily leaves out one member at a
 * time.
 *
 * @param attestations bitmap of each attesting seat
 */
export function bestProposal(
  attestations: ReadonlyMap<number, Bitmap>,
  quorum: number,
  smallest: number,
): Proposal | undefined {
  const seats = [...attestations.keys()];
  let best: Proposal | undefined;
  const consider = (chosen: readonly number[]): void => {
    if (chosen.length < quorum) return;
    const included = chosen.map((seat) => attestations.get(seat)!).reduce((a, b) => a & b);
    const members = chosen.reduce((mask, seat) => mask | (1n << BigInt(seat - 1)), 0n);
    if (bitCount(included) < smallest) return;
    const gain =
      best === undefined ? 1 : bitCount(included) - bitCount(best.included) || chosen.length - bitCount(best.members);
    if (gain > 0) best = { members, included };
  };
  if (seats.length <= 12) {
    for (let mask = 1; mask < 2 ** seats.length; mask++) consider(seats.filter((_, i) => (mask >> i) & 1));
    return best;
  }
  for (let chosen = seats; chosen.length >= quorum; chosen = withoutWorst(chosen, attestations)) consider(chosen);
  return best;
}

/** Leaves out the member whose absence enlarges the intersection most. */
function withoutWorst(chosen: readonly number[], attestations: ReadonlyMap<number, Bitmap>): number[] {
  const sizeWithout = (left: number): number =>
    bitCount(
      chosen
        .filter((seat) => seat !== left)
        .map((seat) => attestations.get(seat)!)
        .reduce((a, b) => a & b, -1n & ((1n << 256n) - 1n)),
    );
  const worst = chosen.reduce((a, b) => (sizeWithout(b) > sizeWithout(a) ? b : a));
  return chosen.filter((seat) => seat !== worst);
}
