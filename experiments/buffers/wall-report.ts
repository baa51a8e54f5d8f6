/** What runs with real processes have to show: the chart of docs/data/buffers-wall.json. */
import type { Chart } from "../bench/chart.ts";
import { median } from "../bench/statistics.ts";
import type { WallResult } from "./wall-run.ts";

/** One run until its model was good enough. */
export interface TimedRun {
  /** `barrier` or `buffer`. */
  readonly way: string;
  /** From the first round's opening to the model that is good enough. */
  readonly seconds: number;
  readonly result: WallResult;
}

export function secondsOf(runs: readonly TimedRun[], way: string): number {
  return median(runs.filter((run) => run.way === way).map(({ seconds }) => seconds));
}

/** Accuracy over wall time: of each way the run in the middle of its times. @param ways in the order of the chart */
export function wallChart(
  runs: readonly TimedRun[],
  ways: readonly string[],
  { clients, slow, times }: { readonly clients: number; readonly slow: number; readonly times: number },
): Chart {
  const said = ways.map((way) => `${way}: ${secondsOf(runs, way).toFixed(1)} s`).join("; ");
  const middle = (way: string): TimedRun => {
    const sorted = runs.filter((run) => run.way === way).sort((a, b) => a.seconds - b.seconds);
    return sorted[Math.floor((sorted.length - 1) / 2)]!;
  };
  return {
    name: "buffers-wall",
    title: `${clients} client processes on the digits, ${slow} of them ${times} times slower`,
    description: `Accuracy over wall time, of each way the run in the middle. Time to the target, medians: ${said}.`,
    x: { label: "wall time, seconds", scale: "linear" },
    y: { label: "accuracy, %", scale: "linear" },
    series: ways.map((name) => ({
      name,
      points: middle(name).result.models.map(({ seconds, accuracy }) => ({ x: seconds, y: accuracy * 100 })),
    })),
  };
}
