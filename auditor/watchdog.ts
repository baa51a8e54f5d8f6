/** Ends what has made no progress for a while, with what it was waiting for. */
import { VerisumError } from "../protocol/errors.ts";
import { timerMs } from "../protocol/longest-timer.ts";

export interface Watchdog {
  /** What is waited for from now on, in words; the time starts anew. */
  progress(waitingFor: string): void;
  /** The same as before, said better; the time goes on. */
  explain(waitingFor: string): void;
  /** The work's result. @throws IPFS_UNAVAILABLE if it makes no progress for too long; what it throws */
  guard<T>(work: Promise<T>): Promise<T>;
}

/**
 * @param milliseconds without progress after which it ends
 * @param missing what is asked of others at that moment, and who should have it, in words
 */
export function watchdog(
  milliseconds: number,
  waitingFor: string,
  missing: () => string | undefined = () => undefined,
): Watchdog {
  let what = waitingFor;
  let timer: NodeJS.Timeout | undefined;
  let bark: (error: VerisumError) => void = () => undefined;
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = missing();
      const wanted = files === undefined ? what : `${what}: ${files}`;
      const text = `no progress for ${milliseconds / 1000} s: ${wanted}. Name a node that has it with --peer, or wait longer with --timeout`;
      bark(new VerisumError("IPFS_UNAVAILABLE", text));
    }, timerMs(milliseconds));
  };
  return {
    progress: (next) => {
      what = next;
      restart();
    },
    explain: (next) => {
      what = next;
    },
    guard: async (work) => {
      const late = new Promise<never>((_, reject) => (bark = reject));
      restart();
      try {
        return await Promise.race([work, late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
