/**
 * One number. Losses are of the scaled target, as training sees it; errors are reported in the data's own unit, beside
 * what always answering the mean of the same examples would reach.
 */
import { z } from "zod";
import type { RegressionEvaluation } from "../evaluation.ts";
import { meanOf } from "./mean.ts";
import type { Head } from "./head.ts";

export const regressionSchema = z.strictObject({
  kind: z.literal("regression"),
  /** `squared`: half the squared error. `huber` (Huber 1964): the same below 1 in the target's scale, linear above. */
  loss: z.enum(["squared", "huber"]).default("squared"),
});
export type RegressionOptions = z.output<typeof regressionSchema>;

/** Distance, in the target's scale, up to which Huber's loss is the squared one. */
const HUBER_DISTANCE = 1;

export function regressionHead({ loss }: RegressionOptions): Head {
  const isLinear = (distance: number): boolean => loss === "huber" && Math.abs(distance) > HUBER_DISTANCE;
  const lossAt = (distance: number): number =>
    isLinear(distance) ? HUBER_DISTANCE * (Math.abs(distance) - HUBER_DISTANCE / 2) : (distance * distance) / 2;
  const slopeAt = (distance: number): number => (isLinear(distance) ? Math.sign(distance) * HUBER_DISTANCE : distance);
  return {
    outputCount: 1,
    answers: "a number",
    takes: ({ targets }) => targets !== undefined,
    losses: (outputs, { targets, weights }) => {
      const distances = Float64Array.from(outputs, (output, i) => output - targets![i]!);
      return {
        losses: distances.map((distance, i) => lossAt(distance) * (weights?.[i] ?? 1)),
        errors: Float32Array.from(distances, (distance, i) => slopeAt(distance) * (weights?.[i] ?? 1)),
      };
    },
    combine: meanOf,
    predictions: (outputs) => outputs,
    express: (_, outputs) => outputs,
    expressOutputs: (_, predictions) => predictions,
    tally: ({ targets, targetScaling: { mean, stdDev } = { mean: 0, stdDev: 1 } }) => {
      const rows: { readonly target: number; readonly error: number }[] = [];
      return {
        add: (example, [output = NaN]) => {
          const target = targets![example]!;
          rows.push({ target: mean + stdDev * target, error: stdDev * (output - target) });
        },
        evaluation: (loss) => evaluationOf(rows, loss),
      };
    },
  };
}

function evaluationOf(
  rows: readonly { readonly target: number; readonly error: number }[],
  loss: number,
): RegressionEvaluation {
  const mean = meanOver(rows, ({ target }) => target);
  const squaredError = meanOver(rows, ({ error }) => error * error);
  const variance = meanOver(rows, ({ target }) => (target - mean) ** 2);
  return {
    rootMeanSquaredError: Math.sqrt(squaredError),
    meanAbsoluteError: meanOver(rows, ({ error }) => Math.abs(error)),
    r2: variance === 0 ? null : 1 - squaredError / variance,
    baselineError: Math.sqrt(variance),
    loss,
  };
}

function meanOver<T>(rows: readonly T[], value: (row: T) => number): number {
  return rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
}
