/**
 * The channels of an image in groups of neighbours: each example's values in a group, over all pixels, brought to mean
 * 0 and variance 1, then a gain and a bias for each channel (Wu and He 2018, "Group Normalization").
 */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { TensorFlow } from "../tensorflow.ts";
import { errorBeforeNormalisation, expressNormalised, normaliseRows } from "./layer-normalisation.ts";
import { held, invalidModel, layerKind, squaredLength, USUAL_GROUP, width } from "./layer.ts";
import type { LayerExampleGradients } from "./layer.ts";

export const groupNormalisation = layerKind({
  schema: z.strictObject({
    kind: z.literal("groupNormalisation"),
    /** Of channels, equally many in each. */
    groups: width,
    /** Added to the variance, so that equal values do not divide by zero. */
    epsilon: z.number().min(1e-12).max(1).default(1e-5),
  }),
  testCases: [
    { inputShape: [3, 2, 4], layer: { kind: "groupNormalisation", groups: 2 } },
    { inputShape: [2, 4, 3], layer: { kind: "groupNormalisation", groups: 3 } },
    { inputShape: [2, 2, 3], layer: { kind: "groupNormalisation", groups: 1, epsilon: 0.1 } },
  ],
  build: ({ groups, epsilon }, inputShape) => {
    const [height = 0, width = 0, channels = 0] = inputShape;
    if (inputShape.length !== 3) throw invalidModel("group normalisation takes images: height, width, channels");
    if (channels % groups !== 0) throw invalidModel("the groups do not divide the channels", { groups, channels });
    const layout = { pixels: height * width, groups, channelsInGroup: channels / groups };
    return {
      outputShape: inputShape,
      tensors: [
        { name: "gain", shape: [channels] },
        { name: "bias", shape: [channels] },
      ],
      groupSize: USUAL_GROUP,
      initial: (weights) => void weights.fill(1, 0, channels),
      forward: (tf, [gain, bias], input) => {
        const { normalised } = normaliseRows(tf, groupRows(tf, input, layout), epsilon);
        return tf.add(tf.mul(imagesOf(tf, normalised, layout, input.shape), gain!), bias!);
      },
      backward: (tf, { parameters: [gain], input, error }) => {
        const rows = normaliseRows(tf, groupRows(tf, input, layout), epsilon);
        const gainErrors = (): Tensor => tf.mul(error, imagesOf(tf, rows.normalised, layout, input.shape));
        return {
          inputError: () => {
            const errorAfter = groupRows(tf, tf.mul(error, gain!), layout);
            return imagesOf(tf, errorBeforeNormalisation(tf, rows, errorAfter), layout, input.shape);
          },
          gradients: () => [tf.sum(gainErrors(), [0, 1, 2]), tf.sum(error, [0, 1, 2])],
          exampleGradients: () => {
            const overPixels = (values: Tensor): Float32Array => tf.sum(values, [1, 2]).dataSync() as Float32Array;
            return channelGradients(channels, overPixels(gainErrors()), overPixels(error));
          },
        };
      },
      express: (operations, [gain, bias], input) => {
        const apart = operations.reshape(input, [height * width, groups, channels / groups]);
        const normalised = operations.reshape(expressNormalised(operations, apart, [1, 3], epsilon), inputShape);
        return operations.add(operations.multiply(normalised, held(operations, gain!)), held(operations, bias!));
      },
    };
  },
});

interface Layout {
  readonly pixels: number;
  readonly groups: number;
  readonly channelsInGroup: number;
}

/** [examples, height, width, channels] as a row for each example and group. */
function groupRows(tf: TensorFlow, images: Tensor, { pixels, groups, channelsInGroup }: Layout): Tensor2D {
  const apart = tf.reshape(images, [images.shape[0], pixels, groups, channelsInGroup]);
  return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [images.shape[0] * groups, pixels * channelsInGroup]);
}

/** Undoes `groupRows`. */
function imagesOf(
  tf: TensorFlow,
  rows: Tensor2D,
  { pixels, groups, channelsInGroup }: Layout,
  shape: readonly number[],
): Tensor {
  const apart = tf.reshape(rows, [shape[0]!, groups, pixels, channelsInGroup]);
  return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [...shape]);
}

/** @param gain the examples' gradients in the gain, [examples, channels]; `bias` likewise */
function channelGradients(channels: number, gain: Float32Array, bias: Float32Array): LayerExampleGradients {
  return {
    normSquared: (example) =>
      squaredLength(gain, example * channels, channels) + squaredLength(bias, example * channels, channels),
    addTruncated: (sum, examples) => {
      for (const { example, scale } of examples) {
        for (let k = 0, i = example * channels; k < channels; k++, i++) {
          sum[k] = sum[k]! + Math.trunc(gain[i]! * scale);
          sum[channels + k] = sum[channels + k]! + Math.trunc(bias[i]! * scale);
        }
      }
    },
  };
}
