/** Measured times over yardsticks of the same processor, and their comparison with a kept baseline. */
import type { Calibration } from "./calibration.ts";
import type { RoundMeasurement } from "./measure-round.ts";

/** Each work with the yardstick that is most like it. */
const YARDSTICKS = {
  "client: pack and share": "fieldMs",
  "client: commit": "pointsMs",
  "client: encrypt": "fieldMs",
  "client: prove": "pointsMs",
  "client: open": "pointsMs",
  "client: total": "pointsMs",
  "member: check one client": "fieldMs",
  "aggregator: one round": "pointsMs",
} as const satisfies Record<string, keyof Calibration>;

export type RatioName = keyof typeof YARDSTICKS;
export const RATIO_NAMES = Object.keys(YARDSTICKS) as RatioName[];
export type Ratios = Readonly<Record<RatioName, number>>;

/** Ratios by model size. */
export type RatioBaseline = Readonly<Record<string, Ratios>>;

export interface Regression {
  readonly size: string;
  readonly name: RatioName;
  readonly measured: number;
  readonly baseline: number;
}

/**
 * A ratio may exceed its baseline by this factor. It covers what differs between machines (threads, memory) and between
 * runs on a busy one; a lost optimisation, typically a factor of two or more in its stage, does not fit.
 */
export const RATIO_TOLERANCE = 1.6;

/** The fastest repeat over the fastest yardstick beside it: other programs only ever slow things down. */
export function ratiosOf({
  client,
  memberChecks,
  aggregatorRounds,
  calibrations,
}: Pick<RoundMeasurement, "client" | "memberChecks" | "aggregatorRounds" | "calibrations">): Ratios {
  const runs = client.runs.slice(1);
  const clientYardstick = fastestOf(runs.map(({ calibration }) => calibration));
  const otherYardstick = fastestOf(calibrations);
  const fastest = (timeOf: (times: (typeof runs)[number]["times"]) => number): number =>
    Math.min(...runs.map(({ times }) => timeOf(times)));
  const times: Record<RatioName, number> = {
    "client: pack and share": fastest(({ packMs, shareMs }) => packMs + shareMs),
    "client: commit": fastest(({ commitMs }) => commitMs),
    "client: encrypt": fastest(({ encryptMs }) => encryptMs),
    "client: prove": fastest(({ proveMs }) => proveMs),
    "client: open": fastest(({ openMs }) => openMs),
    "client: total": fastest(({ totalMs }) => totalMs),
    "member: check one client": Math.min(...memberChecks),
    "aggregator: one round": Math.min(...aggregatorRounds),
  };
  const ratio = (name: RatioName): number =>
    times[name] / (name.startsWith("client") ? clientYardstick : otherYardstick)[YARDSTICKS[name]];
  return Object.fromEntries(RATIO_NAMES.map((name) => [name, Number(ratio(name).toPrecision(3))])) as Record<
    RatioName,
    number
  >;
}

/**
 * The ratios that exceed their baseline by more than the tolerance. Sizes and names without a baseline count as
 * exceeded.
 */
export function regressionsIn(
  measured: RatioBaseline,
  baseline: RatioBaseline,
  tolerance = RATIO_TOLERANCE,
): Regression[] {
  return Object.entries(measured).flatMap(([size, ratios]) =>
    RATIO_NAMES.map((name) => ({ size, name, measured: ratios[name], baseline: baseline[size]?.[name] ?? 0 })).filter(
      (entry) => entry.measured > entry.baseline * tolerance,
    ),
  );
}

function fastestOf(calibrations: readonly Calibration[]): Calibration {
  return {
    fieldMs: Math.min(...calibrations.map(({ fieldMs }) => fieldMs)),
    pointsMs: Math.min(...calibrations.map(({ pointsMs }) => pointsMs)),
  };
}
