/**
 * FedAvg with server momentum (McMahan et al. 2017; Hsu, Qi, Brown 2019): v' = round(mu·v) + round(eta·mean), w' = w +
 * v'. `round` is to nearest, halves up. With momentum 0 it is plain FedAvg.
 */
import { roundedQuotient } from "../integers.ts";
import { fixedPoint } from "../model.ts";
import type { ServerRule } from "./server-rule.ts";

const parameters = {
  /** eta, applied to the weighted mean of the updates. */
  learningRate: { kind: "dyadic" },
  /** mu: the share of the last velocity that is kept. */
  momentum: { kind: "dyadic" },
} as const;

export const fedAvgM: ServerRule<"fedavgm", typeof parameters> = {
  name: "fedavgm",
  parameters,
  keeps: ["velocity"],
  next({ weights, kept: [last] }, { sums, numerator, denominator }, { learningRate, momentum }) {
    const stepNumerator = numerator * BigInt(learningRate.numerator);
    const stepDenominator = denominator << BigInt(learningRate.denominatorBits);
    const keptNumerator = BigInt(momentum.numerator);
    const keptDenominator = 1n << BigInt(momentum.denominatorBits);
    const moved = new Int32Array(weights.length);
    const velocity = new Int32Array(weights.length);
    for (let i = 0; i < weights.length; i++) {
      const step = roundedQuotient(BigInt(sums[i]!) * stepNumerator, stepDenominator);
      const kept = roundedQuotient(BigInt(last![i]!) * keptNumerator, keptDenominator);
      velocity[i] = fixedPoint(step + kept, i);
      moved[i] = fixedPoint(BigInt(weights[i]!) + step + kept, i);
    }
    return { weights: moved, kept: [velocity] };
  },
  largestMove: (mean, { learningRate: { numerator, denominatorBits } }) => mean * numerator * 2 ** -denominatorBits,
};
