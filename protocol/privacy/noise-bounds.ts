/**
 * Bounds that client-level privacy commits to, in steps of the integer grid: on the rounded update (the sensitivity),
 * on its coordinates (room for noise), and on the noisy update (what the proofs check). All are integers from integer
 * arithmetic, so that the task's creator, its clients and whoever checks its document compute the same.
 *
 * Noise is never drawn again to fit. What does not fit is an exit that depends on data; its probability is stated here
 * as a total variation distance, for the accountant to put into delta.
 */
import { ensureRules, VerisumError } from "../errors.ts";
import { ceilRoot } from "../integers.ts";

/** How noisy updates are made. */
export interface NoisyUpdateOptions {
  /** L2 norm to which updates are clipped before rounding, in steps. */
  readonly clipSteps: number;
  readonly dimension: number;
  /** Variance of each client's discrete Gaussian noise, in steps². */
  readonly noiseVariance: number;
  /** Bits of one signed coordinate. */
  readonly coordinateBits: number;
}

export interface NoisyUpdateBounds {
  /** Largest ‖q‖² of a rounded update before noise: the square of the sensitivity. */
  readonly roundedNormSquared: bigint;
  /** Largest magnitude of a coordinate before noise. */
  readonly coordinateLimit: number;
  /** Largest magnitude of a coordinate with noise. */
  readonly noisyCoordinateLimit: number;
  /** B²: largest ‖q + noise‖², which the proofs check. */
  readonly noisyNormSquared: bigint;
  /** Probability that one client's noise in one round does not fit, at most. */
  readonly exitProbability: number;
}

/**
 * β = e^−1/2 in the rounding bound, as in the paper's experiments: an attempt stays within it with probability 0.39 at
 * least.
 */
export const ROUNDING_BETA = Math.exp(-0.5);
/** Each of the noise's tails has probability e^−45 = 2.9·10⁻²⁰ at most. */
const TAIL_NATS = 45n;

/**
 * Largest squared norm of a vector of norm `clipSteps` after conditional stochastic rounding, in integers and rounded
 * up: min{(c + √d)², c² + d/4 + √(2·ln 1/β)·(c + √d/2)}, Theorem 1 of Kairouz, Liu, Steinke 2021; the root is one.
 * @throws PRIVACY_PARAMETERS_INVALID
 */
export function roundedNormBoundSquared(clipSteps: number, dimension: number): bigint {
  ensureRules("PRIVACY_PARAMETERS_INVALID", {
    "1 <= clipSteps <= 2^23": Number.isInteger(clipSteps) && clipSteps >= 1 && clipSteps <= 2 ** 23,
    "1 <= dimension <= 2^32": Number.isInteger(dimension) && dimension >= 1 && dimension <= 2 ** 32,
  });
  const [c, d] = [BigInt(clipSteps), BigInt(dimension)];
  const always = c * c + ceilRoot(4n * c * c * d) + d;
  const likely = c * c + (d + 3n) / 4n + c + (ceilRoot(d) + 1n) / 2n;
  return always < likely ? always : likely;
}

/**
 * The norm (not squared) for another β and a clip norm that need not be an integer: what accountants elsewhere compute.
 */
export function roundedNorm(clipSteps: number, dimension: number, beta: number): number {
  ensureRules("PRIVACY_PARAMETERS_INVALID", {
    "clip norm > 0": clipSteps > 0 && Number.isFinite(clipSteps),
    "dimension >= 1": Number.isInteger(dimension) && dimension >= 1,
    "0 <= beta < 1": beta >= 0 && beta < 1,
  });
  const always = clipSteps + Math.sqrt(dimension);
  return beta === 0
    ? always
    : Math.min(
        always,
        Math.sqrt(
          clipSteps ** 2 + dimension / 4 + Math.sqrt(-2 * Math.log(beta)) * (clipSteps + Math.sqrt(dimension) / 2),
        ),
      );
}

/**
 * The bounds for one client's update in one round.
 *
 * With x the rounded update and z the noise, whose coordinates are independent and sub-Gaussian with its variance σ²
 * (Canonne, Kamath, Steinke 2020), each of these fails with probability at most e^−t, or 2·d·e^−t': ‖z‖² <= σ²·(d +
 * 2√(d·t) + 2t) (Hsu, Kakade, Zhang 2012), ⟨x, z⟩ <= ‖x‖·σ·√(2t), max|z_i| <= σ·√(2t').
 *
 * @throws PRIVACY_PARAMETERS_INVALID if the noise leaves no room in the coordinates
 */
export function noisyUpdateBounds({
  clipSteps,
  dimension,
  noiseVariance,
  coordinateBits,
}: NoisyUpdateOptions): NoisyUpdateBounds {
  const roundedNormSquared = roundedNormBoundSquared(clipSteps, dimension);
  ensureRules("PRIVACY_PARAMETERS_INVALID", {
    "the variance is an integer >= 1": Number.isSafeInteger(noiseVariance) && noiseVariance >= 1,
    "2 <= coordinateBits <= 21": Number.isInteger(coordinateBits) && coordinateBits >= 2 && coordinateBits <= 21,
  });
  const [d, variance] = [BigInt(dimension), BigInt(noiseVariance)];
  const noiseNormSquared = variance * (d + 2n * TAIL_NATS) + ceilRoot(4n * variance * variance * d * TAIL_NATS);
  const cross = ceilRoot(8n * TAIL_NATS * variance * roundedNormSquared);
  // ln d is below the number of d's bits.
  const coordinateNats = TAIL_NATS + BigInt(dimension.toString(2).length);
  const noisyCoordinateLimit = 2 ** (coordinateBits - 1) - 1;
  const coordinateLimit = noisyCoordinateLimit - Number(ceilRoot(2n * variance * coordinateNats));
  if (coordinateLimit < 1) {
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      `noise of variance ${noiseVariance} steps² does not fit into coordinates of ${coordinateBits} bits: a coarser grid, more honest clients or a larger epsilon is needed`,
      { noiseVariance, coordinateBits },
    );
  }
  return {
    roundedNormSquared,
    coordinateLimit,
    noisyCoordinateLimit,
    noisyNormSquared: roundedNormSquared + cross + noiseNormSquared,
    exitProbability: 4 * Math.exp(-Number(TAIL_NATS)),
  };
}

/** Which of a run's tails and errors count, for `totalVariationOf`. */
export interface RunSize {
  readonly clients: number;
  readonly rounds: number;
  readonly dimension: number;
  /** Error of one sample (`totalVariationBound` of a noise table; 0 for the exact sampler). */
  readonly perSample: number;
}

/** Total variation distance of a run from ideal noise: exits and sampling errors of every client in every round. */
export function totalVariationOf(exitProbability: number, { clients, rounds, dimension, perSample }: RunSize): number {
  return clients * rounds * (exitProbability + dimension * perSample);
}
