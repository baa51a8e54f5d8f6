/** What a piece of work waited for, by its timers: how long it took on a busy machine says little. */

/**
 * Does the work, and tells which timers of at least `leastMs` ran out meanwhile, each by its delay in milliseconds.
 * Timers of modules that imported `setTimeout` by name are not seen.
 * @example assert.deepEqual(await waitsOf(3000, () => ask(nodes)), [3000]);
 */
export async function waitsOf(leastMs: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const { setTimeout } = globalThis;
  const waits: number[] = [];
  const noting = (then: (...args: readonly unknown[]) => void, ms = 0, ...args: readonly unknown[]): NodeJS.Timeout =>
    setTimeout(() => {
      if (ms >= leastMs) waits.push(ms);
      then(...args);
    }, ms);
  globalThis.setTimeout = Object.assign(noting, setTimeout);
  try {
    await work();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return waits;
}
