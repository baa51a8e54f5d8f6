/**
 * Runs of what clients do, with and without a worst-case contribution, and what an adversary who knows everything else
 * sees of it.
 */
import { createTrainer } from "../../learning/trainer.ts";
import type { Dataset } from "../../learning/examples.ts";
import { updateEncoder } from "../../task/encoding.ts";
import { clientLevelEpsilon, noiseVarianceFor } from "../../protocol/privacy/distributed-gaussian.ts";
import { roundedNormBoundSquared } from "../../protocol/privacy/noise-bounds.ts";
import { composedEpsilon, noiseMultiplierFor } from "../../protocol/privacy/rdp-accountant.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { Observations } from "./epsilon-bound.ts";

/**
 * How much of the noise that the accountant counts on is really drawn, as a part of its standard deviation: 1, unless a
 * mistake is planted.
 */
export interface AuditRuns {
  readonly trials: number;
  readonly noisePart: number;
  readonly random: RandomBytes;
}

export interface ClientAudit {
  readonly clients: number;
  readonly dimension: number;
  readonly clipSteps: number;
  readonly rounds: number;
  readonly epsilon: number;
  readonly delta: number;
}

/** What is stated, and the mechanism's runs. */
export interface Audited {
  readonly statedEpsilon: number;
  readonly observations: Observations;
}

/** A canary's update before clipping, as a multiple of the clip norm: an honest client cuts it to the norm. */
const CANARY_EXCESS = 10;

/**
 * Sums of clients' encoded updates. The canary's update is along the diagonal and much too long, so that it is clipped
 * to the norm and rounded; in the other world it is zero. Everybody adds noise. The adversary projects all rounds' sums
 * onto the diagonal.
 */
export function auditClients(
  { clients, dimension, clipSteps, rounds, epsilon, delta }: ClientAudit,
  { trials, noisePart, random }: AuditRuns,
): Audited {
  const search = {
    honestClients: { least: clients, most: clients },
    l2SensitivitySteps: Math.sqrt(Number(roundedNormBoundSquared(clipSteps, dimension))),
    dimension,
    rounds,
  };
  const variance = noiseVarianceFor(epsilon, delta, search);
  const noiseVariance = Math.round(variance * noisePart ** 2);
  const document = {
    preset: "standard",
    quantisation: { stepBits: 0, clipSteps },
    training: {
      learningRate: 1,
      momentum: 0,
      batchSize: 1,
      localEpochs: 1,
      privacy: { unit: "client", noiseVariance, delta },
    },
  } as const;
  const nothing = new Float32Array(dimension);
  const canary = new Float32Array(dimension).fill((CANARY_EXCESS * clipSteps) / Math.sqrt(dimension));
  const projection = (first: Float32Array): number => {
    let sum = 0;
    for (let round = 0; round < rounds; round++) {
      for (let client = 0; client < clients; client++) {
        for (const value of updateEncoder(document, dimension, random)(client === 0 ? first : nothing, 1)) sum += value;
      }
    }
    return sum;
  };
  return {
    statedEpsilon: clientLevelEpsilon({ ...search, noiseStdDevSteps: Math.sqrt(variance) }, delta).epsilon,
    observations: {
      with: repeat(trials, () => projection(canary)),
      without: repeat(trials, () => projection(nothing)),
    },
  };
}

export interface ExampleAudit {
  /** Rows beside the canary; a linear model is trained on them. */
  readonly data: Dataset;
  readonly samplingRate: number;
  readonly steps: number;
  readonly epsilon: number;
  readonly delta: number;
}

/** The canary's one pixel: its gradient is far beyond the clip norm at every step. */
const CANARY_PIXEL = 1e4;
/** So small that the canary's gradient keeps its direction. */
const LEARNING_RATE = 1e-7;
const CLIP_NORM = 1;

/**
 * DP-SGD with and without one record whose gradient is cut to the clip norm in every step, along one known direction.
 * The adversary sees the trained weights and projects them onto it.
 */
export async function auditExamples(
  { data, samplingRate, steps, epsilon, delta }: ExampleAudit,
  { trials, noisePart, random }: AuditRuns,
): Promise<Audited> {
  const { classCount } = data;
  const width = data.features.length / data.exampleCount;
  const trainer = await createTrainer({ kind: "mlp", inputShape: [width], hidden: [], classCount });
  const noiseMultiplier = noiseMultiplierFor(epsilon, delta, { samplingRate, steps });
  const options = {
    learningRate: LEARNING_RATE,
    momentum: 0,
    batchSize: 1,
    localEpochs: 1,
    seed: 0,
    privacy: { clipNorm: CLIP_NORM, noiseMultiplier: noiseMultiplier * noisePart, samplingRate, steps, random },
  };
  const withCanary = canaryAdded(data, width);
  // At zero weights all classes are equally probable: the gradient in the canary's pixel is that minus its own class.
  const direction = Array.from({ length: classCount }, (_, label) => 1 / classCount - (label === 0 ? 1 : 0));
  const scale = Math.hypot(...direction) * LEARNING_RATE * CLIP_NORM;
  const start = new Float32Array(trainer.parameterCount);
  const run = async (rows: Dataset): Promise<number> => {
    const { weights } = await trainer.train(start, rows, options);
    return -direction.reduce((sum, value, label) => sum + value * weights[label]!, 0) / scale;
  };
  const observe = async (rows: Dataset): Promise<Float64Array> => {
    const values = new Float64Array(trials);
    for (let i = 0; i < trials; i++) values[i] = await run(rows);
    return values;
  };
  return {
    statedEpsilon: composedEpsilon([{ noiseMultiplier, samplingRate, steps }], delta).epsilon,
    observations: { with: await observe(withCanary), without: await observe(data) },
  };
}

/** One more row, of class 0: everything in the first feature. */
function canaryAdded(data: Dataset, width: number): Dataset {
  const features = new Float32Array(data.features.length + width);
  features.set(data.features);
  features[data.features.length] = CANARY_PIXEL;
  return { ...data, features, labels: Int32Array.of(...data.labels, 0), exampleCount: data.exampleCount + 1 };
}

function repeat(trials: number, run: () => number): Float64Array {
  return Float64Array.from({ length: trials }, run);
}
