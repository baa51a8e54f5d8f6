import { VerisumError } from "../protocol/errors.ts";

/**
 * Runs `work` and gives it a signal that aborts after `timeoutMs`, or when `outer` aborts. Settles at that moment even
 * if `work` does not heed the signal.
 *
 * AbortSignal.timeout and AbortSignal.any are not used: Node keeps what they return, and what `fetch` derives from it,
 * by weak references, so that a collection between two chunks of a body can lose the time limit.
 *
 * @throws VerisumError IPFS_UNAVAILABLE (retryable) when time is up, or what `work` throws
 */
export async function withDeadline<Result>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const message = `no answer within ${timeoutMs} ms`;
  const timeUp = new VerisumError("IPFS_UNAVAILABLE", message, { timeoutMs, retryable: true });
  let stop = (_cause: Error): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = (cause) => {
      reject(cause);
      controller.abort(cause);
    };
  });
  stopped.catch(() => undefined); // after `work` has settled nobody listens
  const onOuterAbort = (): void => {
    const reason: unknown = outer?.reason;
    stop(reason instanceof Error ? reason : new Error(String(reason)));
  };
  const timer = setTimeout(() => stop(timeUp), timeoutMs);
  outer?.addEventListener("abort", onOuterAbort, { once: true });
  if (outer?.aborted === true) onOuterAbort();
  try {
    return await Promise.race([stopped, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", onOuterAbort);
  }
}

/**
 * {@link withDeadline} that ends after `patienceMs`, and later only as far as `work` says that it got on.
 * @param work is given a function by which it earns so many milliseconds in all, besides its patience
 * @throws as {@link withDeadline}
 */
export async function withProgress<Result>(
  timeoutMs: number,
  patienceMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, extend: (earnedMs: number) => void) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const started = performance.now();
  const message = `too little came within ${patienceMs} ms`;
  const tooSlow = new VerisumError("IPFS_UNAVAILABLE", message, { timeoutMs: patienceMs, retryable: true });
  let timer = setTimeout(() => controller.abort(tooSlow), patienceMs);
  const extend = (earnedMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(tooSlow), started + patienceMs + earnedMs - performance.now());
  };
  const onOuterAbort = (): void => controller.abort(outer?.reason);
  outer?.addEventListener("abort", onOuterAbort, { once: true });
  if (outer?.aborted === true) onOuterAbort();
  try {
    return await withDeadline(timeoutMs, controller.signal, (signal) => work(signal, extend));
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", onOuterAbort);
  }
}
