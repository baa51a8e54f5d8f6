/** The files that `fl pull` writes, by format. */
import { encodeCar } from "../content/car.ts";
import { buildDirectory } from "../content/profile.ts";
import { encodeOnnx } from "../learning/export/onnx.ts";
import { tensorflowFiles } from "../learning/export/tensorflow-graph.ts";
import type { CheckpointBytes, UsableCheckpoint } from "./read-checkpoint.ts";
import { CAR_FILE, usableCheckpoint } from "./read-checkpoint.ts";

export type Files = Readonly<Record<string, Uint8Array>>;

const FORMATS = {
  checkpoint: ({ files }) => files,
  safetensors: ({ files }) => ({ "model.safetensors": files["model.safetensors"]! }),
  car: async ({ files }) => {
    const { root, blocks } = await buildDirectory(files);
    return { [CAR_FILE]: encodeCar(root, blocks) };
  },
  onnx: (bytes) => {
    const checkpoint = usableCheckpoint(bytes);
    return { "model.onnx": encodeOnnx(checkpoint.model, checkpoint.weights, metadataOf(checkpoint)) };
  },
  tfjs: (bytes) => {
    const checkpoint = usableCheckpoint(bytes);
    return tensorflowFiles(checkpoint.model, checkpoint.weights, metadataOf(checkpoint));
  },
} satisfies Readonly<Record<string, (checkpoint: CheckpointBytes) => Files | Promise<Files>>>;

export type ModelFormat = keyof typeof FORMATS;

/**
 * A checkpoint in another format.
 * @throws MODEL_EXTERNAL for a model that only its trainers know, in a format that needs its layers
 */
export async function filesAs(format: ModelFormat, checkpoint: CheckpointBytes): Promise<Files> {
  return FORMATS[format](checkpoint);
}

/** What a file says of itself beside the graph, in the words of config.json. */
function metadataOf({ cid, config }: UsableCheckpoint): Readonly<Record<string, string>> {
  const { task, round, inputs, outputs } = config;
  return {
    ...{ task: task.name, contract: task.contract ?? "", round: String(round), checkpoint: cid },
    ...{ inputs: JSON.stringify(inputs), outputs: JSON.stringify(outputs) },
  };
}
