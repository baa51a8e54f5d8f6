/** A model's flat weights as named tensors, and back. */
import { ensure } from "../protocol/errors.ts";
import type { ParameterShape } from "./layers/layer.ts";
import type { NamedTensor } from "./safetensors.ts";
import { sizeOf } from "./shape.ts";

/** Cuts the flat weights into tensors; no copies. */
export function cutWeights(shapes: readonly ParameterShape[], weights: Float32Array): NamedTensor[] {
  let end = 0;
  return shapes.map(({ name, shape }) => {
    const start = end;
    end += sizeOf(shape);
    return { name, shape, data: weights.subarray(start, end) };
  });
}

/**
 * The flat weights of tensors in any order: exactly those named, each of its shape.
 * @throws TRAINER_UPDATE_INVALID, or the code given, naming the tensor
 */
export function joinWeights(
  shapes: readonly ParameterShape[],
  tensors: readonly NamedTensor[],
  code: "TRAINER_UPDATE_INVALID" | "MODEL_INITIAL_INVALID" | "CHECKPOINT_INVALID" = "TRAINER_UPDATE_INVALID",
): Float32Array {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const known = new Set(shapes.map(({ name }) => name));
  const stranger = tensors.find(({ name }) => !known.has(name));
  ensure(stranger === undefined, code, `the model has no tensor ${stranger?.name} to train`);
  const weights = new Float32Array(shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let at = 0;
  for (const { name, shape } of shapes) {
    const tensor = byName.get(name);
    ensure(tensor !== undefined, code, `tensor ${name} is missing`);
    ensure(
      tensor.shape.join() === shape.join() && tensor.data.length === sizeOf(shape),
      code,
      `tensor ${name} has the shape ${shapeText(tensor.shape)}, and the model's has ${shapeText(shape)}`,
    );
    weights.set(tensor.data, at);
    at += tensor.data.length;
  }
  return weights;
}

/** `3×4`; a scalar has no sides. */
function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "of a scalar" : shape.join("×");
}
