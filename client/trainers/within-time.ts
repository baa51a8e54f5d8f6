/** A time limit on somebody else's work. */
import { timerMs } from "../../protocol/longest-timer.ts";

/** After its time a program has this long to end before it is left behind; a process is killed within it. */
const GRACE_MS = 5_000;

/**
 * @param work gets a signal that is aborted when the time is over, or when `stop` is
 * @param late what is thrown if the work does not end by then
 * @throws what the work throws
 */
export async function withinTime<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { seconds, stop, late }: { readonly seconds: number; readonly stop: AbortSignal; readonly late: () => Error },
): Promise<T> {
  const time = new AbortController();
  const signal = AbortSignal.any([stop, time.signal]);
  const timers = [setTimeout(() => time.abort(), timerMs(seconds * 1000))];
  try {
    const left = new Promise<never>((_, reject) => {
      const leave = (): void => void timers.push(setTimeout(() => reject(late()), GRACE_MS));
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave);
    });
    return await Promise.race([work(signal), left]);
  } finally {
    timers.forEach(clearTimeout);
  }
}
