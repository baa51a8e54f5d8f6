/** Taking part, as the page starts, pauses and watches it. */
import { isVerisumError } from "../../protocol/errors.ts";
import { failureOf } from "../../command/failure.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import type { RoleDependencies } from "../../task/role.ts";
import type { JoinOptions } from "../join.ts";
import type { PageEvent, PageFailure, PageRun } from "./state.ts";

/** Events that are kept for the page. */
const MOST_EVENTS = 200;

export type Join = (options: JoinOptions, dependencies: RoleDependencies) => Promise<void>;

export interface Runner {
  read(): PageRun;
  events(): readonly PageEvent[];
  /** Tells the page, and passes on. */
  readonly reporter: Reporter;
  /** Nothing if it runs already. */
  start(options: Omit<JoinOptions, "onProgress" | "consent">): void;
  /** Resolves when nothing runs any more. What was made for a round is kept, and sent when it goes on. */
  pause(): Promise<void>;
  /** Forgets a run that is over. */
  clear(): void;
}

export interface RunnerDependencies extends Pick<RoleDependencies, "random"> {
  readonly reporter: Reporter;
  readonly join: Join;
  readonly onChange: () => void;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const IDLE: PageRun = { state: "idle", doing: null, training: null, failure: null };

export function createRunner({ reporter, random, join, onChange, now }: RunnerDependencies): Runner {
  let run = IDLE;
  let events: readonly PageEvent[] = [];
  let running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  const set = (changes: Partial<PageRun>): void => {
    run = { ...run, ...changes };
    onChange();
  };
  const watching: Reporter = {
    say: (level, event, text, facts) => {
      events = [...events.slice(1 - MOST_EVENTS), { at: now(), level, event, text }];
      set({
        doing: text,
        training: null,
        ...(event === "ready" && run.state === "starting" ? { state: "running" } : {}),
      });
      reporter.say(level, event, text, facts);
    },
    wait: (text, facts) => {
      if (text !== run.doing) set({ doing: text, training: null });
      reporter.wait(text, facts);
    },
  };
  return {
    read: () => run,
    events: () => events,
    reporter: watching,
    start: (options) => {
      if (running !== undefined) return;
      const controller = new AbortController();
      set({ ...IDLE, state: "starting" });
      const joined = join(
        {
          ...options,
          // The page showed the terms, and its button says yes to them.
          consent: async () => undefined,
          onProgress: ({ round, step, steps }) => set({ training: { round: Number(round), step, steps } }),
        },
        { reporter: watching, random, signal: controller.signal },
      );
      const ended = joined.then(
        () => set({ ...IDLE, state: "done" }),
        (error: unknown) => {
          if (isVerisumError(error, "INTERRUPTED")) return set({ ...IDLE, state: "paused" });
          const failure = failureIn(error);
          set({ ...IDLE, state: "failed", failure });
          reporter.say("error", "failed", `${failure.code}: ${failure.message}`, { code: failure.code });
        },
      );
      running = { controller, ended: ended.finally(() => (running = undefined)) };
    },
    pause: async () => {
      if (running === undefined) return;
      set({ state: "pausing" });
      running.controller.abort();
      await running.ended;
    },
    clear: () => {
      if (running === undefined) run = IDLE;
      events = [];
      onChange();
    },
  };
}

/** As the page shows an error, and what to do about it. */
export function failureIn(error: unknown): PageFailure {
  const { code, text } = failureOf(error);
  const advice = isVerisumError(error) ? error.entry.advice : "Start the program again; if it stays, report it.";
  return { code, message: text, advice };
}
