/** Models as plain JSON: what a task's document says, and the tensors that follow from it. */
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import { seededStream } from "./seeded-stream.ts";

const MAX_PARAMETERS = 50_000_000;
const width = z.int().min(1).max(65_536);
/**
 * Between layers. ReLU if absent, also where a document is written down: documents from before there was a choice keep
 * their digests.
 */
const activation = z.enum(["relu", "tanh"]).optional();

const mlpSchema = z.strictObject({
  kind: z.literal("mlp"),
  inputShape: z.array(width).min(1).max(4),
  /** Units of each hidden layer; empty for a linear model. */
  hidden: z.array(width).max(8),
  activation,
  classCount: z.int().min(2).max(65_536),
});

const cnnSchema = z.strictObject({
  kind: z.literal("cnn"),
  /** Height, width, channels. */
  inputShape: z.tuple([width, width, width]),
  /** Output channels of each convolution (no padding, stride 1). */
  filters: z.array(width).min(1).max(8),
  kernelSize: z.int().min(1).max(11).default(3),
  /** Side of the max pooling window after the last convolution; 1 for none. */
  poolSize: z.int().min(1).max(8).default(2),
  /** Units of each dense hidden layer. */
  dense: z.array(width).max(8),
  activation,
  classCount: z.int().min(2).max(65_536),
});

export const modelSchema = z.discriminatedUnion("kind", [mlpSchema, cnnSchema]);

/** A model as written in a task's document. */
export type ModelDescription = z.input<typeof modelSchema>;
/** A model with its defaults filled in. */
export type Model = z.output<typeof modelSchema>;
/** What follows every convolution and every dense layer but the last. */
export type Activation = NonNullable<Model["activation"]>;

/** Name and shape of one tensor of the flat weights. */
export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** One layer with weights. */
export type Layer =
  | { readonly kind: "convolution"; readonly kernelShape: readonly [number, number, number, number] }
  | { readonly kind: "dense"; readonly inputs: number; readonly outputs: number };

/** The digits model of the quick start: 64-32-10, 2,410 weights. */
export const DIGITS_MLP: ModelDescription = { kind: "mlp", inputShape: [64], hidden: [32], classCount: 10 };
/** The Fashion-MNIST model of the benchmarks: two convolutions and a dense layer, 1,199,882 weights. */
export const FASHION_CNN: ModelDescription = {
  kind: "cnn",
  inputShape: [28, 28, 1],
  filters: [32, 64],
  dense: [128],
  classCount: 10,
};

/** Validates a model's description. @throws MODEL_DESCRIPTION_INVALID with the first problem's place */
export function parseModel(description: unknown): Model {
  const parsed = modelSchema.safeParse(description);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new VerisumError(
      "MODEL_DESCRIPTION_INVALID",
      `model: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    );
  }
  const count = parameterCountOf(parsed.data);
  if (count > MAX_PARAMETERS)
    throw new VerisumError(
      "MODEL_DESCRIPTION_INVALID",
      `the model has ${count} weights, at most ${MAX_PARAMETERS} are allowed`,
      { count },
    );
  return parsed.data;
}

/** Names and shapes of a model's tensors in the order of its flat weights. @throws MODEL_DESCRIPTION_INVALID */
export function modelTensors(description: unknown): ParameterShape[] {
  return tensorsOf(parseModel(description));
}

export function tensorsOf(model: Model): ParameterShape[] {
  return layersOf(model).flatMap((layer, i) => {
    const name = `${layer.kind}_${i + 1}`;
    const kernel = layer.kind === "dense" ? [layer.inputs, layer.outputs] : layer.kernelShape;
    return [
      { name: `${name}.kernel`, shape: kernel },
      { name: `${name}.bias`, shape: [kernel.at(-1)!] },
    ];
  });
}

export function parameterCountOf(model: Model): number {
  return tensorsOf(model).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Values of one sample. */
export function inputSizeOf(model: Model): number {
  return sizeOf(model.inputShape);
}

/**
 * The layers with weights, first to last. @throws MODEL_DESCRIPTION_INVALID if the image is smaller than its kernels
 */
function layersOf(model: Model): Layer[] {
  const layers: Layer[] = [];
  let units = sizeOf(model.inputShape);
  if (model.kind === "cnn") {
    let [height, width, channels] = model.inputShape;
    for (const filters of model.filters) {
      layers.push({ kind: "convolution", kernelShape: [model.kernelSize, model.kernelSize, channels, filters] });
      height -= model.kernelSize - 1;
      width -= model.kernelSize - 1;
      channels = filters;
    }
    height = Math.floor(height / model.poolSize);
    width = Math.floor(width / model.poolSize);
    if (height < 1 || width < 1)
      throw new VerisumError("MODEL_DESCRIPTION_INVALID", "the convolutions leave no pixel of the image");
    units = height * width * channels;
  }
  for (const outputs of [...(model.kind === "cnn" ? model.dense : model.hidden), model.classCount]) {
    layers.push({ kind: "dense", inputs: units, outputs });
    units = outputs;
  }
  return layers;
}

/**
 * Uniform in ±sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010), biases zero; the same for everyone with this seed.
 */
export function initialWeightsOf(model: Model, seed: number): Float32Array {
  const weights = new Float32Array(parameterCountOf(model));
  const stream = seededStream("initial-weights", seed);
  let at = 0;
  for (const { shape } of tensorsOf(model)) {
    const size = sizeOf(shape);
    if (shape.length > 1) {
      const receptive = sizeOf(shape.slice(0, -2));
      const limit = Math.sqrt(6 / (receptive * (shape.at(-2)! + shape.at(-1)!)));
      for (let i = 0; i < size; i++) weights[at + i] = (2 * stream.uniform() - 1) * limit;
    }
    at += size;
  }
  return weights;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
