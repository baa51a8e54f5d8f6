/**
 * A checkpoint: the directory that a round's model CID names.
 * `state.bin` is the model (exact integers); `model.safetensors` and `topology.json` follow from it and from the task;
 * `config.json` says where it came from, and how to feed it and to read what it gives. Only its `metrics` are the
 * aggregator's word.
 */
import { z } from "zod";
import { VerisumError } from "../protocol/errors.ts";
import { decodeModelState, encodeModelState, modelDigest, stateBytes } from "../protocol/model.ts";
import type { ModelState } from "../protocol/model.ts";
import { readJson } from "../protocol/strict-json.ts";
import { ruleOf } from "../protocol/server-rules/registry.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { PublishedFiles } from "../protocol/ports.ts";
import type { Hex } from "../protocol/transcript.ts";
import { cidFromDigest } from "../content/cid.ts";
import type { Compared } from "../learning/evaluation.ts";
import { cutWeights } from "../learning/named-tensors.ts";
import { encodeSafetensors } from "../learning/safetensors.ts";
import type { TaskDocument } from "./document.ts";
import { interfaceSchema, modelInterface } from "./model-interface.ts";
import type { ModelInterface } from "./model-interface.ts";
import { clipNormOf, weightsOf } from "./model-vector.ts";

/** Of one cell's entry, 256 clients included, and of everything else, such as the columns of the largest document. */
const MAX_CONFIG_BYTES = 1 << 22;
const MAX_CELL_BYTES = 1 << 14;

/** Name and shape of one tensor of the model, in the order of the flat weights. */
export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** One cell's part in a model. */
const cellSchema = z.strictObject({
  contract: z.string(),
  round: z.int().min(1),
  aggregateCid: z.string(),
  totalWeight: z.int().min(1),
  clients: z.array(z.string()),
});

/** Classes whose recall is published one by one. */
export const MOST_RECALLS = 100;

export const metricsSchema = z.union([
  z.strictObject({
    accuracy: z.number(),
    loss: z.number(),
    samples: z.int(),
    /** Accuracy of always answering the most frequent class. */
    majority: z.number().optional(),
    balancedAccuracy: z.number().optional(),
    /** By class, null where there is no example; absent of too many classes. */
    recall: z.array(z.number().nullable()).max(MOST_RECALLS).optional(),
  }),
  /** Of a model that answers with numbers, in the data's unit but for the loss. */
  z.strictObject({
    rootMeanSquaredError: z.number(),
    meanAbsoluteError: z.number(),
    r2: z.number().nullable(),
    loss: z.number(),
    samples: z.int(),
    /** Root mean squared error of always answering the mean. */
    baselineError: z.number().optional(),
  }),
]);

const configSchema = z.strictObject({
  format: z.literal("verisum-checkpoint-2"),
  cidProfile: z.literal("unixfs-v1-2025"),
  task: z.strictObject({
    name: z.string(),
    chainId: z.string().nullable(),
    contract: z.string().nullable(),
    taskCid: z.string(),
  }),
  round: z.int().min(0),
  parentCid: z.string().nullable(),
  clients: z.array(z.string()),
  totalWeight: z.int().min(0),
  aggregateCid: z.string().nullable(),
  /** Of a task with cells: all of them by place, this checkpoint's own among them. */
  cells: z.array(cellSchema).optional(),
  weights: z.strictObject({ count: z.int(), fractionalBits: z.int() }),
  /** Of a task that adapts it: the norm to which the next round's updates are clipped, in units of the weights. */
  clipNorm: z.number().optional(),
  /** Spent so far, and what the contract's ledger allows in all. */
  privacy: z
    .strictObject({
      unit: z.string(),
      statement: z.string(),
      epsilon: z.number(),
      delta: z.number(),
      budget: z.strictObject({
        epsilon: z.number(),
        rounds: z.int(),
        remainingRounds: z.int(),
        /** Where fewer than all rounds can count one client: so many, and epsilon is of these. */
        roundsPerClient: z.int().optional(),
      }),
    })
    .nullable(),
  ...interfaceSchema.shape,
  metrics: metricsSchema.nullable(),
});

export type CheckpointConfig = z.infer<typeof configSchema>;

/** Of a model on so many examples; both may be anything where somebody else says so. */
export type Metrics = z.infer<typeof metricsSchema>;

/** The files of a checkpoint. */
export const CHECKPOINT_FILES = ["config.json", "model.safetensors", "state.bin", "topology.json"] as const;

/** In words: `accuracy 91.2 % (majority class 60.0 %, balanced 90.1 %), loss 0.310`. */
export function metricsText(metrics: Metrics): string {
  const loss = `loss ${metrics.loss.toFixed(3)}`;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  if ("accuracy" in metrics) {
    const { accuracy, majority, balancedAccuracy } = metrics;
    const beside = [
      ...(majority === undefined ? [] : [`majority class ${percent(majority)}`]),
      ...(balancedAccuracy === undefined ? [] : [`balanced ${percent(balancedAccuracy)}`]),
    ].join(", ");
    return `accuracy ${percent(accuracy)}${beside === "" ? "" : ` (${beside})`}, ${loss}`;
  }
  const { baselineError } = metrics;
  const beside = baselineError === undefined ? "" : ` (always the mean ${baselineError.toPrecision(4)})`;
  return `root mean squared error ${metrics.rootMeanSquaredError.toPrecision(4)}${beside}, mean absolute error ${metrics.meanAbsoluteError.toPrecision(4)}, ${loss}`;
}

/** All of them that are numbers, for programs. */
export function figuresIn(metrics: Metrics): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}

/** What of them says whether anything was learnt; undefined where they have no baseline. */
export function comparedIn(metrics: Metrics): Compared | undefined {
  if ("accuracy" in metrics) {
    const { accuracy, majority } = metrics;
    return majority === undefined ? undefined : { accuracy, majority };
  }
  const { rootMeanSquaredError, baselineError } = metrics;
  return baselineError === undefined ? undefined : { rootMeanSquaredError, baselineError };
}

/** Of a model of classes; null of another one. */
export function accuracyOf(metrics: Metrics | null | undefined): number | null {
  return metrics !== null && metrics !== undefined && "accuracy" in metrics ? metrics.accuracy : null;
}

/** The same of what somebody else says. */
export function claimsText(metrics: Metrics): string {
  return `${metricsText(metrics)} claimed by the aggregator`;
}

/** Everything about a checkpoint that the chain and the task determine. */
export type CheckpointOrigin = Omit<
  CheckpointConfig,
  "format" | "cidProfile" | "metrics" | "weights" | "clipNorm" | keyof ModelInterface
>;

/** The files of a checkpoint; a deterministic function of its arguments. */
export function checkpointFiles(
  document: TaskDocument,
  tensors: readonly TensorShape[],
  state: ModelState,
  origin: CheckpointOrigin,
  metrics: CheckpointConfig["metrics"],
): Record<(typeof CHECKPOINT_FILES)[number], Uint8Array> {
  const weights = weightsOf(document, state);
  const config: CheckpointConfig = {
    format: "verisum-checkpoint-2",
    cidProfile: "unixfs-v1-2025",
    task: origin.task,
    round: origin.round,
    parentCid: origin.parentCid,
    clients: origin.clients,
    totalWeight: origin.totalWeight,
    aggregateCid: origin.aggregateCid,
    ...(origin.cells === undefined ? {} : { cells: origin.cells }),
    weights: { count: weights.length, fractionalBits: document.server.fractionalBits },
    ...(document.quantisation.adaptive === undefined ? {} : { clipNorm: clipNormOf(document, state) }),
    privacy: origin.privacy,
    ...modelInterface(document),
    metrics,
  };
  return {
    "config.json": jsonBytes(config),
    "model.safetensors": encodeSafetensors(cutWeights(tensors, weights), { format: "verisum" }),
    "state.bin": encodeModelState(state),
    "topology.json": jsonBytes({ model: document.model, tensors }),
  };
}

/**
 * Fetches the integers of a model and compares them with the digest on chain.
 * @throws MODEL_DIGEST_MISMATCH, ENCODING_LENGTH, and whatever the store throws
 */
export async function loadModelState(
  {
    store,
    document: { server },
    parameters: { dimension },
  }: {
    readonly store: PublishedFiles;
    readonly document: Pick<TaskDocument, "server">;
    readonly parameters: Pick<TaskParameters, "dimension">;
  },
  cid: Hex,
  digest: Hex,
): Promise<ModelState> {
  const keptCount = ruleOf(server).keeps.length;
  const maxBytes = stateBytes(dimension, keptCount);
  const bytes = await store.getFile(cidFromDigest(cid), "state.bin", { maxBytes });
  const state = decodeModelState(bytes, dimension, keptCount);
  if (modelDigest(state) !== digest)
    throw new VerisumError("MODEL_DIGEST_MISMATCH", `the model at ${cidFromDigest(cid)} is not the one on chain`, {
      cid,
    });
  return state;
}

/**
 * @param cellCount the task's cells; 1 without a group
 * @throws CHECKPOINT_INVALID for a malformed config.json, and whatever the store throws
 */
export async function loadCheckpointConfig(store: PublishedFiles, cid: Hex, cellCount = 1): Promise<CheckpointConfig> {
  const bytes = await store.getFile(cidFromDigest(cid), "config.json", {
    maxBytes: MAX_CONFIG_BYTES + cellCount * MAX_CELL_BYTES,
  });
  return parseCheckpointConfig(bytes, cidFromDigest(cid));
}

/** @param of what it is said to be of. @throws CHECKPOINT_INVALID */
export function parseCheckpointConfig(bytes: Uint8Array, of: string): CheckpointConfig {
  const name = `config.json of ${of}`;
  const json = checkpointJson(bytes, name);
  try {
    return configSchema.parse(json);
  } catch (cause) {
    throw new VerisumError("CHECKPOINT_INVALID", `${name} is malformed`, { of }, { cause });
  }
}

/**
 * JSON of a checkpoint that says one thing to all who read it.
 * @param name how messages call it. @throws CHECKPOINT_INVALID
 */
export function checkpointJson(bytes: Uint8Array, name: string): unknown {
  return readJson(bytes, name, "CHECKPOINT_INVALID");
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}
