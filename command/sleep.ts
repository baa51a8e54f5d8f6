/** Waiting, as a port: tests replace it. */
import { VerisumError } from "../protocol/errors.ts";
import { timerMs } from "../protocol/longest-timer.ts";
import type { Sleep } from "../protocol/ports.ts";

/** @throws INTERRUPTED (from the returned function) once the signal is aborted */
export function abortableSleep(signal: AbortSignal): Sleep {
  return (milliseconds) =>
    new Promise((resolve, reject) => {
      const interrupted = (): void => reject(new VerisumError("INTERRUPTED", "stopped on request"));
      if (signal.aborted) return interrupted();
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      }, timerMs(milliseconds));
      const onAbort = (): void => {
        clearTimeout(timer);
        interrupted();
      };
      signal.addEventListener("abort", onAbort, { once: true });
    });
}
