/** The gradient of each example of a batch, in the form that is small for each layer, folded over a network. */
import type { LayerExampleGradients, ScaledExample } from "./layers/layer.ts";

export interface ExampleGradients {
  /** One loss for each example. */
  readonly losses: Float64Array;
  readonly layers: readonly PlacedGradients[];
}

/** One layer's, and where its weights lie in the flat ones. */
export interface PlacedGradients {
  readonly start: number;
  readonly end: number;
  readonly gradients: LayerExampleGradients;
}

/** The squared L2 norm of one example's gradient; not finite if the gradient is not. */
export function squaredNormOf({ layers }: ExampleGradients, example: number): number {
  return layers.reduce((sum, { gradients }) => sum + gradients.normSquared(example), 0);
}

/** Adds trunc(scale · gradient), coordinate by coordinate, of each example listed to `sum`. */
export function addTruncated(
  sum: Float64Array,
  { layers }: ExampleGradients,
  examples: readonly ScaledExample[],
): void {
  for (const { start, end, gradients } of layers) gradients.addTruncated(sum.subarray(start, end), examples);
}
