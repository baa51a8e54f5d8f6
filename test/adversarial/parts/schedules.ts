/** Random schedules over the roles' own code, with a virtual clock: thousands of them. */
import { availableParallelism } from "node:os";
import type { Violation } from "../../simulation/reference.ts";
import { runSchedules } from "../../simulation/run.ts";
import { summaryOf } from "../../simulation/table.ts";
import type { Part } from "../part.ts";
import { brokenCounts } from "../report.ts";
import type { Broken } from "../tally.ts";

const SCHEDULES = 10_000;

const KINDS: Readonly<Record<Violation["kind"], Broken>> = {
  "wrong aggregate": "wrong aggregates",
  "privacy rule broken": "privacy rules broken",
  "honest party blamed": "honest parties blamed",
  "role dead": "roles dead",
  "no progress": "rounds lost that had time left",
};

export interface ScheduleFlags {
  readonly schedules?: string;
  readonly from?: string;
  readonly jobs?: string;
}

export const schedulesPart =
  (flags: ScheduleFlags): Part =>
  async ({ sample, say }) => {
    const startedAt = performance.now();
    const outcomes = await runSchedules(
      {
        schedules: Number(flags.schedules ?? sample ?? SCHEDULES),
        from: Number(flags.from ?? 1),
        // Schedules wait for the system a third of the time.
        jobs: Number(flags.jobs ?? Math.ceil(1.5 * availableParallelism())),
      },
      say,
    );
    const summary = summaryOf(outcomes);
    const lost = outcomes.filter(({ violations }) => violations.length > 0);
    const injectedIn = (some: typeof outcomes): number =>
      some.flatMap(({ faults }) => [...faults.values()]).reduce((total, count) => total + count, 0);
    const injected = injectedIn(outcomes);
    return {
      ...{ name: "schedules", faults: summary.faults, injected, survived: injected - injectedIn(lost) },
      roundsFinal: summary.roundsFinal,
      broken: brokenCounts(summary.violations.map(({ kind }) => KINDS[kind])),
      meanRecoverySeconds: summary.meanRecoverySeconds,
      notReached: [],
      details: summary.violations.map(({ seed, kind, detail }) => `--from ${seed} --schedules 1: ${kind}: ${detail}`),
      seconds: (performance.now() - startedAt) / 1000,
    };
  };
