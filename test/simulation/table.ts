/** What many schedules came to, as a table for people and as JSON. */
import type { Violation } from "./reference.ts";
import type { Outcome } from "./schedule.ts";
import type { Fault } from "./world.ts";

export interface Summary {
  readonly schedules: number;
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
  readonly roundsFinal: number;
  /** Rounds that ended without a result; none of their updates was opened. */
  readonly roundsLost: number;
  /** In the sums of final rounds. */
  readonly staleUpdates: number;
  readonly broken: Readonly<Record<Violation["kind"], number>>;
  /** Virtual seconds from a fault to the next final round. */
  readonly meanRecoverySeconds: number;
  /** With their seeds, so that each can be tried again. */
  readonly violations: readonly (Violation & { readonly seed: string })[];
}

const NOTHING_BROKEN: Summary["broken"] = {
  "wrong aggregate": 0,
  "privacy rule broken": 0,
  "honest party blamed": 0,
  "role dead": 0,
  "no progress": 0,
};

export function summaryOf(outcomes: readonly Outcome[]): Summary {
  const faults: Partial<Record<Fault, number>> = {};
  const broken = { ...NOTHING_BROKEN };
  for (const outcome of outcomes) {
    for (const [fault, count] of outcome.faults) faults[fault] = (faults[fault] ?? 0) + count;
    for (const { kind } of outcome.violations) broken[kind]++;
  }
  const recoveries = outcomes.flatMap(({ recoverySeconds }) => recoverySeconds);
  return {
    schedules: outcomes.length,
    faults,
    roundsFinal: sum(outcomes.map(({ finalised }) => finalised)),
    roundsLost: sum(outcomes.map(({ aborted }) => aborted)),
    staleUpdates: sum(outcomes.map(({ staleUpdates }) => staleUpdates)),
    broken,
    meanRecoverySeconds: recoveries.length === 0 ? 0 : Math.round(sum(recoveries) / recoveries.length),
    violations: outcomes.flatMap(({ seed, violations }) => violations.map((violation) => ({ seed, ...violation }))),
  };
}

/** The summary's lines. */
export function tableOf(summary: Summary): string {
  const injected = sum(Object.values(summary.faults));
  const rows: readonly (readonly [string, number])[] = [
    ["schedules", summary.schedules],
    ["faults injected", injected],
    ...Object.entries(summary.faults).map(([fault, count]) => [`  ${fault}`, count] as const),
    ["rounds final", summary.roundsFinal],
    ["rounds lost", summary.roundsLost],
    ["updates of older models in sums", summary.staleUpdates],
    ["mean recovery, virtual seconds", summary.meanRecoverySeconds],
    ...Object.entries(summary.broken),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, count]) => `${name.padEnd(width)}  ${count.toLocaleString("en")}`);
  const named = summary.violations.map(({ seed, kind, detail }) => `seed ${seed}: ${kind}: ${detail}`);
  return [...lines, ...named].join("\n");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
