/** A model's loss and gradient by TensorFlow.js. Weights and gradients cross this file's border as flat arrays only. */
import * as tf from "@tensorflow/tfjs-core";
import type { ExampleGradients } from "./example-gradients.ts";
import type { Answers } from "./heads/head.ts";
import { headOf } from "./heads/registry.ts";
import type { Backward, Layer, Pass } from "./layers/layer.ts";
import { inputSizeOf, layersOf, weightCountOf } from "./model.ts";
import type { Model } from "./model.ts";
import { seededStream } from "./seeded-stream.ts";
import { sizeOf } from "./shape.ts";
import { scoped } from "./tensorflow.ts";

/** Examples, one after the other, with what is to be answered. */
export interface Batch extends Answers {
  readonly features: Float32Array;
}

export interface Network {
  /** Examples to give to `exampleGradients` at a time, which bounds its memory; a multiple of 8. */
  readonly groupSize: number;
  /** Whether passes of training make a use of chance, and want a seed for it. */
  readonly takesChance: boolean;
  /** Mean loss over a batch and its gradient in the weights. @param seed of the pass's choices; without it, none */
  lossAndGradient(
    weights: Float32Array,
    batch: Batch,
    seed?: number,
  ): { readonly loss: number; readonly gradient: Float32Array };
  /**
   * The gradient of each example's own loss. On wasm and cpu, one example's result does not depend on the others nor on
   * its place, bit for bit, in batches of one size that is a multiple of 8; with a seed, on its place alone.
   */
  exampleGradients(weights: Float32Array, batch: Batch, seed?: number): ExampleGradients;
  /** What the last layer gives, [batch, outputCount]: of classes, their scores before softmax. */
  outputs(weights: Float32Array, features: Float32Array): Float32Array;
}

/** A layer and where its weights lie in the flat ones. */
interface PlacedLayer {
  readonly layer: Layer;
  readonly start: number;
  readonly end: number;
}

/** What the forward pass keeps of a layer for the backward pass. */
type Kept = Omit<Pass, "error">;

/** All tensors made in a call are freed before it returns. */
export function createNetwork(model: Model): Network {
  const layers = placed(layersOf(model));
  const head = headOf(model);
  const forward = (weights: Float32Array, features: Float32Array, seed?: number): Kept[] => {
    const input = tf.tensor(features, [features.length / inputSizeOf(model), ...model.inputShape]);
    return forwardThrough(layers, weights, input, seed);
  };
  const backward = (passes: readonly Kept[], scoreGradient: Float32Array): LayerBackward[] =>
    backwardThrough(
      layers,
      passes,
      tf.tensor2d(scoreGradient, [scoreGradient.length / head.outputCount, head.outputCount]),
    );

  return {
    groupSize: layers.reduce((least, { layer }) => Math.min(least, layer.groupSize), Infinity),
    takesChance: layers.some(({ layer }) => layer.takesChance === true),
    lossAndGradient: (weights, { features, ...answers }, seed) =>
      scoped(tf, () => {
        const passes = forward(weights, features, seed);
        const { losses, errors } = head.losses(scoresOf(passes), answers);
        const loss = losses.reduce((a, b) => a + b, 0) / losses.length;
        const scoreGradient = errors.map((error) => error / losses.length);
        const gradient = new Float32Array(weights.length);
        for (const { start, gradients } of backward(passes, scoreGradient)) {
          let at = start;
          for (const part of gradients.gradients()) {
            gradient.set(part.dataSync(), at);
            at += part.size;
          }
        }
        return { loss, gradient };
      }),
    exampleGradients: (weights, { features, ...answers }, seed) =>
      scoped(tf, () => {
        const passes = forward(weights, features, seed);
        const { losses, errors } = head.losses(scoresOf(passes), answers);
        return {
          losses,
          layers: backward(passes, errors).map(({ start, end, gradients }) => ({
            start,
            end,
            gradients: gradients.exampleGradients(),
          })),
        };
      }),
    outputs: (weights, features) => scoped(tf, () => scoresOf(forward(weights, features))),
  };
}

function placed(layers: readonly Layer[]): PlacedLayer[] {
  let end = 0;
  return layers.map((layer) => ({ layer, start: end, end: (end += weightCountOf(layer)) }));
}

function scoresOf(passes: readonly Kept[]): Float32Array {
  return passes.at(-1)!.output.dataSync() as Float32Array;
}

function forwardThrough(
  layers: readonly PlacedLayer[],
  weights: Float32Array,
  features: tf.Tensor,
  seed: number | undefined,
): Kept[] {
  let input = features;
  return layers.map(({ layer, start }, place) => {
    const parameters = parametersOf(layer, weights, start);
    const chance = seed === undefined ? undefined : () => seededStream(`layer-${place}`, seed);
    const output = layer.forward(tf, parameters, input, chance);
    const kept = { parameters, input, output, chance };
    input = output;
    return kept;
  });
}

function parametersOf({ tensors }: Layer, weights: Float32Array, start: number): tf.Tensor[] {
  let end = start;
  return tensors.map(({ shape }) => {
    const from = end;
    end += sizeOf(shape);
    return tf.tensor(weights.slice(from, end), [...shape]);
  });
}

interface LayerBackward {
  readonly start: number;
  readonly end: number;
  readonly gradients: Backward;
}

/** Of the layers with weights, in order; errors go back no further than to the first of them. */
function backwardThrough(
  layers: readonly PlacedLayer[],
  passes: readonly Kept[],
  scoreGradient: tf.Tensor,
): LayerBackward[] {
  const results: LayerBackward[] = [];
  const first = layers.findIndex(({ start, end }) => end > start);
  let error = scoreGradient;
  for (let i = layers.length - 1; i >= first; i--) {
    const { layer, start, end } = layers[i]!;
    const gradients = layer.backward(tf, { ...passes[i]!, error });
    if (end > start) results.unshift({ start, end, gradients });
    if (i > first) error = gradients.inputError();
  }
  return results;
}
