/** Models as plain JSON: what a task's document says, and the layers and tensors that follow from it. */
import { z } from "zod";
import { ensure, VerisumError } from "../protocol/errors.ts";
import { answersText } from "./examples.ts";
import type { Dataset } from "./examples.ts";
import { isEnsemble, memberPrefix, memberSeed, membersOf } from "./ensemble.ts";
import { isExternal, trainableTensors } from "./external-model.ts";
import { HEAD_FIELDS, hasOneHead, headOf } from "./heads/registry.ts";
import type { HeadFields } from "./heads/registry.ts";
import { activationName } from "./layers/activation.ts";
import { kernelSide } from "./layers/convolution.ts";
import { invalidModel, width } from "./layers/layer.ts";
import type { ParameterShape } from "./layers/layer.ts";
import { poolingSide } from "./layers/max-pooling.ts";
import { buildLayer, layerSchema } from "./layers/registry.ts";
import type { LayerDescription, LayerOptions, NamedLayer } from "./layers/registry.ts";
import { parsedDescription } from "./model-description.ts";
import { seededStream } from "./seeded-stream.ts";
import { sizeOf } from "./shape.ts";
import { isStatistics, layoutOf, parseStatistics } from "./statistics/statistics-model.ts";

const MAX_PARAMETERS = 50_000_000;
const MAX_LAYERS = 64;
/**
 * What follows every convolution and every dense layer but the last. ReLU if absent, also where a document is written
 * down: documents from before there was a choice keep their digests.
 */
const activation = activationName.optional();

const mlpSchema = z.strictObject({
  kind: z.literal("mlp"),
  inputShape: z.array(width).min(1).max(4),
  /** Units of each hidden layer; empty for a linear model. */
  hidden: z.array(width).max(8),
  activation,
  ...HEAD_FIELDS,
});

const cnnSchema = z.strictObject({
  kind: z.literal("cnn"),
  /** Height, width, channels. */
  inputShape: z.tuple([width, width, width]),
  /** Output channels of each convolution (no padding, stride 1). */
  filters: z.array(width).min(1).max(8),
  kernelSize: kernelSide.default(3),
  /** Side of the max pooling window after the last convolution; 1 for none. */
  poolSize: poolingSide.default(2),
  /** Units of each dense hidden layer. */
  dense: z.array(width).max(8),
  activation,
  ...HEAD_FIELDS,
});

/** Any layers in a row; the last one gives a score for each class, or what another head takes. */
const layersSchema = z.strictObject({
  kind: z.literal("layers"),
  inputShape: z.array(width).min(1).max(4),
  layers: z.array(layerSchema).min(1).max(MAX_LAYERS),
  ...HEAD_FIELDS,
});

export const modelSchema = z
  .discriminatedUnion("kind", [mlpSchema, cnnSchema, layersSchema])
  .refine(hasOneHead, "has either classCount or a head");

/** A model as written in a task's document. */
export type ModelDescription = z.input<typeof modelSchema>;
/** A model with its defaults filled in. */
export type Model = z.output<typeof modelSchema>;

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

/**
 * Validates the description of a model that this program trains.
 * @throws MODEL_DESCRIPTION_INVALID with the first problem's place; MODEL_EXTERNAL
 */
export function parseModel(description: unknown): Model {
  ensure(
    !isEnsemble(description),
    "MODEL_DESCRIPTION_INVALID",
    "an ensemble's members are no ensembles, nor is one where a single model is needed",
  );
  ensure(!isExternal(description), "MODEL_EXTERNAL", "the task's model is external: it needs a trainer of its own");
  ensure(!isStatistics(description), "MODEL_EXTERNAL", "the task sums statistics, and has no model that learns");
  const model = parsedDescription(modelSchema, description);
  const scores = layersOf(model).at(-1)!.outputShape;
  const { outputCount, answers } = headOf(model);
  if (scores.length !== 1 || scores[0] !== outputCount)
    throw invalidModel(`the last layer gives ${scores.join("×")} values, not ${outputCount} for ${answers}`);
  requireCount(parameterCountOf(model));
  return model;
}

function requireCount(count: number): void {
  if (count < 1) throw invalidModel("the model has no weights");
  if (count > MAX_PARAMETERS)
    throw invalidModel(`the model has ${count} weights, at most ${MAX_PARAMETERS} are allowed`, { count });
}

/** What each member of a model takes and answers; itself, unless it is an ensemble. @throws as `parseModel` */
export function parseMember(description: unknown): Model {
  return parseModel(membersOf(description).member);
}

/**
 * Names and shapes of a model's trained tensors in the order of its flat weights, whoever trains it.
 * @throws MODEL_DESCRIPTION_INVALID
 */
export function modelTensors(description: unknown): ParameterShape[] {
  if (isStatistics(description)) return [...layoutOf(parseStatistics(description)).tensors];
  if (!isExternal(description)) {
    const { count, member } = membersOf(description);
    const tensors = memberTensors(tensorsOf(parseModel(member)), count);
    requireCount(weightCountOf({ tensors }));
    return tensors;
  }
  const tensors = trainableTensors(description);
  requireCount(weightCountOf({ tensors }));
  return tensors;
}

/** Trained weights of a model, whoever trains it. @throws MODEL_DESCRIPTION_INVALID */
export function modelWeightCount(description: unknown): number {
  return weightCountOf({ tensors: modelTensors(description) });
}

/** Of all members; a model that is alone keeps its names. */
function memberTensors(tensors: readonly ParameterShape[], count: number): ParameterShape[] {
  if (count === 1) return [...tensors];
  return Array.from({ length: count }, (_, i) =>
    tensors.map(({ name, shape }) => ({ name: memberPrefix(i) + name, shape })),
  ).flat();
}

/** `dense_2.kernel` and so on; layers without weights are not counted. */
export function tensorsOf(model: Model): ParameterShape[] {
  return layersOf(model)
    .filter(({ tensors }) => tensors.length > 0)
    .flatMap(({ kind, tensors }, i) => tensors.map(({ name, shape }) => ({ name: `${kind}_${i + 1}.${name}`, shape })));
}

/** A layer as a model's readers need it: its options, defaults filled in, and the names of its tensors. */
export type ArchitectureLayer = LayerOptions & {
  /** Of an ensemble: whose layer it is, from 1. */
  readonly member?: number;
  readonly tensors: readonly string[];
};

/** All layers, first to last, member by member; after the last one come the outputs. @throws as `parseModel` */
export function architectureOf(description: unknown): ArchitectureLayer[] {
  const { count } = membersOf(description);
  const names = modelTensors(description).map(({ name }) => name);
  const layers = layersOf(parseMember(description));
  return Array.from({ length: count }, (_, i) =>
    layers.map(({ options, tensors }) => ({
      ...options,
      ...(count === 1 ? {} : { member: i + 1 }),
      tensors: names.splice(0, tensors.length),
    })),
  ).flat();
}

export function parameterCountOf(model: Model): number {
  return layersOf(model).reduce((sum, layer) => sum + weightCountOf(layer), 0);
}

export function weightCountOf({ tensors }: Pick<NamedLayer, "tensors">): number {
  return tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Values of one example. */
export function inputSizeOf(model: Model): number {
  return sizeOf(model.inputShape);
}

/** @throws DATASET_MODEL_MISMATCH if the model does not take such examples, or there are none */
export function assertTakes(
  model: Model,
  { features, starts, featureShape, exampleCount, classCount: classes, targets, isUnanswered }: Omit<Dataset, "labels">,
): void {
  const inputSize = inputSizeOf(model);
  const { takes, answers, outputCount } = headOf(model);
  const fits = isUnanswered === true || takes({ classCount: classes, ...(targets === undefined ? {} : { targets }) });
  const hasValues =
    starts === undefined
      ? features.length === exampleCount * inputSize
      : sizeOf(featureShape) === inputSize && starts.every((start) => start + inputSize <= features.length);
  if (hasValues && fits && exampleCount >= 1) return;
  throw new VerisumError(
    "DATASET_MODEL_MISMATCH",
    `the model takes ${inputSize} values and ${answers}, the data has ${featureShape.join("×")} and ${answersText({ classCount: classes, ...(targets === undefined ? {} : { targets }) })}`,
    { inputSize, outputCount },
  );
}

/** All layers, first to last. @throws MODEL_DESCRIPTION_INVALID if one does not take what the one before it gives */
export function layersOf(model: Model): NamedLayer[] {
  const layers: NamedLayer[] = [];
  let shape: readonly number[] = model.inputShape;
  for (const description of descriptionsOf(model)) {
    const layer = buildLayer(description, shape);
    layers.push(layer);
    shape = layer.outputShape;
  }
  return layers;
}

/** The layers for which a model's own words stand. */
function descriptionsOf(model: Model): readonly LayerDescription[] {
  switch (model.kind) {
    case "layers":
      return model.layers;
    case "mlp":
      return [{ kind: "flatten" }, ...denseLayers(model.hidden, model)];
    case "cnn":
      return [
        ...model.filters.map((filters): LayerDescription => {
          const { kernelSize, activation = "relu" } = model;
          return { kind: "convolution", filters, kernelSize, activation };
        }),
        ...(model.poolSize > 1 ? [{ kind: "maxPooling", side: model.poolSize } as const] : []),
        { kind: "flatten" },
        ...denseLayers(model.dense, model),
      ];
  }
}

function denseLayers(
  hidden: readonly number[],
  { activation = "relu", ...head }: HeadFields & Pick<Model & { kind: "mlp" }, "activation">,
): LayerDescription[] {
  return [
    ...hidden.map((units): LayerDescription => ({ kind: "dense", units, activation })),
    { kind: "dense", units: headOf(head).outputCount },
  ];
}

/** The first weights of a model that this program trains, members included. @throws MODEL_DESCRIPTION_INVALID */
export function firstWeights(description: unknown, seed: number): Float32Array {
  const { count, member } = membersOf(description);
  const model = parseModel(member);
  if (count === 1) return initialWeightsOf(model, seed);
  const size = parameterCountOf(model);
  const weights = new Float32Array(count * size);
  for (let i = 0; i < count; i++) weights.set(initialWeightsOf(model, memberSeed(i, seed)), i * size);
  return weights;
}

/** Each layer's own choice of weights, from one stream; the same for everyone with this seed. */
export function initialWeightsOf(model: Model, seed: number): Float32Array {
  const weights = new Float32Array(parameterCountOf(model));
  const stream = seededStream("initial-weights", seed);
  let at = 0;
  for (const layer of layersOf(model)) {
    const end = at + weightCountOf(layer);
    layer.initial(weights.subarray(at, end), stream);
    at = end;
  }
  return weights;
}
