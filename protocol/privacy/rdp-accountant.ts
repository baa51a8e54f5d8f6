/**
 * Rényi differential privacy of the Poisson-subsampled Gaussian mechanism (Mironov, Talwar, Zhang 2019), its
 * composition, and the conversion to (epsilon, delta) of Canonne, Kamath, Steinke 2020, Proposition 12.
 *
 * Neighbours differ by one record, added or removed. The bound also holds for the discrete Gaussian on a grid at
 * integer orders: its moments exp(k(k−1)/(2σ²)) are the same because k times an integer shift is an integer. The
 * difference at other orders is below e^−(2·π²·σ²) with σ in grid steps, and nothing at the 2^20 steps in use.
 *
 * Floating point is fine here: nothing secret is computed, and results are rounded up at display.
 */
import { ensureRules, VerisumError } from "../errors.ts";

/** A mechanism run `steps` times. */
export interface SubsampledGaussian {
  /** Standard deviation of the noise in units of one record's largest contribution. */
  readonly noiseMultiplier: number;
  /** Probability with which each record takes part in a step; 1 for no subsampling. */
  readonly samplingRate: number;
  readonly steps: number;
}

export interface PrivacyGuarantee {
  readonly epsilon: number;
  readonly delta: number;
  /** The Rényi order that gave the smallest epsilon. */
  readonly order: number;
}

/** Orders at which the divergence is evaluated. */
const RENYI_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  ...[128, 256, 512, 1024],
];
/** A series that has not converged by then excludes its order. */
const MAX_SERIES_TERMS = 1000;
/** Looks at epsilon after which the search for it takes steps of its own, so that it ends. */
const PATIENT_LOOKS = 64;
/** Terms below e^−30 of the sum end a series. */
const NEGLIGIBLE_LOG = 30;

/**
 * Epsilon at `delta` of several mechanisms run one after the other on the same records.
 * @param totalVariation as `DistributedNoise` has it: how far what is run is from these mechanisms; counted in delta
 * @throws PRIVACY_PARAMETERS_INVALID
 * @example composedEpsilon([{ noiseMultiplier: 3.16, samplingRate: 0.1, steps: 400 }], 1e-5).epsilon // about 3.0
 */
export function composedEpsilon(
  mechanisms: readonly SubsampledGaussian[],
  delta: number,
  totalVariation = 0,
): PrivacyGuarantee {
  if (!(delta > 0 && delta < 1))
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "delta must be between 0 and 1", { delta });
  if (!(totalVariation >= 0))
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", "a total variation distance is not negative", {
      totalVariation,
    });
  mechanisms.forEach(assertMechanism);
  const divergences = RENYI_ORDERS.map((order) =>
    mechanisms.reduce((sum, mechanism) => sum + mechanism.steps * renyiDivergence(mechanism, order), 0),
  );
  return leastEpsilon(RENYI_ORDERS, divergences, delta, totalVariation);
}

/**
 * The smallest epsilon over all orders of what is within `totalVariation` of a mechanism with these divergences: the
 * least with epsilonAt(order, …, delta − (1 + e^epsilon)·totalVariation) <= epsilon, reached from below; infinite if
 * there is none.
 */
export function leastEpsilon(
  orders: readonly number[],
  divergences: readonly number[],
  delta: number,
  totalVariation: number,
): PrivacyGuarantee {
  let epsilon = 0;
  for (let look = 1; ; look++) {
    const left = totalVariation === 0 ? delta : delta - (1 + Math.exp(epsilon)) * totalVariation;
    let best: PrivacyGuarantee = { epsilon: Infinity, delta, order: Infinity };
    if (!(left > 0)) return best;
    orders.forEach((order, i) => {
      const candidate = epsilonAt(order, divergences[i]!, left);
      if (candidate < best.epsilon) best = { epsilon: candidate, delta, order };
    });
    if (best.epsilon <= epsilon * (1 + 1e-12)) return { ...best, epsilon: Math.max(best.epsilon, epsilon) };
    // Any epsilon that holds is a bound: where the least one is approached too slowly, a larger one is found.
    epsilon = best.epsilon * (look < PATIENT_LOOKS ? 1 : 1 + 2 ** (look - PATIENT_LOOKS - 30));
  }
}

/**
 * The smallest noise multiplier (to 0.1 %) with which the mechanism stays within epsilon.
 * @throws PRIVACY_PARAMETERS_INVALID if none up to 1000 does
 */
export function noiseMultiplierFor(
  epsilon: number,
  delta: number,
  { samplingRate, steps }: Omit<SubsampledGaussian, "noiseMultiplier">,
  totalVariation = 0,
): number {
  const reached = (noiseMultiplier: number): boolean =>
    composedEpsilon([{ noiseMultiplier, samplingRate, steps }], delta, totalVariation).epsilon <= epsilon;
  let [low, high] = [0.1, 1000];
  if (!reached(high))
    throw new VerisumError("PRIVACY_PARAMETERS_INVALID", `no noise multiplier up to ${high} gives epsilon ${epsilon}`, {
      epsilon,
      delta,
    });
  while (high / low > 1.001) {
    const middle = Math.sqrt(low * high);
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Rényi divergence of one step at an order > 1. */
export function renyiDivergence(
  { noiseMultiplier, samplingRate }: Omit<SubsampledGaussian, "steps">,
  order: number,
): number {
  if (samplingRate === 1) return order / (2 * noiseMultiplier ** 2);
  const logMoment = Number.isInteger(order)
    ? logMomentAtInteger(samplingRate, noiseMultiplier, order)
    : logMomentAtFraction(samplingRate, noiseMultiplier, order);
  return logMoment / (order - 1);
}

/** Proposition 12 of Canonne, Kamath, Steinke 2020; zero where the divergence already implies (0, delta). */
function epsilonAt(order: number, divergence: number, delta: number): number {
  if (delta ** 2 + Math.expm1(-divergence) > 0) return 0;
  return Math.max(0, divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1));
}

/** log of sum_k binomial(order, k) (1−q)^(order−k) q^k exp(k(k−1)/(2σ²)): section 3.3, integer orders. */
function logMomentAtInteger(q: number, sigma: number, order: number): number {
  let total = -Infinity;
  let logBinomial = 0;
  for (let k = 0; k <= order; k++) {
    total = logAdd(
      total,
      logBinomial + k * Math.log(q) + (order - k) * Math.log1p(-q) + (k * (k - 1)) / (2 * sigma ** 2),
    );
    logBinomial += Math.log((order - k) / (k + 1));
  }
  return total;
}

/**
 * The two series of section 3.3 for any order, split at z0 = σ² ln(1/q − 1) + 1/2. Binomials of a fractional order
 * change sign; the sum of magnitudes is taken, an upper bound that does not cancel (and what other accountants report).
 */
function logMomentAtFraction(q: number, sigma: number, order: number): number {
  const split = sigma ** 2 * (Math.log1p(-q) - Math.log(q)) + 0.5;
  const scale = Math.SQRT2 * sigma;
  let total = -Infinity;
  let logBinomial = 0;
  let [lastBelow, lastAbove] = [-Infinity, -Infinity];
  for (let i = 0; i < MAX_SERIES_TERMS; i++) {
    const j = order - i;
    const below =
      logBinomial +
      i * Math.log(q) +
      j * Math.log1p(-q) +
      (i * i - i) / (2 * sigma ** 2) +
      logHalfErfc((i - split) / scale);
    const above =
      logBinomial +
      j * Math.log(q) +
      i * Math.log1p(-q) +
      (j * j - j) / (2 * sigma ** 2) +
      logHalfErfc((split - j) / scale);
    total = logAdd(total, logAdd(below, above));
    if (below < lastBelow && above < lastAbove && Math.max(below, above) < total - NEGLIGIBLE_LOG) return total;
    [lastBelow, lastAbove] = [below, above];
    logBinomial += Math.log(Math.abs((order - i) / (i + 1)));
  }
  return Infinity;
}

function logAdd(a: number, b: number): number {
  const largest = Math.max(a, b);
  return largest === -Infinity ? largest : largest + Math.log1p(Math.exp(Math.min(a, b) - largest));
}

/** log(erfc(x)/2), to about 1e−13 relative to erfc. */
function logHalfErfc(x: number): number {
  if (x < 0) return Math.log1p(-Math.exp(logHalfErfc(-x)));
  return x < 2.5 ? Math.log(0.5 - erfBySeries(x) / 2) : -x * x + Math.log(scaledErfc(x) / 2);
}

/** erf(x) = 2/√π · e^(−x²) · sum of 2^n x^(2n+1) / (2n+1)!! (DLMF 7.6.2); all terms positive. */
function erfBySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** e^(x²)·erfc(x) by the continued fraction DLMF 7.9.1, for x >= 2.5. */
function scaledErfc(x: number): number {
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return 1 / (Math.sqrt(Math.PI) * fraction);
}

/** @throws PRIVACY_PARAMETERS_INVALID */
export function assertMechanism({ noiseMultiplier, samplingRate, steps }: SubsampledGaussian): void {
  ensureRules("PRIVACY_PARAMETERS_INVALID", {
    "1e-6 <= noiseMultiplier <= 1e6": noiseMultiplier >= 1e-6 && noiseMultiplier <= 1e6,
    "0 < samplingRate <= 1": samplingRate > 0 && samplingRate <= 1,
    "a whole number of steps, 0 to 10^12": Number.isInteger(steps) && steps >= 0 && steps <= 1e12,
  });
}
