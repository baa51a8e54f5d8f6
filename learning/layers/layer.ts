/**
 * What a layer is to the rest of the program. A kind of layer is one file in this folder and one entry in the list
 * registry.ts: descriptions, tensors, initial weights, both ways of training and the tests follow from these members.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { z } from "zod";
import { VerisumError } from "../../protocol/errors.ts";
import type { Operations } from "../export/operations.ts";
import type { NamedTensor } from "../safetensors.ts";
import type { SeededStream } from "../seeded-stream.ts";
import type { TensorFlow } from "../tensorflow.ts";

/** Values, units or channels along one side. */
export const width = z.int().min(1).max(65_536);

/** Examples that private training works on at a time, unless a layer needs much memory for each. */
export const USUAL_GROUP = 64;

/** Name and shape of one tensor of a layer or of the flat weights. */
export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A layer of one model: its kind's options, put on inputs of one shape. */
export interface Layer {
  /** Of one example. */
  readonly outputShape: readonly number[];
  /** What training changes, in the order of the flat weights. */
  readonly tensors: readonly ParameterShape[];
  /** Examples that private training may show this layer at a time; a multiple of 8. */
  readonly groupSize: number;
  /** Fills in the layer's part of the initial weights, which begins as zeros. */
  initial(weights: Float32Array, stream: SeededStream): void;
  /** From [examples, ...inputShape] to [examples, ...outputShape]. */
  forward(tf: TensorFlow, parameters: readonly Tensor[], input: Tensor, chance?: Chance): Tensor;
  /** Whether `forward` and `backward` make a use of chance. */
  readonly takesChance?: boolean;
  backward(tf: TensorFlow, pass: Pass): Backward;
  /** The same as `forward`, for programs that know nothing of this one. @param parameters in the order of `tensors` */
  express<Value>(operations: Operations<Value>, parameters: readonly NamedTensor[], input: Value): Value;
}

/** One layer's choices in one pass of training: the same stream from its beginning at each call. Absent in answers. */
export type Chance = () => SeededStream;

/** One layer's part in a forward pass, and what the layers behind it make of it. */
export interface Pass {
  readonly parameters: readonly Tensor[];
  readonly input: Tensor;
  readonly output: Tensor;
  /** The loss's gradient in the output. */
  readonly error: Tensor;
  /** What `forward` was given. */
  readonly chance?: Chance | undefined;
}

/** The loss's gradients in one layer; only those that are called for are computed. */
export interface Backward {
  /** In the input. */
  inputError(): Tensor;
  /** In each of the layer's tensors, summed over the batch. */
  gradients(): readonly Tensor[];
  /** In the layer's tensors, of each example alone. */
  exampleGradients(): LayerExampleGradients;
}

/** The gradient of each example in one layer, read back from the backend, in whatever form is small. */
export interface LayerExampleGradients {
  /** The squared L2 norm of one example's gradient; not finite if the gradient is not. */
  normSquared(example: number): number;
  /**
   * Adds trunc(scale · gradient), coordinate by coordinate, of each example listed.
   * @param sum the layer's part, in the order of its tensors
   */
  addTruncated(sum: Float64Array, examples: readonly ScaledExample[]): void;
}

/** An example and the factor for its gradient. */
export interface ScaledExample {
  readonly example: number;
  readonly scale: number;
}

/** The options of a kind, with its name as `kind`. */
type LayerSchema = z.ZodObject<{ kind: z.ZodLiteral<string> }>;

/** A small layer for the tests that every kind has to pass (test/learning/layers.test.ts). */
export interface TestCase<Description> {
  readonly inputShape: readonly [number] | readonly [height: number, width: number, channels: number];
  readonly layer: Description;
}

export interface LayerKind<Schema extends LayerSchema> {
  readonly schema: Schema;
  readonly testCases: readonly [TestCase<z.input<Schema>>, ...TestCase<z.input<Schema>>[]];
  /** @throws MODEL_DESCRIPTION_INVALID if the layer does not take inputs of this shape */
  build(options: z.output<Schema>, inputShape: readonly number[]): Layer;
}

/** Infers a kind's types from its schema. */
export function layerKind<Schema extends LayerSchema>(kind: LayerKind<Schema>): LayerKind<Schema> {
  return kind;
}

/** A layer that has nothing to train. */
export function withoutWeights({
  outputShape,
  forward,
  inputError,
  express,
}: {
  readonly outputShape: readonly number[];
  readonly forward: (tf: TensorFlow, input: Tensor, chance?: Chance) => Tensor;
  readonly inputError: (tf: TensorFlow, pass: Pass) => Tensor;
  readonly express: <Value>(operations: Operations<Value>, input: Value) => Value;
}): Layer {
  return {
    outputShape,
    tensors: [],
    groupSize: USUAL_GROUP,
    initial: () => undefined,
    forward: (tf, _, input, chance) => forward(tf, input, chance),
    backward: (tf, pass) => ({
      inputError: () => inputError(tf, pass),
      gradients: () => [],
      exampleGradients: () => ({ normSquared: () => 0, addTruncated: () => undefined }),
    }),
    express: (operations, _, input) => express(operations, input),
  };
}

/** Uniform in ±sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010). */
export function fillGlorot(
  kernel: Float32Array,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
  stream: SeededStream,
): void {
  const limit = Math.sqrt(6 / (inputs + outputs));
  for (let i = 0; i < kernel.length; i++) kernel[i] = (2 * stream.uniform() - 1) * limit;
}

/** A tensor of weights in a format's operations. */
export function held<Value>(operations: Operations<Value>, { data, shape }: NamedTensor): Value {
  return operations.constant(data, shape);
}

/** Of `length` values from `from` on. */
export function squaredLength(values: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += values[i]! * values[i]!;
  return sum;
}

export function invalidModel(message: string, details: Readonly<Record<string, number>> = {}): VerisumError {
  return new VerisumError("MODEL_DESCRIPTION_INVALID", message, details);
}
