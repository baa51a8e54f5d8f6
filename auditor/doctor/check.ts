/** Checks that run side by side: each has a time limit of its own, and none can end the others. */
import { isVerisumError, VerisumError } from "../../protocol/errors.ts";
import { maskUrls } from "../../protocol/secrets.ts";

/** "skipped": what it needs is not there, which another check says. */
export type CheckState = "ok" | "warning" | "failed" | "skipped";

/** What a check found: the value that it looked at and, where that is not right, why and what to do. */
export interface Finding {
  readonly state: CheckState;
  readonly value: string;
  readonly cause?: string;
  readonly remedy?: string;
  /** Of the error that it met. */
  readonly code?: string;
}

/** A finding with the name of its check. */
export interface NamedFinding extends Finding {
  readonly check: string;
}

/** What is shared by several checks, under the name that people know it by. */
export interface Source<T> {
  readonly name: string;
  readonly get: () => Promise<T>;
}

/** Waits for a source. A check that stops here is skipped: the source has a check of its own. */
export type Need = <T>(source: Source<T>) => Promise<T>;

export interface Check {
  readonly name: string;
  readonly run: (need: Need) => Promise<Finding | readonly NamedFinding[]>;
}

export const ok = (value: string): Finding => ({ state: "ok", value });
export const warning = (value: string, cause: string, remedy: string): Finding => ({
  ...{ state: "warning", value, cause, remedy },
});
export const failed = (value: string, cause: string, remedy: string): Finding => ({
  ...{ state: "failed", value, cause, remedy },
});
const skipped = (cause: string): Finding => ({ state: "skipped", value: "not checked", cause });

/** A source that is asked once, for every check that needs it. */
export function source<T>(name: string, ask: () => Promise<T>): Source<T> {
  let answer: Promise<T> | undefined;
  return { name, get: () => (answer ??= ask()) };
}

/**
 * Runs all checks, in any order and at once.
 * @param timeoutMs after which a check counts as failed
 * @returns the findings in the checks' order
 * @throws INTERRUPTED
 */
export async function runChecks(
  checks: readonly Check[],
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<readonly NamedFinding[]> {
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new VerisumError("INTERRUPTED", "stopped on request"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
  const all = Promise.all(checks.map((check) => runOne(check, timeoutMs)));
  return (await Promise.race([interrupted, all])).flat();
}

class Unmet extends Error {}

async function runOne({ name, run }: Check, timeoutMs: number): Promise<readonly NamedFinding[]> {
  let waitsFor: string | undefined;
  const need: Need = async ({ name: needed, get }) => {
    waitsFor = needed;
    try {
      return await get();
    } catch (cause) {
      throw new Unmet(needed, { cause });
    } finally {
      waitsFor = undefined;
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(tooLate(waitsFor, timeoutMs)), timeoutMs);
  });
  try {
    // Begun in a turn of its own: what a check throws at once is its own failure as well.
    const found = await Promise.race([Promise.resolve(need).then(run), late]);
    return "state" in found ? [{ check: name, ...found }] : found;
  } catch (error) {
    return [{ check: name, ...findingOf(error) }];
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(waitsFor: string | undefined, timeoutMs: number): Finding {
  if (waitsFor !== undefined) return skipped(`${waitsFor} did not answer in time`);
  return failed(
    "no answer",
    `it took longer than ${timeoutMs / 1000} s`,
    "Look at what the check asks, or wait longer with --timeout.",
  );
}

/** What an error says, as a finding: its code has the advice. */
function findingOf(error: unknown): Finding {
  if (error instanceof Unmet) return skipped(`it needs ${error.message}, which failed`);
  if (!isVerisumError(error))
    return failed("the check broke", maskUrls(String(error)), "This is a defect of the program: please report it.");
  return { ...failed("refused", error.message, error.entry.advice), code: error.code };
}
