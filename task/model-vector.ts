/**
 * A model as the vector that a task sums, and what of it is weights: with an adaptive clip norm its last coordinate is
 * the level (protocol/clip-level.ts).
 */
import { boundedLevel, scaleFactor, stepScaleOf } from "../protocol/clip-level.ts";
import { VerisumError } from "../protocol/errors.ts";
import { floatWeights } from "../protocol/model.ts";
import type { ModelState } from "../protocol/model.ts";
import type { ServerStep } from "../protocol/next-model.ts";
import { coordinateOffset, PRESETS } from "../protocol/parameters.ts";
import { ruleOf } from "../protocol/server-rules/registry.ts";
import type { TaskDocument } from "./document.ts";

/** How far one round may move one weight, in units of 2^−fractionalBits: a sixteenth of what a weight holds. */
const LARGEST_MOVE = 2 ** 27;

/** Coordinates of a model's vector: its weights and, with an adaptive clip norm, the level. */
export function dimensionOf({ quantisation }: Pick<TaskDocument, "quantisation">, weightCount: number): number {
  return weightCount + (quantisation.adaptive === undefined ? 0 : 1);
}

/** The float32 weights that participants train from and measure, without the level. */
export function weightsOf(
  { quantisation, server }: Pick<TaskDocument, "quantisation" | "server">,
  state: ModelState,
): Float32Array {
  const weights = floatWeights(state, server.fractionalBits);
  return quantisation.adaptive === undefined ? weights : weights.slice(0, -1);
}

/** How a sum moves the task's model. */
export function serverStepOf({ quantisation, server }: Pick<TaskDocument, "quantisation" | "server">): ServerStep {
  return {
    ...server,
    stepBits: quantisation.stepBits,
    ...(quantisation.adaptive === undefined ? {} : { adaptiveClip: quantisation.adaptive }),
  };
}

/** How many of the document's steps one step is in a round from this model: 1 unless the clip norm is adaptive. */
export function stepScale({ quantisation }: Pick<TaskDocument, "quantisation">, base: ModelState): number {
  const { adaptive } = quantisation;
  return adaptive === undefined ? 1 : scaleFactor(stepScaleOf(boundedLevel(base.weights.at(-1)!, adaptive)));
}

/** The L2 norm to which updates are clipped in a round from this model, in units of its weights. */
export function clipNormOf(document: Pick<TaskDocument, "quantisation">, base: ModelState): number {
  return document.quantisation.clipSteps * 2 ** -document.quantisation.stepBits * stepScale(document, base);
}

/**
 * At the longest step that an adaptive clip norm can reach, the largest mean still moves a weight by far less than it
 * can hold. @throws PARAMETERS_INVALID
 */
export function assertStepsFit({
  preset,
  quantisation,
  server,
}: Pick<TaskDocument, "preset" | "quantisation" | "server">): void {
  if (quantisation.adaptive === undefined) return;
  const largestMean =
    coordinateOffset(PRESETS[preset]) *
    2 ** (quantisation.adaptive.maxOctaves + server.fractionalBits - quantisation.stepBits);
  const largestMove = ruleOf(server).largestMove(largestMean);
  if (largestMove > LARGEST_MOVE) {
    throw new VerisumError(
      "PARAMETERS_INVALID",
      "with this learning rate, maxOctaves and fractionalBits one round can leave the weights' range",
      { largestMove },
    );
  }
}
