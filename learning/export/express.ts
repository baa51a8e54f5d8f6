/** A whole model in the operations of a format. */
import { headOf } from "../heads/registry.ts";
import { layersOf, parameterCountOf } from "../model.ts";
import type { Model } from "../model.ts";
import { cutWeights } from "../named-tensors.ts";
import type { Operations } from "./operations.ts";

export interface Expressed<Value> {
  /** What the last layer gives: of classes, their scores before softmax. */
  readonly outputs: Value;
  /** Probabilities of the classes, or the number itself. */
  readonly predictions: Value;
}

/**
 * @param model one, or one member of an ensemble
 * @param weights flat: those of all members, one after the other
 */
export function expressModel<Value>(
  model: Model,
  weights: Float32Array,
  operations: Operations<Value>,
  input: Value,
): Expressed<Value> {
  const size = parameterCountOf(model);
  const count = weights.length / size;
  const members = Array.from({ length: count }, (_, i) =>
    expressMember(model, weights.subarray(i * size, (i + 1) * size), operations, input),
  );
  const [first, ...others] = members;
  if (others.length === 0) return first!;
  const sum = others.reduce((total, { predictions }) => operations.add(total, predictions), first!.predictions);
  const predictions = operations.multiply(sum, operations.constant(Float32Array.of(1 / count), [1]));
  return { outputs: headOf(model).expressOutputs(operations, predictions), predictions };
}

function expressMember<Value>(
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
