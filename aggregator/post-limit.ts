/** A limit on how often one address may post, so that nobody's posts crowd out the others'. */

/** Addresses that are counted at a time; with more, all of them start again. */
const MOST_ADDRESSES = 10_000;

export interface PostLimit {
  /** Posts of one address in one window, at most. */
  readonly most: number;
  readonly windowMs: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/**
 * Counts a post, and says whether it is within the limit. Windows are the same for all addresses and follow one another.
 * @example const allows = createPostLimit({ most: 60, windowMs: 60_000, clock: () => performance.now() }); allows("::1") // true
 */
export function createPostLimit({ most, windowMs, clock }: PostLimit): (address: string) => boolean {
  const posts = new Map<string, number>();
  let ends = clock() + windowMs;
  return (address) => {
    const now = clock();
    if (now >= ends || (posts.size >= MOST_ADDRESSES && !posts.has(address))) {
      posts.clear();
      ends = now + windowMs;
    }
    const made = posts.get(address) ?? 0;
    if (made >= most) return false;
    posts.set(address, made + 1);
    return true;
  };
}
