/**
 * Which members, of at least a quorum, miss the fewest clients between them: exhaustive branching with bounds
 * (docs/protocol.md, section 6, Theorem 3).
 *
 * Members and clients are the two sides of a bipartite graph, whose edges say who missed whom. Members are dropped and
 * clients excluded until no edge is left: a vertex cover with few members and the fewest clients.
 */

/** The best choice so far; the search looks for one that misses fewer. */
interface Best {
  members: number | undefined;
  missed: number;
}

/** What a branch has not decided yet. Branches of one depth use one after the other the same arrays. */
interface Frame {
  /** Members, as bits, that missed the same clients. */
  readonly missers: Int32Array;
  /** How many clients have these missers. */
  readonly clients: Int32Array;
  /** Entries of both that count. */
  count: number;
  /** Clients that each member misses. */
  readonly degrees: Int32Array;
}

const WORD_BITS = 32;
/** Sums of a few hundred fractions are off by less. */
const ROUNDING = 1e-6;

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
  const search = new Search(missers);
  const best = search.fewest(all, quorum, { members: undefined, missed: most + 1 }, 0);
  for (let chosen = best.members; chosen !== undefined;) {
    const larger = { members: undefined, missed: best.missed + 1 };
    const { members } = search.fewest(all, countBits(chosen) + 1, larger, best.missed);
    if (members === undefined) return chosen;
    chosen = members;
  }
  return undefined;
}

/** Set bits of a 32-bit word. */
export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

class Search {
  readonly #missers: Int32Array;
  readonly #clients: Int32Array;
  readonly #frames: Frame[] = [];
  readonly #shares = new Float64Array(WORD_BITS);

  constructor(missers: readonly number[]) {
    const counts = new Map<number, number>();
    for (const word of missers) counts.set(word, (counts.get(word) ?? 0) + 1);
    this.#missers = Int32Array.from(counts.keys());
    this.#clients = Int32Array.from(counts.values());
  }

  /** A choice that misses fewer than `best`, the fewest or no more than `enough`; `best` if there is none. */
  fewest(all: number, quorum: number, best: Best, enough: number): Best {
    const guess = this.#guess(all, quorum);
    const found = guess !== undefined && guess.missed < best.missed ? guess : best;
    if (found.missed <= enough && found.members !== undefined) return found;
    const frame = this.#frame(0);
    frame.missers.set(this.#missers);
    frame.clients.set(this.#clients);
    frame.count = this.#missers.length;
    this.#search(0, all, 0, quorum, enough, found);
    return found;
  }

  /** A choice that is good and found at once: what the search has to beat from the start cuts most of its branches. */
  #guess(all: number, quorum: number): Best | undefined {
    if (countBits(all) < quorum) return undefined;
    let members = 0;
    while (countBits(members) < quorum) members |= this.#leastMissing(all & ~members, members);
    for (let isBetter = true; isBetter;) {
      isBetter = false;
      const before = this.#missedBy(members);
      for (let kept = members; kept !== 0 && !isBetter; kept &= kept - 1) {
        const without = members & ~(kept & -kept);
        const changed = without | this.#leastMissing(all & ~without, without);
        if (this.#missedBy(changed) < before) [members, isBetter] = [changed, true];
      }
    }
    const missed = this.#missedBy(members);
    // Whoever misses nobody else takes part as well.
    for (let rest = all & ~members; rest !== 0; rest &= rest - 1) {
      const larger = members | (rest & -rest);
      if (this.#missedBy(larger) === missed) members = larger;
    }
    return { members, missed };
  }

  /** The bit of the candidate with whom `members` miss the fewest clients. */
  #leastMissing(candidates: number, members: number): number {
    let least = { bit: 0, missed: Infinity };
    for (let rest = candidates; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const missed = this.#missedBy(members | bit);
      if (missed < least.missed) least = { bit, missed };
    }
    return least.bit;
  }

  #missedBy(members: number): number {
    let missed = 0;
    for (let i = 0; i < this.#missers.length; i++) if (this.#missers[i]! & members) missed += this.#clients[i]!;
    return missed;
  }

  /** Looks for a choice that misses fewer than `best`, until one misses no more than `enough`. */
  #search(depth: number, all: number, decided: number, quorum: number, enough: number, best: Best): void {
    const frame = this.#frame(depth);
    const branch = this.#decide(frame, all, decided, quorum, best.missed - 1);
    if (branch === undefined) return;
    const { members, excluded } = branch;
    if (frame.count === 0) {
      best.members = members;
      best.missed = excluded;
      return;
    }
    const { degrees } = frame;
    let heaviest = 0;
    for (let j = 1; j < WORD_BITS; j++) if (degrees[j]! > degrees[heaviest]!) heaviest = j;
    const bit = 1 << heaviest;
    // Kept: whoever it misses is excluded. Then dropped.
    this.#descend(depth, bit);
    this.#search(depth + 1, members, excluded + degrees[heaviest]!, quorum, enough, best);
    if (best.missed <= enough) return;
    this.#descend(depth, 0);
    this.#search(depth + 1, members & ~bit, excluded, quorum, enough, best);
  }

  /** What the next depth begins with: all that is open here but the clients that the member misses. */
  #descend(depth: number, bit: number): void {
    const [from, to] = [this.#frame(depth), this.#frame(depth + 1)];
    to.count = 0;
    for (let i = 0; i < from.count; i++) {
      if (from.missers[i]! & bit) continue;
      to.missers[to.count] = from.missers[i]!;
      to.clients[to.count++] = from.clients[i]!;
    }
  }

  /**
   * Excludes clients with more missers than may be dropped, and drops members that miss more clients than may be
   * excluded, until there are none; undefined if then a quorum or `most` cannot be kept.
   */
  #decide(
    frame: Frame,
    all: number,
    decided: number,
    quorum: number,
    most: number,
  ): { readonly members: number; readonly excluded: number } | undefined {
    const { missers, clients, degrees } = frame;
    let [members, excluded] = [all, decided];
    for (;;) {
      const drops = countBits(members) - quorum;
      degrees.fill(0);
      let open = 0;
      for (let i = 0; i < frame.count; i++) {
        const word = missers[i]! & members;
        if (countBits(word) > drops) excluded += clients[i]!;
        else if (word !== 0) {
          missers[open] = word;
          clients[open++] = clients[i]!;
          for (let rest = word; rest !== 0; rest &= rest - 1) degrees[lowestBit(rest)]! += clients[i]!;
        }
      }
      frame.count = open;
      if (drops < 0 || excluded > most) return undefined;
      let tooMany = 0;
      for (let j = 0; j < WORD_BITS; j++) if (excluded + degrees[j]! > most) tooMany |= 1 << j;
      members &= ~tooMany;
      if (tooMany !== 0) continue;
      return excluded + this.#atLeastExcluded(frame, drops) > most ? undefined : { members, excluded };
    }
  }

  /**
   * A lower bound on the clients that are excluded when `drops` members may go. Each client is divided among its
   * missers: one that is not excluded goes with all of its parts, and the members with most take no more than theirs.
   */
  #atLeastExcluded({ missers, clients, count }: Frame, drops: number): number {
    const shares = this.#shares.fill(0);
    for (let i = 0; i < count; i++) {
      const part = clients[i]! / countBits(missers[i]!);
      for (let rest = missers[i]!; rest !== 0; rest &= rest - 1) shares[lowestBit(rest)]! += part;
    }
    shares.sort();
    let excluded = 0;
    for (let j = 0; j < WORD_BITS - drops; j++) excluded += shares[j]!;
    // Rounding can only make the bound weaker.
    return Math.ceil(excluded - ROUNDING);
  }

  #frame(depth: number): Frame {
    const length = this.#missers.length;
    return (this.#frames[depth] ??= {
      missers: new Int32Array(length),
      clients: new Int32Array(length),
      count: 0,
      degrees: new Int32Array(WORD_BITS),
    });
  }
}

function lowestBit(word: number): number {
  return WORD_BITS - 1 - Math.clz32(word & -word);
}
