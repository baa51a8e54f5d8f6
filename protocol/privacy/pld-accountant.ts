/**
 * Tight accounting for the Poisson-subsampled Gaussian mechanism by its privacy loss distribution: one step's losses on
 * a grid, composed by the Fourier transform (Koskela, Jälkö, Honkela 2020; Gopi, Lee, Wutschitz 2021; Doroshenko et al.
 * 2022).
 *
 * The epsilon reported is never below the true one: the grid's distribution dominates, and each error is bounded and
 * added to delta: the tails cut off (Chernoff's bound on the composed losses), quadrature, the transform's and powers'
 * roundings.
 *
 * This is for continuous noise. For noise on a grid of 2^20 steps a standard deviation the losses' tails differ by
 * about 10^−5 of themselves, far within MARGIN, but that is not proved; what tasks state comes from the Rényi
 * accountant.
 */
import { VerisumError } from "../errors.ts";
import { power, transform } from "./fourier.ts";
import { lossRange, MASS_ERROR, stepLoss } from "./privacy-loss.ts";
import type { GridDistribution, Neighbour } from "./privacy-loss.ts";
import { assertMechanism, composedEpsilon } from "./rdp-accountant.ts";
import type { SubsampledGaussian } from "./rdp-accountant.ts";

export interface PldGuarantee {
  readonly epsilon: number;
  readonly delta: number;
  /** The part of delta that pays for numerical errors. */
  readonly numericalDelta: number;
}

/** Points of the grid on which composed losses live. */
const GRID_POINTS = 2 ** 17;
/** Points of the grid on which the composed losses' range is looked for. */
const SEARCH_POINTS = 2 ** 12;
/** A step's losses on the final grid are at most this many, so that the quadrature stays short. */
const MAX_STEP_POINTS = 2 ** 17;
/** The part of delta beyond the window of composed losses, on either side. */
const TAIL_SHARE = 1e-7;
/** Exponents at which Chernoff's bound is tried, in units of one over a step's range of losses, or of one. */
const EXPONENTS = Array.from({ length: 145 }, (_, i) => 2 ** (i / 4 - 16));
/**
 * Outside of these the grid is too coarse for the losses, its quadrature too long, or delta below the numerical errors;
 * nothing is computed there.
 */
const LEAST = { noiseMultiplier: 0.01, range: 1e-9, delta: 1e-14 } as const;
const UNIT_ROUNDOFF = 2 ** -53;
/**
 * Added to what is computed: accountants with a coarser grid report up to 0.066 % more, and whoever recomputes should
 * not.
 */
const MARGIN = 7e-4;

/** The smallest of what is known, by whichever accountant. */
export interface TightGuarantee {
  readonly epsilon: number;
  readonly accountant: "pld" | "rdp";
  /** The Rényi order, where that accountant gave it. */
  readonly order: number | null;
}

/**
 * Epsilon at `delta` by the privacy loss distribution, or by Rényi divergences where that says less: where the grid
 * cannot tell, or its errors exceed delta. Ends within seconds.
 * @throws PRIVACY_PARAMETERS_INVALID
 */
export function tightEpsilon(mechanism: SubsampledGaussian, delta: number): TightGuarantee {
  const { epsilon: renyi, order } = composedEpsilon([mechanism], delta);
  const { epsilon } = pldEpsilon(mechanism, delta);
  return epsilon <= renyi ? { epsilon, accountant: "pld", order: null } : { epsilon: renyi, accountant: "rdp", order };
}

/**
 * Epsilon at `delta` of `steps` steps; the larger of those for adding and for removing a record.
 *
 * @returns epsilon Infinity where the numerical errors exceed delta (below about 10^−9 for thousands of steps), or
 *   noise or losses are so small that the grid cannot tell: `tightEpsilon` has a bound there
 * @throws PRIVACY_PARAMETERS_INVALID
 * @example pldEpsilon({ noiseMultiplier: 3.16, samplingRate: 0.1, steps: 400 }, 1e-5).epsilon // about 2.7
 */
export function pldEpsilon(mechanism: SubsampledGaussian, delta: number): PldGuarantee {
  if (!(delta > 0 && delta < 1))
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "delta must be between 0 and 1", { delta });
  assertMechanism(mechanism);
  // Whoever is in no batch is not in the result: the two differ by no more than the probability to be in one.
  if (participation(mechanism) <= delta) return { epsilon: 0, delta, numericalDelta: 0 };
  if (!isOnGrid(mechanism, delta)) return { epsilon: Infinity, delta, numericalDelta: delta };
  // Without subsampling the two directions are mirror images with the same losses.
  const neighbours: readonly Neighbour[] = mechanism.samplingRate === 1 ? ["remove"] : ["remove", "add"];
  return neighbours
    .map((neighbour) => directedEpsilon(mechanism, neighbour, delta))
    .reduce((a, b) => (b.epsilon > a.epsilon ? b : a));
}

/** Probability that a record is in any of the batches, rounded up. */
function participation({ samplingRate, steps }: SubsampledGaussian): number {
  if (samplingRate === 1) return Math.min(1, steps);
  return -Math.expm1(steps * Math.log1p(-samplingRate)) * (1 + 1e-9);
}

function isOnGrid(mechanism: SubsampledGaussian, delta: number): boolean {
  if (mechanism.noiseMultiplier < LEAST.noiseMultiplier || delta < LEAST.delta) return false;
  return lossRange(mechanism) >= LEAST.range;
}

function directedEpsilon(mechanism: SubsampledGaussian, neighbour: Neighbour, delta: number): PldGuarantee {
  const { steps } = mechanism;
  const range = lossRange(mechanism);
  const rough = stepLoss(mechanism, neighbour, range / SEARCH_POINTS);
  const unit = 1 / Math.min(1, range);
  const [low, high] = [
    composedEnd(rough, steps, -1, delta * TAIL_SHARE, unit),
    composedEnd(rough, steps, 1, delta * TAIL_SHARE, unit),
  ];
  const spacing = Math.max((1.01 * (high.loss - low.loss)) / GRID_POINTS, range / MAX_STEP_POINTS);
  const step = stepLoss(mechanism, neighbour, spacing);
  const lowest = Math.floor(low.loss / spacing);
  const outside =
    tailBeyond(step, steps, 1, (lowest + GRID_POINTS - 1) * spacing, high.exponent) +
    tailBeyond(step, steps, -1, lowest * spacing, low.exponent);
  const { masses, roundoff } = compose(step, steps, lowest);
  const infinite = -Math.expm1(steps * Math.log1p(-step.infinite));
  const numericalDelta = outside + infinite + roundoff + steps * MASS_ERROR;
  return { epsilon: (1 + MARGIN) * solve(masses, lowest, spacing, delta - numericalDelta), delta, numericalDelta };
}

/**
 * The distribution of the sum of `steps` losses, as masses of GRID_POINTS points from `lowest` on; the rest is wrapped
 * around.
 */
function compose(
  { first, masses }: GridDistribution,
  steps: number,
  lowest: number,
): { masses: Float64Array; roundoff: number } {
  const re = new Float64Array(GRID_POINTS);
  let squares = 0;
  masses.forEach((mass, i) => {
    re[i % GRID_POINTS]! += mass;
    squares += mass * mass;
  });
  const spectrum = { re, im: new Float64Array(GRID_POINTS) };
  transform(spectrum, false);
  power(spectrum, steps);
  transform(spectrum, true);
  const shift = modulo(lowest - steps * first, GRID_POINTS);
  const sum = Float64Array.from({ length: GRID_POINTS }, (_, i) =>
    Math.max(0, spectrum.re[(i + shift) % GRID_POINTS]!),
  );
  // In the L1 norm at most √N times the L2 norm: each frequency's error grows by the factor `steps` in the power, of
  // which no frequency exceeds one in magnitude.
  const roundoff =
    Math.sqrt(GRID_POINTS) * Math.sqrt(squares) * 8 * (steps + 1) * (Math.log2(GRID_POINTS) + 1) * UNIT_ROUNDOFF;
  return { masses: sum, roundoff };
}

/** The least epsilon >= 0 at which the sum of (1 − e^(epsilon − loss))·mass over larger losses is within `delta`. */
function solve(masses: Float64Array, lowest: number, spacing: number, delta: number): number {
  if (!(delta > 0)) return Infinity;
  const decay = Math.exp(-spacing);
  // Over losses from point i on: their mass, and their mass times e^(loss of point i − loss).
  let [mass, discounted] = [0, 0];
  for (let i = masses.length - 1; i >= 0; i--) {
    const [nextMass, nextDiscounted] = [mass + masses[i]!, masses[i]! + decay * discounted];
    const epsilon = (lowest + i) * spacing;
    // At epsilon = this point's loss; it falls with epsilon.
    if (nextMass - nextDiscounted > delta) {
      return Math.max(0, epsilon + spacing + Math.log((mass - delta) / discounted));
    }
    if (epsilon <= 0) return 0;
    [mass, discounted] = [nextMass, nextDiscounted];
  }
  return Math.max(0, lowest * spacing);
}

/**
 * A point beyond which the composed losses have at most `tail`, above (side 1) or below it (side −1), and the exponent
 * that shows it.
 * @param unit of the exponents that are tried
 */
function composedEnd(
  step: GridDistribution,
  steps: number,
  side: 1 | -1,
  tail: number,
  unit: number,
): { loss: number; exponent: number } {
  let best = { loss: Infinity, exponent: unit };
  for (const exponent of EXPONENTS.map((multiple) => multiple * unit)) {
    const loss = (steps * logMoment(step, side * exponent) - Math.log(tail)) / exponent;
    if (loss < best.loss) best = { loss, exponent };
  }
  const furthest = steps * (side === 1 ? step.first + step.masses.length : -step.first) * step.spacing;
  return { loss: side * Math.min(best.loss, furthest), exponent: best.exponent };
}

/** Chernoff's bound on the composed losses' mass beyond `loss`, above (side 1) or below it (side −1). */
function tailBeyond(step: GridDistribution, steps: number, side: 1 | -1, loss: number, exponent: number): number {
  const furthest = steps * (side === 1 ? step.first + step.masses.length - 1 : step.first) * step.spacing;
  return side * (loss - furthest) >= 0
    ? 0
    : Math.exp(Math.min(0, steps * logMoment(step, side * exponent) - side * exponent * loss));
}

/** ln of the sum of mass·e^(exponent·loss). */
function logMoment({ spacing, first, masses }: GridDistribution, exponent: number): number {
  let largest = -Infinity;
  const terms = new Float64Array(masses.length);
  for (let i = 0; i < masses.length; i++) {
    terms[i] = masses[i] === 0 ? -Infinity : Math.log(masses[i]!) + exponent * (first + i) * spacing;
    largest = Math.max(largest, terms[i]!);
  }
  let sum = 0;
  for (let i = 0; i < terms.length; i++) sum += Math.exp(terms[i]! - largest);
  return largest + Math.log(sum);
}

function modulo(value: number, length: number): number {
  return ((value % length) + length) % length;
}
