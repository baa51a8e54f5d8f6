/**
 * Accounting for sums of discrete Gaussians, one from each of several clients (Kairouz, Liu, Steinke 2021), over many
 * rounds.
 *
 * What is protected is all that one client has: neighbours differ in one client's update, which is the zero vector in
 * one of them. For one update replaced by another, pass twice the norm. Participation is public, so nothing is
 * amplified.
 *
 * Floating point is fine here: nothing secret is computed.
 */
import { ensureRules, VerisumError } from "../errors.ts";
import { leastEpsilon } from "./rdp-accountant.ts";

/** Noise that clients add on their own, and what it has to hide. Lengths are in steps of the integer grid. */
export interface DistributedNoise {
  /** Standard deviation of the discrete Gaussian that each honest client adds to each coordinate; at least 1/2. */
  readonly noiseStdDevSteps: number;
  /** Fewest and most honest clients that any of the rounds may include; the worst number between them counts. */
  readonly honestClients: { readonly least: number; readonly most: number };
  /** Largest L2 norm of a rounded update. */
  readonly l2SensitivitySteps: number;
  readonly dimension: number;
  readonly rounds: number;
  /**
   * Total variation distance, over all rounds, between what the clients do and the mechanism accounted for: a sampler's
   * error and every exit that depends on data. Counted in delta as (1 + e^epsilon) times this.
   */
  readonly totalVariation?: number;
}

export interface DistributedGuarantee {
  readonly epsilon: number;
  readonly delta: number;
  /** The Rényi order that gave the smallest epsilon. */
  readonly order: number;
  /** The number of honest clients at which epsilon is largest. */
  readonly worstClients: number;
}

/** Divergence of one round as a function of the Rényi order, for a given number of honest clients. */
export type RoundDivergence = (noise: DistributedNoise, clients: number) => (order: number) => number;

/** Integer orders, at which published accountants of this mechanism evaluate. */
const INTEGER_ORDERS: readonly number[] = [...Array.from({ length: 127 }, (_, i) => i + 2), 256];

const MAX_CLIENTS = 1 << 16;
/** Each number of clients in a range is tried. */
const MAX_CLIENT_RANGE = 1 << 12;
const MAX_DIMENSION = 2 ** 32;
const MAX_ROUNDS = 2 ** 32;
/** The search for a variance ends above the square of this, far beyond what a coordinate can hold. */
const MAX_STD_DEV_STEPS = 2 ** 26;

/**
 * tau: how far a sum of `clients` discrete Gaussians is from a discrete Gaussian, in the sense of Theorem 1.
 * 10·sum over k < clients of exp(−2·π²·σ²·k/(k+1)); 10⁻⁷ at σ = 1.4 steps and two clients, and nothing from 3 steps on.
 */
export function sumDistance(noiseStdDevSteps: number, clients: number): number {
  // The first term is the largest; from about 9 steps on a double does not hold it.
  if (Math.exp(-((Math.PI * noiseStdDevSteps) ** 2)) === 0) return 0;
  if (partialSums.of !== noiseStdDevSteps) partialSums = { of: noiseStdDevSteps, sums: [0] };
  const { sums } = partialSums;
  for (let k = sums.length; k < clients; k++)
    sums.push(sums[k - 1]! + Math.exp(-2 * (Math.PI * noiseStdDevSteps) ** 2 * (k / (k + 1))));
  return 10 * sums[Math.max(0, clients - 1)]!;
}

/** Of the last standard deviation that was asked for: whoever tries every number of clients adds one term each. */
let partialSums: { readonly of: number; readonly sums: number[] } = { of: NaN, sums: [0] };

/** Proposition 14: the smallest of three bounds on the Rényi divergence of one round. */
export function discreteGaussianDivergence(
  { noiseStdDevSteps, l2SensitivitySteps, dimension }: DistributedNoise,
  clients: number,
): (order: number) => number {
  const sumStdDevSteps = Math.sqrt(clients) * noiseStdDevSteps;
  const tau = sumDistance(noiseStdDevSteps, clients);
  const shift = l2SensitivitySteps / sumStdDevSteps;
  const squares = Math.min(
    shift ** 2 + 2 * (l1SensitivitySteps(l2SensitivitySteps, dimension) / sumStdDevSteps) * tau + tau ** 2 * dimension,
    (shift + Math.sqrt(dimension) * tau) ** 2,
  );
  return (order) => Math.min((order / 2) * shift ** 2 + tau * dimension, (order / 2) * squares);
}

/**
 * The same for Skellam noise, which is closed under sums (Agarwal, Kairouz, Liu 2021), for comparison; integer orders.
 * The price is a second term in place of tau.
 */
export function skellamDivergence(
  { noiseStdDevSteps, l2SensitivitySteps, dimension }: DistributedNoise,
  clients: number,
): (order: number) => number {
  const variance = clients * noiseStdDevSteps ** 2;
  const l1 = l1SensitivitySteps(l2SensitivitySteps, dimension);
  const excess = (order: number): number =>
    Math.min(((2 * order - 1) * l2SensitivitySteps ** 2 + 6 * l1) / (4 * variance ** 2), (3 * l1) / (2 * variance));
  return (order) => (order * l2SensitivitySteps ** 2) / (2 * variance) + excess(order);
}

/**
 * Epsilon at `delta` for every client, after all rounds, at the worst number of honest clients.
 *
 * A larger sum is a smaller one with independent terms added, so `least` alone would do; the maximum over the range is
 * reported because tau grows with the number of terms, and must not be read at its most favourable place.
 *
 * @throws PRIVACY_PARAMETERS_INVALID, also if the total variation alone exceeds delta
 * @example clientLevelEpsilon({ noiseStdDevSteps: 20, honestClients: { least: 100, most: 100 },
 * l2SensitivitySteps: 100, dimension: 650, rounds: 1 }, 1e-5)
 */
export function clientLevelEpsilon(
  noise: DistributedNoise,
  delta: number,
  divergence: RoundDivergence = discreteGaussianDivergence,
): DistributedGuarantee {
  assertNoise(noise, delta);
  let worst: DistributedGuarantee | undefined;
  const { least } = noise.honestClients;
  // Without tau every bound falls as clients are added.
  const most =
    divergence === discreteGaussianDivergence && sumDistance(noise.noiseStdDevSteps, 2) === 0
      ? least
      : noise.honestClients.most;
  for (let clients = least; clients <= most; clients++) {
    const guarantee = epsilonFor(noise, clients, delta, divergence);
    if (worst === undefined || guarantee.epsilon > worst.epsilon) worst = guarantee;
  }
  return worst!;
}

/** What stays the same while a variance is looked for. The total variation may depend on the variance. */
export type NoiseSearch = Omit<DistributedNoise, "noiseStdDevSteps" | "totalVariation">;

/**
 * The smallest integer variance, in steps², of each client's noise with which epsilon stays within `epsilon`.
 * @throws PRIVACY_PARAMETERS_INVALID if none does
 */
export function noiseVarianceFor(
  epsilon: number,
  delta: number,
  search: NoiseSearch,
  totalVariation: (noiseVariance: number) => number = () => 0,
): number {
  const reached = (noiseVariance: number): boolean =>
    clientLevelEpsilon(
      { ...search, noiseStdDevSteps: Math.sqrt(noiseVariance), totalVariation: totalVariation(noiseVariance) },
      delta,
    ).epsilon <= epsilon;
  let low = 0;
  let high = 1;
  while (!reached(high)) {
    low = high;
    high *= 2;
    if (high > MAX_STD_DEV_STEPS ** 2 || !(epsilon > 0))
      throw new VerisumError("PRIVACY_PARAMETERS_INVALID", `no noise gives epsilon ${epsilon}`, { epsilon, delta });
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** In d coordinates the L1 norm is at most √d times the L2 norm; for integers also at most its square. */
function l1SensitivitySteps(l2SensitivitySteps: number, dimension: number): number {
  return l2SensitivitySteps * Math.min(Math.sqrt(dimension), l2SensitivitySteps);
}

function epsilonFor(
  noise: DistributedNoise,
  clients: number,
  delta: number,
  divergence: RoundDivergence,
): DistributedGuarantee {
  const roundDivergence = divergence(noise, clients);
  const divergences = INTEGER_ORDERS.map((order) => noise.rounds * roundDivergence(order));
  return { ...leastEpsilon(INTEGER_ORDERS, divergences, delta, noise.totalVariation ?? 0), worstClients: clients };
}

function assertNoise(noise: DistributedNoise, delta: number): void {
  const { noiseStdDevSteps, honestClients, l2SensitivitySteps, dimension, rounds, totalVariation = 0 } = noise;
  ensureRules("PRIVACY_PARAMETERS_INVALID", {
    "0 < delta < 1": delta > 0 && delta < 1,
    "standard deviation of each client's noise >= 1/2 step":
      noiseStdDevSteps >= 0.5 && Number.isFinite(noiseStdDevSteps),
    "honest clients >= 1": Number.isInteger(honestClients.least) && honestClients.least >= 1,
    [`least <= most honest clients <= ${MAX_CLIENTS}`]:
      Number.isInteger(honestClients.most) &&
      honestClients.most >= honestClients.least &&
      honestClients.most <= MAX_CLIENTS,
    [`most - least honest clients <= ${MAX_CLIENT_RANGE}`]:
      honestClients.most - honestClients.least <= MAX_CLIENT_RANGE,
    "norm > 0": l2SensitivitySteps > 0 && Number.isFinite(l2SensitivitySteps),
    "1 <= dimension <= 2^32": Number.isInteger(dimension) && dimension >= 1 && dimension <= MAX_DIMENSION,
    "1 <= rounds <= 2^32": Number.isInteger(rounds) && rounds >= 1 && rounds <= MAX_ROUNDS,
    "2·total variation < delta": totalVariation >= 0 && totalVariation * 2 < delta,
  });
}
