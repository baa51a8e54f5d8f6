/**
 * Membership inference: which of a client's records were trained on? Each is in or out by a fair coin; the adversary
 * knows the records, the start, the options and the trained weights.
 */
import type { Dataset } from "../../learning/examples.ts";
import { selectExamples } from "../../learning/examples.ts";
import { parseModel } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import type { Network } from "../../learning/network.ts";
import { addClipped } from "../../learning/trainers/dp-sgd.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { PrivacyOptions, TrainOptions } from "../../learning/trainers/training-method.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { estimateCoefficients } from "./linear-estimate.ts";
import type { Guesses } from "./one-run-bound.ts";

export interface MembershipAudit {
  /** Of the trainer. */
  readonly model: unknown;
  /** A coin is thrown for every row. */
  readonly records: Dataset;
  /** With `privacy`, without momentum. */
  readonly options: TrainOptions;
  /** Guesses in a run: one half "in", one half "out". Even. */
  readonly guesses: number;
  readonly runs: number;
}

/** Points between start and end at which gradients are taken. */
const GRADIENT_POINTS = 8;
/** Part of the squared update that gradients between start and end do not explain. */
const UNEXPLAINED = 0.01;
/** For gradients as they are clipped, in steps of 2^−20. */
const GRADIENT_STEPS = 2 ** 20;

/**
 * Runs with coins of their own; what was guessed of all of them. @param random coins, and noise where training has any
 */
export async function auditMembership(
  { model, records, options, guesses, runs }: MembershipAudit,
  random: RandomBytes,
): Promise<Guesses> {
  const trainer = await createTrainer(model);
  const network = createNetwork(parseModel(model));
  let right = 0;
  for (let run = 0; run < runs; run++) {
    const coins = random(records.exampleCount).map((byte) => byte & 1);
    const start = trainer.initialWeights(run);
    const { weights } = await trainer.train(start, selectExamples(records, rowsIn(coins)), { ...options, seed: run });
    const scores =
      options.privacy === undefined
        ? lossScores(network, records, start, weights)
        : gradientScores(network, records, start, weights, { ...options, privacy: options.privacy });
    right += rightGuesses(scores, coins, guesses);
  }
  return { coins: runs * records.exampleCount, guesses: runs * guesses, right };
}

/** The records with other classes than their own: whoever gets them right has seen them. */
export function mislabelled(records: Dataset, random: RandomBytes): Dataset {
  const shifts = random(records.exampleCount);
  return {
    ...records,
    labels: records.labels.map(
      (label, i) => (label + 1 + (shifts[i]! % (records.classCount - 1))) % records.classCount,
    ),
  };
}

/** "In" for the highest half of the guesses, "out" for the lowest. */
export function rightGuesses(scores: Float64Array, coins: Uint8Array, guesses: number): number {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  const half = guesses / 2;
  const count = (rows: Uint32Array, coin: number): number => rows.filter((row) => coins[row] === coin).length;
  return count(order.subarray(0, half), 1) + count(order.subarray(order.length - half), 0);
}

/** How much of each record's loss training has taken away. */
function lossScores(network: Network, records: Dataset, start: Float32Array, end: Float32Array): Float64Array {
  const before = network.exampleGradients(start, records).losses;
  const after = network.exampleGradients(end, records).losses;
  return before.map((loss, i) => loss - after[i]!);
}

/**
 * How often each record's clipped gradient seems to be in the update: the adversary takes it halfway between the
 * weights that they know, knows how often a record that is in joins a batch, and knows how much noise there should be
 * (the stated one is as good as the real).
 */
function gradientScores(
  network: Network,
  records: Dataset,
  start: Float32Array,
  end: Float32Array,
  { learningRate, batchSize, privacy }: TrainOptions & { readonly privacy: PrivacyOptions },
): Float64Array {
  const sum = Float64Array.from(end, (value, k) => ((start[k]! - value) * batchSize) / learningRate);
  const vectors = meanGradients(network, records, start, end, privacy.clipNorm);
  const { steps, samplingRate, noiseMultiplier, clipNorm } = privacy;
  const expected = steps * samplingRate;
  // Half of all records are in, and join a binomial number of batches.
  const prior = { mean: expected / 2, variance: (expected * (1 - samplingRate)) / 2 + expected ** 2 / 4 };
  const energy = sum.reduce((total, value) => total + value * value, 0) / sum.length;
  const noiseVariance = steps * (noiseMultiplier * clipNorm) ** 2 + UNEXPLAINED * energy;
  return estimateCoefficients(
    sum,
    vectors,
    vectors.map(() => prior),
    noiseVariance,
  );
}

/** Each record's clipped gradient, the mean over the line from start to end. */
function meanGradients(
  network: Network,
  records: Dataset,
  start: Float32Array,
  end: Float32Array,
  clipNorm: number,
): Float64Array[] {
  const sums = Array.from({ length: records.exampleCount }, () => new Float64Array(start.length));
  const rows = sums.map((_, row) => selectExamples(records, [row]));
  for (let point = 0; point < GRADIENT_POINTS; point++) {
    const part = (point + 0.5) / GRADIENT_POINTS;
    const weights = start.map((value, k) => value + part * (end[k]! - value));
    sums.forEach((sum, row) =>
      addClipped(sum, network.exampleGradients(weights, rows[row]!), 1, {
        sensitivitySteps: GRADIENT_STEPS,
        stepsPerUnit: GRADIENT_STEPS,
        clipNorm,
      }),
    );
  }
  return sums.map((sum) => sum.map((value) => value / GRADIENT_POINTS / GRADIENT_STEPS));
}

function rowsIn(coins: Uint8Array): number[] {
  return [...coins.keys()].filter((row) => coins[row] === 1);
}
