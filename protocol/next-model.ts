/** A task's first model and the one after each round, by its document's server rule (docs/protocol.md, section 6). */
import { boundedLevel, nextLevel, SCALE_BITS, stepScaleOf } from "./clip-level.ts";
import type { AdaptiveClip } from "./clip-level.ts";
import { VerisumError } from "./errors.ts";
import { fixedPoint } from "./model.ts";
import type { ModelState } from "./model.ts";
import { ruleOf } from "./server-rules/registry.ts";
import type { ServerSettings } from "./server-rules/registry.ts";
import type { MeanUpdate } from "./server-rules/server-rule.ts";

/** How a sum moves the model: by which rule, and in which steps the sum is. */
export type ServerStep = ServerSettings & {
  /** Bits after the binary point of one quantisation step. */
  readonly stepBits: number;
  /** The last weight is the level of the step, and the last sum the clients' votes on it. */
  readonly adaptiveClip?: AdaptiveClip;
};

/**
 * The state of a model at the start of a task, at rest.
 * @param levels zeros behind the weights: 1 with an adaptive clip norm, else 0
 * @throws UPDATE_NOT_FINITE, MODEL_OVERFLOW
 */
export function initialState(weights: Float32Array, server: ServerSettings, levels: 0 | 1 = 0): ModelState {
  const fixed = new Int32Array(weights.length + levels);
  for (let i = 0; i < weights.length; i++) {
    const scaled = Math.round(weights[i]! * 2 ** server.fractionalBits);
    if (!Number.isFinite(scaled)) throw new VerisumError("MODEL_NOT_FINITE", `weight ${i} is not finite`, { index: i });
    fixed[i] = fixedPoint(BigInt(scaled), i);
  }
  return { weights: fixed, kept: ruleOf(server).keeps.map(() => new Int32Array(fixed.length)) };
}

/**
 * The state after a round. With an adaptive clip norm a step is as long as the state's level says, and the rule has no
 * part in the level.
 *
 * @param sums weighted sums of quantised coordinates, in steps
 * @param totalWeight W, the sum of the included clients' weights
 * @throws PARAMETERS_INVALID for a total weight below 1; UPDATE_LENGTH; MODEL_OVERFLOW
 */
export function nextModel(state: ModelState, sums: Int32Array, totalWeight: number, step: ServerStep): ModelState {
  const rule = ruleOf(step);
  assertSum(state, sums, totalWeight, rule.keeps.length);
  const { adaptiveClip } = step;
  if (adaptiveClip === undefined) return rule.next(state, meanUpdate(sums, totalWeight, step, 0));
  const trained = sums.length - 1;
  const level = state.weights[trained]!;
  const next = rule.next(
    { weights: state.weights.subarray(0, trained), kept: state.kept.map((vector) => vector.subarray(0, trained)) },
    meanUpdate(sums.subarray(0, trained), totalWeight, step, boundedLevel(level, adaptiveClip)),
  );
  return {
    weights: followedBy(next.weights, nextLevel(level, sums[trained]!, totalWeight, adaptiveClip)),
    kept: next.kept.map((vector) => followedBy(vector, 0)),
  };
}

/** @param level of the step, bounded */
function meanUpdate(
  sums: Int32Array,
  totalWeight: number,
  { fractionalBits, stepBits }: ServerStep,
  level: number,
): MeanUpdate {
  const scale = stepScaleOf(level);
  const shift = fractionalBits - stepBits + scale.octaves - SCALE_BITS;
  return {
    sums,
    numerator: BigInt(scale.mantissa) << BigInt(Math.max(shift, 0)),
    denominator: BigInt(totalWeight) << BigInt(Math.max(-shift, 0)),
  };
}

function followedBy(vector: Int32Array, last: number): Int32Array {
  const longer = new Int32Array(vector.length + 1);
  longer.set(vector);
  longer[vector.length] = last;
  return longer;
}

function assertSum({ weights, kept }: ModelState, sums: Int32Array, totalWeight: number, keptCount: number): void {
  if (!Number.isSafeInteger(totalWeight) || totalWeight < 1) {
    throw new VerisumError("PARAMETERS_INVALID", `a sum of total weight ${totalWeight} has no mean`, { totalWeight });
  }
  const dimension = weights.length;
  const odd = [sums, ...kept].find(({ length }) => length !== dimension);
  if (odd !== undefined || kept.length !== keptCount) {
    throw new VerisumError(
      "UPDATE_LENGTH",
      `model of ${dimension} weights and ${keptCount} kept vectors, sum of ${sums.length} and ${kept.length} vectors`,
      { expected: dimension, actual: odd?.length ?? dimension },
    );
  }
}
