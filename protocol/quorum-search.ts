/**
 * Which members, of at least a quorum, miss the fewest clients between them: exhaustive branching with bounds
 * (docs/protocol.md, section 6, Theorem 3).
 *
 * Members and clients are the two sides of a bipartite graph, whose edges say who missed whom. Members are dropped and
 * clients excluded until no edge is left: a vertex cover with few members and the fewest clients.
 */

/** Clients that the same members missed. */
interface Missed {
  /** The members as bits. */
  readonly missers: Int32Array;
  /** How many clients have these missers. */
  readonly clients: Int32Array;
}

/** The best choice so far; the search looks for one that misses fewer. */
interface Best {
  members: number | undefined;
  missed: number;
}

/** What is left of a branch once everything is decided that has one way only. */
interface Branch extends Missed {
  readonly members: number;
  readonly excluded: number;
  /** Clients that each member misses. */
  readonly degrees: Int32Array;
}

const WORD_BITS = 32;

/**
 * The members, at least `quorum` of `all`, that miss the fewest clients between them, and the most members that miss as
 * few; undefined if all choices miss more than `most`.
 *
 * @param all members as bits of a 32-bit word
 * @param missers of each client, as bits of a word
 */
export function fewestMissed(
  all: number,
  missers: readonly number[],
  quorum: number,
  most: number,
): number | undefined {
  const counts = new Map<number, number>();
  for (const word of missers) counts.set(word, (counts.get(word) ?? 0) + 1);
  const start = {
    members: all,
    excluded: 0,
    missers: Int32Array.from(counts.keys()),
    clients: Int32Array.from(counts.values()),
  };
  const best: Best = { members: undefined, missed: most + 1 };
  search(start, quorum, 0, best);
  for (let chosen = best.members; chosen !== undefined;) {
    const larger: Best = { members: undefined, missed: best.missed + 1 };
    search(start, countBits(chosen) + 1, best.missed, larger);
    if (larger.members === undefined) return chosen;
    chosen = larger.members;
  }
  return undefined;
}

/** Set bits of a 32-bit word. */
export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Looks for a choice that misses fewer than `best`, until one misses no more than `enough`. */
function search(from: Omit<Branch, "degrees">, quorum: number, enough: number, best: Best): void {
  const branch = decided(from, quorum, best.missed - 1);
  if (branch === undefined) return;
  const { members, excluded, missers, clients, degrees } = branch;
  if (missers.length === 0) {
    best.members = members;
    best.missed = excluded;
    return;
  }
  let heaviest = 0;
  for (let j = 1; j < WORD_BITS; j++) if (degrees[j]! > degrees[heaviest]!) heaviest = j;
  const bit = 1 << heaviest;
  // Kept: whoever it misses is excluded. Then dropped.
  search(
    {
      members,
      excluded: excluded + degrees[heaviest]!,
      missers: missers.map((word) => (word & bit ? 0 : word)),
      clients,
    },
    quorum,
    enough,
    best,
  );
  if (best.missed > enough) search({ members: members & ~bit, excluded, missers, clients }, quorum, enough, best);
}

/**
 * Excludes clients with more missers than may be dropped, and drops members that miss more clients than may be
 * excluded, until there are none; undefined if then a quorum or `most` cannot be kept.
 */
function decided(from: Omit<Branch, "degrees">, quorum: number, most: number): Branch | undefined {
  let { members, excluded } = from;
  const missers = Int32Array.from(from.missers);
  const clients = Int32Array.from(from.clients);
  const degrees = new Int32Array(WORD_BITS);
  for (let count = missers.length; ;) {
    const drops = countBits(members) - quorum;
    degrees.fill(0);
    let open = 0;
    for (let i = 0; i < count; i++) {
      const word = missers[i]! & members;
      if (countBits(word) > drops) excluded += clients[i]!;
      else if (word !== 0) {
        missers[open] = word;
        clients[open++] = clients[i]!;
        for (let rest = word; rest !== 0; rest &= rest - 1) degrees[lowestBit(rest)]! += clients[i]!;
      }
    }
    count = open;
    if (drops < 0 || excluded > most) return undefined;
    const tooMany = degrees.reduce((mask, degree, j) => (excluded + degree > most ? mask | (1 << j) : mask), 0);
    members &= ~tooMany;
    if (tooMany !== 0) continue;
    const branch = {
      members,
      excluded,
      missers: missers.subarray(0, count),
      clients: clients.subarray(0, count),
      degrees,
    };
    return excluded + atLeastExcluded(branch, drops) > most ? undefined : branch;
  }
}

/**
 * A lower bound on the clients that are excluded when `drops` members may go: those take at most the edges of the
 * members with most, and each client takes no more edges than it has.
 */
function atLeastExcluded({ missers, clients, degrees }: Branch, drops: number): number {
  const ascending = degrees.slice().sort();
  let edges = 0;
  for (let j = 0; j < WORD_BITS - drops; j++) edges += ascending[j]!;
  const bySize = new Int32Array(WORD_BITS + 1);
  missers.forEach((word, i) => (bySize[countBits(word)]! += clients[i]!));
  let excluded = 0;
  for (let size = drops; edges > 0; size--) {
    const taken = Math.min(bySize[size]!, Math.ceil(edges / size));
    excluded += taken;
    edges -= taken * size;
  }
  return excluded;
}

function lowestBit(word: number): number {
  return WORD_BITS - 1 - Math.clz32(word & -word);
}
