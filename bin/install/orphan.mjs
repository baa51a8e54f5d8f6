/**
 * Notices that npm has gone. At SIGTERM npm ends the shell in which it started this process, and that shell ends
 * without passing the signal on: what npm started would go on alone.
 */

const BETWEEN_LOOKS_MS = 500;

/**
 * Calls back once, when the process that started this one under `npm run` has ended. Elsewhere never: a program that
 * was put into the background may outlive its shell.
 * @param {() => void} act
 * @returns {() => void} stops looking
 */
export function whenOrphaned(act) {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return () => undefined;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, BETWEEN_LOOKS_MS);
  timer.unref();
  return () => clearInterval(timer);
}
