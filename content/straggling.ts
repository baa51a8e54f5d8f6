/** Waiting for several parties of whom some may never answer: enough is enough, and the others go on by themselves. */

export interface Waiting {
  /** Asked whenever one has settled: true once no more are needed. */
  readonly isEnough: () => boolean;
  /** Time that the others still get then, in milliseconds. */
  readonly graceMs: number;
  /** Longest wait in all, in milliseconds; as long as it takes if absent. */
  readonly patienceMs?: number | undefined;
}

/**
 * Waits until all have settled; or enough have, and a grace is over; or patience is. Failures are the parties' own.
 * @example await enoughOf(fetches, { isEnough: () => good.length >= threshold, graceMs: 1000, patienceMs: 3000 });
 */
export async function enoughOf(
  parties: readonly Promise<unknown>[],
  { isEnough, graceMs, patienceMs }: Waiting,
): Promise<void> {
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, done: () => void): void => void timers.push(setTimeout(done, ms));
  let left = parties.length;
  await new Promise<void>((resolve) => {
    const settled = (): void => {
      left -= 1;
      if (left === 0) resolve();
      else if (isEnough()) after(graceMs, resolve);
    };
    if (left === 0) resolve();
    if (patienceMs !== undefined) after(patienceMs, resolve);
    for (const party of parties) party.then(settled, settled);
  });
  for (const timer of timers) clearTimeout(timer);
}
