/** The longest time that timers of Node and of browsers can wait; a longer one would fire at once. In milliseconds. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A time that a timer can wait, be it as long as it likes. @param milliseconds which somebody chose */
export function timerMs(milliseconds: number): number {
  return Math.min(milliseconds, LONGEST_TIMER_MS);
}
