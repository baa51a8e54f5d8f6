/** Measures scenarios one after the other, on one chain, with development keys for each size. */
import { openCurve } from "../../proving/node/open-curve.ts";
import { kzgCommitter } from "../../proving/curve/kzg.ts";
import { ensureDevKeys } from "../../proving/groth16/ensure-keys.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";
import { layoutFor } from "../../protocol/layout.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { startChain } from "../../demo/chain.ts";
import type { Processes } from "../../demo/processes.ts";
import { buildContracts } from "../../operator/build-contracts.ts";
import { BENCH_PRESET } from "./bench-task.ts";
import { calibrationOn } from "./calibration.ts";
import { measureBatches } from "./measure-batches.ts";
import type { BatchGas } from "./measure-batches.ts";
import { measureRound } from "./measure-round.ts";
import type { Scenario } from "./measure-round.ts";
import { extrasOf, rowOf } from "./rows.ts";
import type { BenchEntry } from "./tables.ts";

export interface MeasuringEnvironment {
  readonly processes: Processes;
  /** Also the gas of submissions in batches. */
  readonly withBatches: boolean;
  readonly random: RandomBytes;
  readonly onStep: (step: string) => void;
  /** Called after each scenario with all that is measured so far: a long run that is broken off is not lost. */
  readonly onEntry?: (entries: readonly BenchEntry[]) => Promise<void>;
}

/** @param repeats timed client submissions after the first, and timed aggregations, in each scenario */
export async function measureAll(
  scenarios: readonly Scenario[],
  repeats: number,
  { processes, withBatches, random, onStep, onEntry }: MeasuringEnvironment,
): Promise<BenchEntry[]> {
  await buildContracts();
  // All before the first measurement: making keys takes all threads.
  for (const { dimension } of scenarios) await keysFor(dimension, random, onStep);
  const chain = await startChain(processes, onStep);
  const curve = await openCurve();
  const calibrate = calibrationOn(curve);
  const entries: BenchEntry[] = [];
  const batches = new Map<number, readonly BatchGas[]>();
  for (const scenario of scenarios) {
    const keys = await keysFor(scenario.dimension, random, onStep);
    const environment = { chain, keys, committer: kzgCommitter(curve, keys.powers), calibrate, random, onStep };
    let measuredBatches = batches.get(scenario.dimension);
    if (measuredBatches === undefined)
      batches.set(
        scenario.dimension,
        (measuredBatches = withBatches ? await measureBatches(scenario.dimension, scenario.members, environment) : []),
      );
    const measurement = await measureRound(scenario, repeats, environment);
    entries.push({
      row: rowOf(measurement, measuredBatches),
      extras: extrasOf(measurement, measuredBatches),
      gas: measurement.gas,
    });
    await onEntry?.(entries);
  }
  return entries;
}

async function keysFor(dimension: number, random: RandomBytes, onStep: (step: string) => void): Promise<KeySet> {
  const { chunks, elementCount } = layoutFor(BENCH_PRESET, dimension);
  const kindCount = Math.max(...chunks.map(({ kindIndex }) => kindIndex)) + 1;
  return ensureDevKeys(
    { preset: BENCH_PRESET, kindCount, powers: elementCount },
    { curve: await openCurve(), random, onStep },
  );
}
