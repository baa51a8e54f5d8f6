/** Convolution along series, [steps, 1, channels] as the formats of series give them; stride 1, no padding. */
import { z } from "zod";
import { activationName } from "./activation.ts";
import { convolutionOf } from "./convolution.ts";
import { invalidModel, layerKind, width } from "./layer.ts";

export const convolution1d = layerKind({
  schema: z.strictObject({
    kind: z.literal("convolution1d"),
    /** Output channels. */
    filters: width,
    /** Steps that one output sees. */
    kernelSize: z.int().min(1).max(256).default(3),
    activation: activationName.optional(),
  }),
  testCases: [
    { inputShape: [6, 1, 2], layer: { kind: "convolution1d", filters: 3 } },
    { inputShape: [5, 1, 1], layer: { kind: "convolution1d", filters: 2, kernelSize: 2, activation: "relu" } },
    { inputShape: [4, 1, 2], layer: { kind: "convolution1d", filters: 2, kernelSize: 4, activation: "tanh" } },
  ],
  build: ({ filters, kernelSize, activation }, inputShape) => {
    const [steps = 0, width = 0] = inputShape;
    if (inputShape.length !== 3 || width !== 1) throw invalidModel("convolution1d takes series: steps, 1, channels");
    if (steps < kernelSize) throw invalidModel("the convolutions leave no step of the series");
    return convolutionOf({ window: [kernelSize, 1], filters, activation }, inputShape);
  },
});
