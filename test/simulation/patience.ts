/** Roles give one another some seconds by the machine's clock; in a schedule only its dice may say who is slow. */

/** Shorter delays are no patience: libraries use them to let others run. */
const SHORTEST_PATIENCE_MS = 1000;
/** The longest delay that a timer takes. */
const NEVER_MS = 2 ** 31 - 1;

/** Does the work as if nothing in it took a second, however busy the machine is. */
export async function withoutPatience<T>(work: () => Promise<T>): Promise<T> {
  const real = globalThis.setTimeout;
  const patient = (callback: () => void, ms = 0): NodeJS.Timeout =>
    ms < SHORTEST_PATIENCE_MS ? real(callback, ms) : real(callback, NEVER_MS).unref();
  globalThis.setTimeout = Object.assign<typeof patient, typeof real>(patient, real);
  try {
    return await work();
  } finally {
    globalThis.setTimeout = real;
  }
}
