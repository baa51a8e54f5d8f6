/** What a role's loop is seen to do, kept for whoever asks its node: reading it asks neither the chain nor the disk. */
import type { Counters } from "../chain/task-chain.ts";
import { ERRORS, isErrorCode } from "../protocol/errors.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Metrics } from "./checkpoint.ts";
import type { Facts, Reporter } from "../protocol/reporter.ts";

/** A loop may be inside one step, such as a transaction that waits to be mined, for so long beyond its pause. */
const PATIENCE_MS = 180_000;
/** The same, once it says that this machine or its endpoint of the chain is what it waits for. */
const SHORT_PATIENCE_MS = 30_000;

/** What a role waits for. */
export interface Wait {
  /** In words that strangers may read: of an error its cause, without what it says of this machine. */
  readonly text: string;
  readonly code?: ErrorCode;
  readonly seconds: number;
}

/** One moment of a role. */
export interface VitalSigns {
  readonly startedSecondsAgo: number;
  /** The task at the loop's last look; undefined before the first. */
  readonly counters: Counters | undefined;
  /** Since the last look, or since the start before the first. */
  readonly lookSecondsAgo: number;
  readonly waitsFor: Wait | undefined;
  /** Of the last model that the role measured itself; undefined if it measures none. */
  readonly measured: Metrics | undefined;
  /** Why nothing is to be expected of it; undefined if it is well. */
  readonly trouble: string | undefined;
  /** It has begun, and is well. */
  readonly ready: boolean;
  /** How often each error was reported. */
  readonly errors: ReadonlyMap<ErrorCode, number>;
}

export interface Vitals {
  /** The same reporter; what it is told is also kept here. */
  watching(reporter: Reporter): Reporter;
  /** The loop has looked at the chain, and this is what it saw. */
  looked(counters: Counters): void;
  /** The loop has done something: it waits for nothing. */
  acted(): void;
  measured(metrics: Metrics): void;
  read(): VitalSigns;
}

/**
 * @param clock monotonic milliseconds
 * @param pollMs longest pause between two looks
 */
export function createVitals(clock: () => number, pollMs: number): Vitals {
  const startedAt = clock();
  let lookedAt = startedAt;
  let counters: Counters | undefined;
  let measured: Metrics | undefined;
  let wait:
    { readonly said: string; readonly text: string; readonly code?: ErrorCode; readonly since: number } | undefined;
  const errors = new Map<ErrorCode, number>();

  const count = ({ code, unsaid }: Facts): ErrorCode | undefined => {
    if (typeof code !== "string" || !isErrorCode(code)) return undefined;
    // `unsaid`: as often as a limited reporter kept it to itself before.
    errors.set(code, (errors.get(code) ?? 0) + 1 + Number(unsaid ?? 0));
    return code;
  };
  const secondsSince = (then: number): number => (clock() - then) / 1000;
  const troubleOf = (): string | undefined => {
    const isOwn = wait?.code !== undefined && ERRORS[wait.code].about === "host";
    const mostMs = pollMs + (isOwn ? SHORT_PATIENCE_MS : PATIENCE_MS);
    if (clock() - lookedAt <= mostMs) return undefined;
    const last = `no look at the chain for ${Math.floor(secondsSince(lookedAt))} s`;
    return wait === undefined ? last : `${last}: ${wait.code === undefined ? "" : `${wait.code}: `}${wait.text}`;
  };

  return {
    watching: (reporter) => ({
      say: (level, event, text, facts = {}) => {
        if (level === "warn" || level === "error") count(facts);
        reporter.say(level, event, text, facts);
      },
      wait: (text, facts = {}) => {
        const code = count(facts);
        if (wait?.said !== text) {
          const shown = code === undefined ? { text } : { text: ERRORS[code].cause, code };
          wait = { said: text, ...shown, since: clock() };
        }
        reporter.wait(text, facts);
      },
    }),
    looked: (seen) => {
      counters = seen;
      lookedAt = clock();
    },
    acted: () => {
      wait = undefined;
    },
    measured: (metrics) => {
      measured = metrics;
    },
    read: () => {
      const trouble = troubleOf();
      return {
        startedSecondsAgo: secondsSince(startedAt),
        counters,
        lookSecondsAgo: secondsSince(lookedAt),
        measured,
        waitsFor: wait === undefined ? undefined : waitOf(wait, secondsSince(wait.since)),
        trouble,
        ready: counters !== undefined && trouble === undefined,
        errors: new Map(errors),
      };
    },
  };
}

function waitOf({ text, code }: { readonly text: string; readonly code?: ErrorCode }, seconds: number): Wait {
  return { text, seconds, ...(code === undefined ? {} : { code }) };
}
