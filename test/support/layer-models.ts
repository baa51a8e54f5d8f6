/** A small model around every test case of every kind of layer. */
import { LAYER_KINDS } from "../../learning/layers/registry.ts";
import type { LayerDescription } from "../../learning/layers/registry.ts";
import { initialWeightsOf, parseModel } from "../../learning/model.ts";
import type { Model } from "../../learning/model.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { sizeOf } from "../../learning/shape.ts";

export const CLASSES = 3;

export interface LayerModel {
  readonly name: string;
  readonly model: Model;
  readonly inputSize: number;
}

/** The layer with weights before it, so that its own input's gradient counts, and a score for each class behind it. */
function modelAround(inputShape: readonly number[], layer: LayerDescription): Model {
  const before: LayerDescription =
    inputShape.length === 1
      ? { kind: "dense", units: inputShape[0]! }
      : { kind: "convolution", filters: inputShape[2]!, kernelSize: 1 };
  const layers = [before, layer, { kind: "flatten" }, { kind: "dense", units: CLASSES }];
  return parseModel({ kind: "layers", inputShape, layers, classCount: CLASSES });
}

export const LAYER_MODELS: readonly LayerModel[] = LAYER_KINDS.flatMap(({ testCases }) =>
  testCases.map(({ inputShape, layer }) => ({
    name: `${JSON.stringify(layer)} on ${inputShape.join("×")}`,
    model: modelAround(inputShape, layer),
    inputSize: sizeOf(inputShape),
  })),
);

/** Weights off the special values that a layer may start from: biases of zero, gains of one. */
export function unusualWeights(model: Model): Float32Array {
  const stream = seededStream("test-weights", 1);
  return initialWeightsOf(model, 1).map((value) => value + 0.2 * stream.normal());
}
