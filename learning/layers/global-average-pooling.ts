/** The mean of each channel over all pixels or steps: a row, whatever the image's size (Lin, Chen and Yan 2014). */
import { z } from "zod";
import { invalidModel, layerKind, withoutWeights } from "./layer.ts";

export const globalAveragePooling = layerKind({
  schema: z.strictObject({ kind: z.literal("globalAveragePooling") }),
  testCases: [
    { inputShape: [3, 4, 2], layer: { kind: "globalAveragePooling" } },
    { inputShape: [5, 1, 3], layer: { kind: "globalAveragePooling" } },
  ],
  build: (_, inputShape) => {
    const [height = 0, width = 0, channels = 0] = inputShape;
    if (inputShape.length !== 3) throw invalidModel("global pooling takes images: height, width, channels");
    return withoutWeights({
      outputShape: [channels],
      forward: (tf, input) => tf.mean(input, [1, 2]),
      inputError: (tf, { input, error }) => {
        const shared = tf.reshape(tf.div(error, height * width), [error.shape[0], 1, 1, channels]);
        return tf.mul(shared, tf.onesLike(input));
      },
      express: (operations, input) => operations.reshape(operations.mean(input, [1, 2]), [channels]),
    });
  },
});
