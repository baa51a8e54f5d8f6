/** Functions of single values, as a layer of their own and as the end of a dense or convolutional one. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { Operations } from "../export/operations.ts";
import type { TensorFlow } from "../tensorflow.ts";
import { layerKind, withoutWeights } from "./layer.ts";

export const activationName = z.enum(["relu", "tanh"]);
export type ActivationName = z.infer<typeof activationName>;

interface ActivationFunction {
  /** Whether the backends' matrix products and convolutions can end with it, at no cost. */
  readonly isFused: boolean;
  apply<T extends Tensor>(tf: TensorFlow, x: T): T;
  /** The derivative, from the function's value. */
  slopeAt(tf: TensorFlow, output: Tensor): Tensor;
  express<Value>(operations: Operations<Value>, x: Value): Value;
}

const ACTIVATIONS: Readonly<Record<ActivationName, ActivationFunction>> = {
  relu: {
    isFused: true,
    apply: (tf, x) => tf.relu(x),
    slopeAt: (tf, output) => tf.step(output),
    express: (operations, x) => operations.relu(x),
  },
  tanh: {
    isFused: false,
    apply: (tf, x) => tf.tanh(x),
    slopeAt: (tf, output) => tf.sub(1, tf.square(output)),
    express: (operations, x) => operations.tanh(x),
  },
};

/** An activation at the end of another layer; none leaves values as they are. */
export interface FinalActivation {
  /** What the layer's own kernel is to compute with. */
  readonly fused: "relu" | "linear";
  /** What is left to do with the kernel's result. */
  apply<T extends Tensor>(tf: TensorFlow, x: T): T;
  /** The loss's gradient before the activation, from that in its output. */
  errorBefore<T extends Tensor>(tf: TensorFlow, output: Tensor, error: T): T;
  express<Value>(operations: Operations<Value>, x: Value): Value;
}

const LINEAR: FinalActivation = {
  fused: "linear",
  apply: (_, x) => x,
  errorBefore: (_, _output, error) => error,
  express: (_, x) => x,
};

export function finalActivation(name: ActivationName | undefined): FinalActivation {
  if (name === undefined) return LINEAR;
  const { isFused, apply, slopeAt, express } = ACTIVATIONS[name];
  return {
    fused: isFused ? (name as "relu") : "linear",
    apply: isFused ? LINEAR.apply : apply,
    errorBefore: (tf, output, error) => tf.mul(error, slopeAt(tf, output)),
    express,
  };
}

export const activation = layerKind({
  schema: z.strictObject({ kind: z.literal("activation"), function: activationName }),
  testCases: [
    { inputShape: [5], layer: { kind: "activation", function: "relu" } },
    { inputShape: [3, 2, 2], layer: { kind: "activation", function: "tanh" } },
  ],
  build: ({ function: name }, inputShape) => {
    const { apply, slopeAt, express } = ACTIVATIONS[name];
    return withoutWeights({
      outputShape: inputShape,
      forward: apply,
      inputError: (tf, { output, error }) => tf.mul(error, slopeAt(tf, output)),
      express,
    });
  },
});
