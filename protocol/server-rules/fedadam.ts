/**
 * FedAdam (Reddi et al. 2021), without bias correction as there: d = round(mean), m' = round(beta1·m + (1 − beta1)·d),
 * s' = ceil(root(beta2·s² + (1 − beta2)·d²)), w' = w + round(eta·m'/(s' + tau)). `round` is to nearest, halves up. Of
 * the second moment the root s is kept, since the square does not fit int32. It is rounded up: the divisor is never
 * too small. The units of d, m, s and tau are finer than those of w, by MOMENT_BITS.
 */
import { ceilRoot, roundedQuotient } from "../integers.ts";
import type { DyadicRational } from "../integers.ts";
import { fixedPoint } from "../model.ts";
import type { ServerRule } from "./server-rule.ts";

const parameters = {
  /** eta, in units of the model: about how far one round moves a weight whose updates agree. */
  learningRate: { kind: "dyadic" },
  /** The share of the first moment that is kept. */
  beta1: { kind: "fraction" },
  /** The share of the second moment that is kept. */
  beta2: { kind: "fraction" },
  /** tau = 2^−tauBits, in units of the model, or one unit of the moments if that is more. */
  tauBits: { kind: "integer", least: 0, most: 24 },
} as const;

/**
 * Moments are in units of 2^−(fractionalBits + MOMENT_BITS). Rounding stops their decay, m at 1/(2·(1 − beta1)) of
 * these units and s at 2/(1 − beta2), which tau should exceed; moments beyond 2^27 units of a weight do not fit.
 */
const MOMENT_BITS = 4;

export const fedAdam: ServerRule<"fedadam", typeof parameters> = {
  name: "fedadam",
  parameters,
  keeps: ["firstMoment", "secondMomentRoot"],
  next({ weights, kept: [first, root] }, mean, { fractionalBits, learningRate, beta1, beta2, tauBits }) {
    const rate = BigInt(learningRate.numerator) << BigInt(fractionalBits);
    const tau = 1n << BigInt(Math.max(0, fractionalBits + MOMENT_BITS - tauBits));
    const moved = new Int32Array(weights.length);
    const firstMoment = new Int32Array(weights.length);
    const secondMomentRoot = new Int32Array(weights.length);
    for (let i = 0; i < weights.length; i++) {
      const update = roundedQuotient((BigInt(mean.sums[i]!) * mean.numerator) << BigInt(MOMENT_BITS), mean.denominator);
      const m = roundedQuotient(...average(BigInt(first![i]!), update, beta1));
      const s = ceilRoot(ceilQuotient(...average(BigInt(root![i]!) ** 2n, update ** 2n, beta2)));
      const step = roundedQuotient(rate * m, (s + tau) << BigInt(learningRate.denominatorBits));
      firstMoment[i] = fixedPoint(m, i);
      secondMomentRoot[i] = fixedPoint(s, i);
      moved[i] = fixedPoint(BigInt(weights[i]!) + step, i);
    }
    return { weights: moved, kept: [firstMoment, secondMomentRoot] };
  },
  largestMove(mean, { fractionalBits, learningRate, beta1, beta2, tauBits }) {
    const first = 1 - toNumber(beta1);
    const root = Math.sqrt(1 - toNumber(beta2));
    const tau = 2 ** Math.max(0, fractionalBits + MOMENT_BITS - tauBits);
    // From rest m' is at most first·d + 1/2, and s' at least root·d.
    const step = toNumber(learningRate) * 2 ** fractionalBits * Math.max(first / root, 1 / (2 * tau));
    return Math.max(step, mean * 2 ** MOMENT_BITS * Math.max(first, root));
  },
};

/** beta·old + (1 − beta)·latest, as numerator and denominator. */
function average(old: bigint, latest: bigint, beta: DyadicRational): [numerator: bigint, denominator: bigint] {
  const denominator = 1n << BigInt(beta.denominatorBits);
  const share = BigInt(beta.numerator);
  return [share * old + (denominator - share) * latest, denominator];
}

/** a/b rounded up, for a ≥ 0 and b > 0. */
function ceilQuotient(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

function toNumber({ numerator, denominatorBits }: DyadicRational): number {
  return numerator * 2 ** -denominatorBits;
}
