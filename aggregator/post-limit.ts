/** A limit on how often one address, or one network of IPv6, may post, so that nobody's posts crowd out the others'. */

/** Addresses that are counted at a time, networks of IPv6 as one; with more, all of them start again. */
const MOST_ADDRESSES = 10_000;

export interface PostLimit {
  /** Posts of one address in one window, at most. */
  readonly most: number;
  readonly windowMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/**
 * Counts a post, and says whether it is within the limit. A network of IPv6 counts as one address. Windows are the same
 * for all addresses and follow one another.
 * @example const allows = createPostLimit({ most: 60, windowMs: 60_000, clock: () => performance.now() });
 * allows("::1") // true
 */
export function createPostLimit({ most, windowMs, clock }: PostLimit): (address: string) => boolean {
  const posts = new Map<string, number>();
  let ends = clock() + windowMs;
  return (address) => {
    const now = clock();
    const poster = posterOf(address);
    if (now >= ends || (posts.size >= MOST_ADDRESSES && !posts.has(poster))) {
      posts.clear();
      ends = now + windowMs;
    }
    const made = posts.get(poster) ?? 0;
    if (made >= most) return false;
    posts.set(poster, made + 1);
    return true;
  };
}

/** Whose address it is: of IPv6 the first 64 bits, since whoever has one address has the 2^64 of its network. */
function posterOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [head = "", tail] = address.split("::");
  if (tail === undefined) return head.split(":").slice(0, 4).join(":");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  return [...groups, ...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill("0"), ...after]
    .slice(0, 4)
    .join(":");
}
