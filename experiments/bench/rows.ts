/** Rows of `npm run bench -- --json`, one for each model size. */
import { availableParallelism } from "node:os";
import type { Calibration } from "./calibration.ts";
import { BATCH_SIZE } from "./measure-batches.ts";
import type { BatchGas } from "./measure-batches.ts";
import type { RoundMeasurement } from "./measure-round.ts";
import { ratiosOf } from "./ratios.ts";
import type { Ratios } from "./ratios.ts";
import { median, medianOfEach } from "./statistics.ts";

/** Milliseconds, megabytes, gas and bytes; null for what does not fit into a transaction. */
export interface BenchRow {
  readonly d: number;
  readonly chunks: number;
  readonly clients: number;
  readonly members: number;
  readonly preset: string;
  readonly client: {
    readonly packMs: number;
    /** Not part of the total. */
    readonly noiseMs: number;
    readonly commitMs: number;
    readonly shareMs: number;
    readonly encryptMs: number;
    readonly proveMs: number;
    readonly openMs: number;
    readonly totalMs: number;
    readonly peakRssMb: number;
  };
  /** Processor time, a client's audit of all submissions of the round; absent from runs before it was measured. */
  readonly audit?: { readonly processorMs: number };
  readonly member: { readonly checkMsPerClient: number };
  readonly aggregator: { readonly roundMs: number };
  readonly gas: {
    readonly submit: number;
    readonly submitBatched20: number | null;
    readonly settle: number;
    readonly finalize: number;
  };
  readonly bytesPerMember: number;
}

/** What a row leaves out and the table shows. */
export interface BenchExtras {
  /** Wall time of the first submission of a fresh process, the reading of its keys included. */
  readonly firstTotalMs: number;
  /** Total of the fastest timed submission: what the median would be nearer to if nothing else ran. */
  readonly fastestTotalMs: number;
  /** Processor time of one submission, all threads. */
  readonly processorMs: number;
  readonly calibration: Calibration;
  /** Of this size of model, by size of batch. */
  readonly batches: readonly BatchGas[];
  /** Times over yardsticks, by stage. */
  readonly ratios: Ratios;
  readonly loads: readonly number[];
  /** True if other programs wanted the processor all the while: wall times are then too long. */
  readonly busy: boolean;
}

/** @param batches of this size of model */
export function rowOf(
  { task, client, audits, memberChecks, aggregatorRounds, gas, bytesPerMember }: RoundMeasurement,
  batches: readonly BatchGas[],
): BenchRow {
  const { packMs, noiseMs, commitMs, shareMs, encryptMs, proveMs, openMs, totalMs } = medianOfEach(
    warmRuns(client).map(({ times }) => times),
  );
  const ms = (value: number): number => Number(value.toFixed(1));
  return {
    d: task.layout.dimension,
    chunks: task.layout.chunks.length,
    clients: task.cohort.clients,
    members: task.cohort.members,
    preset: task.layout.preset.name,
    client: {
      packMs: ms(packMs),
      noiseMs: ms(noiseMs),
      commitMs: ms(commitMs),
      shareMs: ms(shareMs),
      encryptMs: ms(encryptMs),
      proveMs: ms(proveMs),
      openMs: ms(openMs),
      totalMs: ms(totalMs),
      peakRssMb: Math.round(client.peakRssMb),
    },
    audit: { processorMs: ms(median(audits)) },
    member: { checkMsPerClient: ms(median(memberChecks)) },
    aggregator: { roundMs: ms(median(aggregatorRounds)) },
    gas: {
      submit: gas.submit,
      submitBatched20: batches.find(({ size }) => size === BATCH_SIZE)?.gasPerClient ?? null,
      settle: gas.settle,
      finalize: gas.finalize,
    },
    bytesPerMember,
  };
}

export function extrasOf(measurement: RoundMeasurement, batches: readonly BatchGas[]): BenchExtras {
  const { client } = measurement;
  const runs = warmRuns(client);
  return {
    firstTotalMs: client.loadMs + client.runs[0]!.times.totalMs,
    fastestTotalMs: Math.min(...runs.map(({ times }) => times.totalMs)),
    processorMs: median(runs.map(({ times }) => times.processorMs)),
    calibration: medianOfEach(runs.map(({ calibration }) => calibration)),
    batches,
    ratios: ratiosOf(measurement),
    loads: client.runs.map(({ load }) => load),
    busy: runs.every(({ load }) => load > availableParallelism() + 1),
  };
}

/** Without the first, which reads the keys and meets cold compilers. */
function warmRuns(client: RoundMeasurement["client"]): RoundMeasurement["client"]["runs"] {
  return client.runs.slice(1);
}
