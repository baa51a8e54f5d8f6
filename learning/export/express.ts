/** A whole model in the operations of a format. */
import { headOf } from "../heads/registry.ts";
import { layersOf } from "../model.ts";
import type { Model } from "../model.ts";
import { cutWeights } from "../named-tensors.ts";
import type { Operations } from "./operations.ts";

export interface Expressed<Value> {
  /** What the last layer gives: of classes, their scores before softmax. */
  readonly outputs: Value;
  /** Probabilities of the classes, or the number itself. */
  readonly predictions: Value;
}

/** @param weights flat, as many as the model has */
export function expressModel<Value>(
  model: Model,
  weights: Float32Array,
  operations: Operations<Value>,
  input: Value,
): Expressed<Value> {
  let at = 0;
  let outputs = input;
  for (const layer of layersOf(model)) {
    const parameters = cutWeights(layer.tensors, weights.subarray(at));
    at += parameters.reduce((sum, { data }) => sum + data.length, 0);
    outputs = layer.express(operations, parameters, outputs);
  }
  return { outputs, predictions: headOf(model).express(operations, outputs) };
}
