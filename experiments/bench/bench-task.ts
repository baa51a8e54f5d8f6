/** The task that a benchmark of one model size runs: committee, windows, quantisation, model. */
import { seededStream } from "../../learning/seeded-stream.ts";
import { layoutFor } from "../../protocol/layout.ts";
import type { Layout } from "../../protocol/layout.ts";
import { modelDigest } from "../../protocol/model.ts";
import type { ModelState } from "../../protocol/model.ts";
import { initialState } from "../../protocol/next-model.ts";
import type { ServerStep } from "../../protocol/next-model.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { normBoundSquared } from "../../protocol/quantise.ts";
import type { Quantisation } from "../../protocol/quantise.ts";
import { assertTaskParameters, BARRIER } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { hashWords, domainTag } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";

export const BENCH_PRESET = PRESETS.standard;
/** Members of a committee that can lose or distrust one: the smallest there is. */
export const SMALLEST_COMMITTEE = 4;

const STEP_BITS = 7;
/**
 * Root mean square of a benchmark update's coordinates, in steps: wider than a trained one, so with more distinct
 * values.
 */
const COORDINATE_STEPS = 256;
/** Nobody is waited for: phases end when everybody has acted, except the round that is left to its deadline. */
const WINDOW_SECONDS = 7200;

export const SERVER_STEP: ServerStep = {
  fractionalBits: 20,
  stepBits: STEP_BITS,
  learningRate: { numerator: 1, denominatorBits: 0 },
  momentum: { numerator: 77, denominatorBits: 8 },
};

/** Who takes part in a measured round. */
export interface Cohort {
  readonly clients: number;
  readonly members: number;
}

export interface Committee {
  readonly size: number;
  readonly threshold: number;
  readonly quorum: number;
}

export interface BenchTask {
  readonly cohort: Cohort;
  readonly committee: Committee;
  readonly layout: Layout;
  readonly base: ModelState;
  readonly parameters: TaskParameters;
}

/**
 * The largest threshold that a committee of this size allows (docs/protocol.md, section 1): n >= quorum + t − 1, quorum
 * >= 2t − 1.
 */
export function committeeOf(size: number): Committee {
  const threshold = Math.floor((size + 2) / 3);
  return { size, threshold, quorum: size - threshold + 1 };
}

/** A valid task of this dimension, in whose rounds all the cohort's clients submit. @throws PARAMETERS_INVALID */
export function benchTask(dimension: number, cohort: Cohort, keysHash: Hex): BenchTask {
  const committee = committeeOf(cohort.members);
  const maxCorrupt = cohort.clients > 2 ? 1 : 0;
  const layout = layoutFor(BENCH_PRESET, dimension);
  const base = initialState(new Float32Array(dimension), SERVER_STEP);
  const label = (name: string): Hex => hashWords([domainTag(`bench.${name}`)]);
  const parameters: TaskParameters = {
    taskCid: label("task"),
    genesisCid: label("genesis"),
    genesisDigest: modelDigest(base),
    keysHash,
    coordinateBits: BENCH_PRESET.coordinateBits,
    dimension,
    normBoundSquared: normBoundSquared(quantisationFor(dimension), dimension),
    committeeSize: committee.size,
    threshold: committee.threshold,
    quorum: committee.quorum,
    minClients: cohort.clients,
    minHonest: cohort.clients - maxCorrupt,
    maxCorrupt,
    uniformWeights: false,
    maxWeight: 1,
    ...BARRIER,
    openRegistration: false,
    bondWei: 0n,
    maxRefusals: 3,
    keyWindowSeconds: 1,
    collectSeconds: WINDOW_SECONDS,
    attestSeconds: WINDOW_SECONDS,
    aggregateSeconds: WINDOW_SECONDS,
    maxRounds: 0,
    maxRoundsPerClient: 0,
    privacyCostPerRound: 0n,
    privacyBudget: 0n,
    chunkKinds: layout.chunks.map((chunk) => chunk.kindIndex),
  };
  assertTaskParameters(parameters);
  return { cohort, committee, layout, base, parameters };
}

export function quantisationFor(dimension: number): Quantisation {
  return { stepBits: STEP_BITS, clipSteps: Math.ceil(COORDINATE_STEPS * Math.sqrt(dimension)) };
}

/** A normal update of about the clipping norm, in units of the model's weights. */
export function benchUpdate(dimension: number, seed: number): Float32Array {
  const stream = seededStream("bench-update", seed);
  return Float32Array.from({ length: dimension }, () => (stream.normal() * COORDINATE_STEPS) / 2 ** STEP_BITS);
}
