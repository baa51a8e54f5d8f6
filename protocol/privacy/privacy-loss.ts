/**
 * The privacy loss of one step of the Poisson-subsampled Gaussian mechanism, as a distribution on a grid.
 *
 * With M the mixture (1−q)·N(0, σ²) + q·N(1, σ²) and l(z) = ln(dM/dN(0, σ²)), removing a record has the loss l(z) for z
 * from M, adding one the loss −l(z) for z from N(0, σ²). Losses between two grid points are divided between them so
 * that both the probability and its counterpart under the other distribution stay the same ("connecting the dots",
 * Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022): the discrete distribution dominates the continuous one, and
 * differs in second order only.
 */
import type { SubsampledGaussian } from "./rdp-accountant.ts";

export type Neighbour = "remove" | "add";

/** A distribution on the points (first + i)·spacing. */
export interface GridDistribution {
  readonly spacing: number;
  /** Index of the first point. */
  readonly first: number;
  readonly masses: Float64Array;
  /** Probability of an unlimited loss. */
  readonly infinite: number;
}

/** Beyond this many standard deviations a Gaussian's tail is below 10^−22. */
const TAIL_DEVIATIONS = 10;
const TAIL_MASS = 1e-22;
/**
 * Gauss and Legendre's rule of an order on [0, 1], good to the last digits of a double for pieces up to `width` of the
 * narrowest scale.
 */
const RULES = {
  narrow: {
    width: 0.02,
    nodes: [0.1127016653792583, 0.5, 0.8872983346207417],
    weights: [0.2777777777777778, 0.4444444444444444, 0.2777777777777778],
  },
  wide: {
    width: 0.25,
    nodes: [
      0.033765242898423975, 0.16939530676686776, 0.3806904069584015, 0.6193095930415985, 0.8306046932331322,
      0.966234757101576,
    ],
    weights: [
      0.08566224618958517, 0.1803807865240693, 0.23395696728634552, 0.23395696728634552, 0.1803807865240693,
      0.08566224618958517,
    ],
  },
} as const;

/** Relative error of the masses: quadrature and roundings. */
export const MASS_ERROR = 1e-13;

/** The losses of one step on a grid of `spacing`. */
export function stepLoss(
  { noiseMultiplier: sigma, samplingRate: q }: Omit<SubsampledGaussian, "steps">,
  neighbour: Neighbour,
  spacing: number,
): GridDistribution {
  const variance = sigma * sigma;
  const sign = neighbour === "remove" ? 1 : -1;
  const loss = (z: number): number => sign * mixtureLoss(z, q, variance);
  const lowest = -TAIL_DEVIATIONS * sigma;
  const highest = (neighbour === "remove" ? 1 : 0) + TAIL_DEVIATIONS * sigma;
  const [smallest, largest] = [Math.min(loss(lowest), loss(highest)), Math.max(loss(lowest), loss(highest))];
  const first = Math.floor(smallest / spacing);
  const cells = Math.floor(largest / spacing) - first + 1;
  const masses = new Float64Array(cells + 1);
  const scale = Math.min(sigma, variance);
  const norm = 1 / (sigma * Math.sqrt(2 * Math.PI));
  const fallOff = -Math.expm1(-spacing);
  const edge = (index: number): number => {
    const z = whereLoss(sign * (first + index) * spacing, q, variance);
    return Math.min(highest, Math.max(lowest, z));
  };
  for (let cell = 0, from = edge(0); cell < cells; cell++) {
    const to = edge(cell + 1);
    const [a, b] = [Math.min(from, to), Math.max(from, to)];
    const rule = b - a <= RULES.narrow.width * scale ? RULES.narrow : RULES.wide;
    const pieces = Math.max(1, Math.ceil((b - a) / (rule.width * scale)));
    const width = (b - a) / pieces;
    let [below, above] = [0, 0];
    for (let piece = 0; width > 0 && piece < pieces; piece++) {
      for (let node = 0; node < rule.nodes.length; node++) {
        const z = a + (piece + rule.nodes[node]!) * width;
        const l = mixtureLoss(z, q, variance);
        // M's density is the other's times e^l.
        const mass =
          rule.weights[node]! * width * norm * Math.exp((neighbour === "remove" ? l : 0) - (z * z) / (2 * variance));
        const share = -Math.expm1((first + cell) * spacing - sign * l) / fallOff;
        const up = mass * Math.min(1, Math.max(0, share));
        above += up;
        below += mass - up;
      }
    }
    masses[cell]! += below;
    masses[cell + 1]! += above;
    from = to;
  }
  // The tail of small losses counts as the smallest point; that of large ones as unlimited.
  masses[0]! += TAIL_MASS;
  return { spacing, first, masses, infinite: TAIL_MASS };
}

/** Range of the losses of one step, tails of 10^−22 apart. */
export function lossRange(mechanism: Omit<SubsampledGaussian, "steps">): number {
  const variance = mechanism.noiseMultiplier ** 2;
  const reach = TAIL_DEVIATIONS * mechanism.noiseMultiplier;
  return (
    mixtureLoss(1 + reach, mechanism.samplingRate, variance) - mixtureLoss(-reach, mechanism.samplingRate, variance)
  );
}

/** l(z) = ln(1 − q + q·e^((2z−1)/(2σ²))), without cancellation near zero and without overflow. */
function mixtureLoss(z: number, q: number, variance: number): number {
  const x = (2 * z - 1) / (2 * variance);
  if (q === 1) return x;
  return x > 30 ? x + Math.log(q) + Math.log1p(((1 - q) / q) * Math.exp(-x)) : Math.log1p(q * Math.expm1(x));
}

/** The z at which l(z) is `loss`; −∞ where it is below all losses. */
function whereLoss(loss: number, q: number, variance: number): number {
  if (q === 1) return variance * loss + 0.5;
  const ratio = Math.expm1(loss) / q;
  return ratio <= -1 ? -Infinity : variance * (Number.isFinite(ratio) ? Math.log1p(ratio) : loss - Math.log(q)) + 0.5;
}
