/**
 * Gives each item with the promise of its result, in order, while work on up to `width` items is under way: fetching
 * goes on while a result is used, and no more than `width` results are held. A failure is the consumer's when its turn
 * comes; work that nobody waits for any more may fail unheard.
 *
 * @example
 * for (const [cid, fetched] of startAhead(cids, 4, fetchBlock)) use(cid, await fetched);
 */
export function* startAhead<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<Result>,
): Generator<readonly [Item, Promise<Result>]> {
  const started: Promise<Result>[] = [];
  for (const [index, item] of items.entries()) {
    for (const next of items.slice(index + started.length, index + width)) {
      const result = work(next);
      result.catch(() => undefined);
      started.push(result);
    }
    yield [item, started.shift()!];
  }
}
