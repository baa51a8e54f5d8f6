/** What virtual runs have to show: rows of docs/data/buffers.json, and their chart. */
import { classEvaluation } from "../../learning/evaluation.ts";
import { median } from "../bench/statistics.ts";
import type { Chart } from "../bench/chart.ts";
import type { RoundRules, VirtualRun } from "./virtual-time.ts";

/** One way to run the same rounds, over all seeds. */
export interface BufferRow {
  readonly name: string;
  readonly rules: RoundRules;
  readonly runs: readonly {
    readonly seed: number;
    /** Virtual seconds until the model reached the target; null if it did not. */
    readonly secondsToTarget: number | null;
    readonly dropped: number;
    readonly provenAgain: number;
  }[];
  /** The models of the first run. */
  readonly models: readonly {
    readonly seconds: number;
    readonly accuracy: number;
    readonly updates: number;
    /** Of the oldest update in it. */
    readonly staleness: number;
  }[];
}

/** @param runs by seed, the first at `firstSeed` @param target accuracy */
export function rowOf(
  way: Pick<BufferRow, "name" | "rules">,
  runs: readonly VirtualRun[],
  firstSeed: number,
  target: number,
): BufferRow {
  const [first] = runs.map(modelsOf);
  return {
    name: way.name,
    rules: way.rules,
    runs: runs.map((run, i) => ({
      seed: firstSeed + i,
      secondsToTarget: modelsOf(run).find(({ accuracy }) => accuracy >= target)?.seconds ?? null,
      dropped: run.dropped,
      provenAgain: run.provenAgain,
    })),
    models: first ?? [],
  };
}

function modelsOf({ models }: VirtualRun): BufferRow["models"] {
  return models.map(({ seconds, staleness, evaluation }) => ({
    seconds,
    accuracy: Number(classEvaluation(evaluation).accuracy.toFixed(4)),
    updates: staleness.length,
    staleness: Math.max(...staleness),
  }));
}

/** Over the runs; one that never arrived counts as endless. */
export function medianSeconds({ runs }: Pick<BufferRow, "runs">): number {
  return median(runs.map(({ secondsToTarget }) => secondsToTarget ?? Infinity));
}

/** Accuracy over time, of each row's first run. */
export function bufferChart(rows: readonly BufferRow[], clients: number, slow: number, times: number): Chart {
  const said = rows.map((row) => `${row.name}: ${medianSeconds(row)} s`).join("; ");
  return {
    name: "buffers",
    title: `${clients} clients on the digits, ${slow} of them ${times} times slower`,
    description: `Accuracy over virtual time. Time to 95 %, median of ${rows[0]!.runs.length} partitions: ${said}.`,
    x: { label: "virtual time, seconds", scale: "linear" },
    y: { label: "accuracy, %", scale: "linear" },
    series: rows.map(({ name, models }) => ({
      name,
      points: models.map(({ seconds, accuracy }) => ({ x: seconds, y: accuracy * 100 })),
    })),
  };
}
