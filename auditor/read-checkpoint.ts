/** A checkpoint from a folder, from a CAR file, or of a task's round; and the model in it, checked against itself. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { carRoot, decodeCar } from "../content/car.ts";
import { cidFromDigest } from "../content/cid.ts";
import { DEFAULT_DAG_LIMITS } from "../content/dag.ts";
import { readDirectoryFile } from "../content/directory.ts";
import { modelTensors, parseMember } from "../learning/model.ts";
import type { Model } from "../learning/model.ts";
import { joinWeights } from "../learning/named-tensors.ts";
import type { DataRules } from "../learning/preprocessing.ts";
import { decodeSafetensors } from "../learning/safetensors.ts";
import { ensure, isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { CHECKPOINT_FILES, checkpointJson, parseCheckpointConfig } from "../task/checkpoint.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";
import { modelInterface } from "../task/model-interface.ts";
import { readUserFile, refuseWith } from "../storage/user-file.ts";
import { openReadingNode } from "../task/node.ts";
import type { ReadingNode } from "../task/node.ts";
import { directoryDigest } from "../task/outcome.ts";
import { findCheckpoint } from "./find-checkpoint.ts";
import type { FoundCheckpoint } from "./find-checkpoint.ts";
import { modelOfRound } from "./last-model.ts";

/** What `fl pull --format car` calls its file in a folder. */
export const CAR_FILE = "checkpoint.car";
/** Of one file, as of what is fetched. */
const MOST_BYTES = DEFAULT_DAG_LIMITS.maxBytes;

/** Which checkpoint a command is to read. */
export interface CheckpointFlags extends Omit<CommonFlags, "contract" | "format"> {
  readonly contract?: CommonFlags["contract"];
  /** A folder with the files or with `CAR_FILE`, or a CAR file. */
  readonly checkpoint?: string;
  readonly round?: bigint;
  /** What a folder or a CAR file has to be. */
  readonly cid?: string;
}

export interface CheckpointBytes {
  /** What the files have; their names are `CHECKPOINT_FILES`. */
  readonly cid: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** What can be computed with. */
export interface UsableCheckpoint {
  readonly cid: string;
  readonly config: CheckpointConfig;
  readonly description: unknown;
  /** The model, or one member of an ensemble. */
  readonly model: Model;
  readonly weights: Float32Array;
  /** What data is held to; undefined where the task says nothing of it. */
  readonly rules: DataRules | undefined;
}

/**
 * The files that the flags name, checked against their CID: the chain's, or the one given.
 * @throws USAGE, CHECKPOINT_INVALID, IPFS_*, and what opening a node throws
 */
export async function readCheckpoint(
  flags: CheckpointFlags,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<CheckpointBytes> {
  const { checkpoint, contract, round, cid } = flags;
  ensure(
    (checkpoint === undefined) !== (contract === undefined),
    "USAGE",
    "name a checkpoint by --checkpoint, a folder or a CAR file, or by --contract and --round",
  );
  if (checkpoint === undefined) {
    const { files, cid: found } = await checkpointOfTask({ ...flags, contract: contract! }, reporter, signal);
    ensure(cid === undefined || cid === found, "CHECKPOINT_INVALID", `the round's model is ${found}, not ${cid}`);
    return { files, cid: found };
  }
  ensure(round === undefined, "USAGE", "--round is of a contract: a checkpoint in a file is of one round");
  const files = await filesAt(checkpoint);
  const found = cidFromDigest(await directoryDigest(files));
  ensure(cid === undefined || cid === found, "CHECKPOINT_INVALID", `${checkpoint} has the CID ${found}, not ${cid}`);
  return { files, cid: found };
}

/** A checkpoint of a round, of the latest one if none is named; the round's CID where the files are whole. */
export async function checkpointOfTask(
  flags: Omit<CommonFlags, "format"> & { readonly round?: bigint },
  reporter: Reporter,
  signal: AbortSignal,
): Promise<FoundCheckpoint & { readonly cid: string; readonly round: bigint }> {
  const node: ReadingNode = await openReadingNode(
    nodeOptions({ ...flags, format: "text" }, "reader"),
    reporter,
    signal,
  );
  try {
    const model = await modelOfRound(node.task, flags.round);
    return { ...(await findCheckpoint(node.task, model)), cid: cidFromDigest(model.cid), round: model.round };
  } finally {
    await node.close();
  }
}

/** @throws CHECKPOINT_INVALID if a file is missing; IPFS_* for a CAR that is not what its root names */
async function filesAt(path: string): Promise<Readonly<Record<string, Uint8Array>>> {
  const found = await stat(path).catch(() => undefined);
  ensure(found !== undefined, "CHECKPOINT_INVALID", `there is no checkpoint at ${path}`);
  const car = found.isDirectory() ? await carIn(path) : path;
  const read = car === undefined ? (name: string) => readBounded(join(path, name)) : await carReader(car);
  const files: Record<string, Uint8Array> = {};
  for (const name of CHECKPOINT_FILES)
    files[name] = await read(name).catch((cause: unknown) => {
      if (isVerisumError(cause) && cause.code !== "IPFS_NOT_FOUND") throw cause;
      throw new VerisumError("CHECKPOINT_INVALID", `${path} holds no checkpoint: ${name} is not in it`, {}, { cause });
    });
  return files;
}

function readBounded(path: string): Promise<Uint8Array> {
  return readUserFile(path, MOST_BYTES, refuseWith("CHECKPOINT_INVALID", path));
}

/** The CAR of a folder that holds it in place of a checkpoint's files. */
async function carIn(folder: string): Promise<string | undefined> {
  const names = await readdir(folder);
  return names.includes(CAR_FILE) && !CHECKPOINT_FILES.some((name) => names.includes(name))
    ? join(folder, CAR_FILE)
    : undefined;
}

async function carReader(path: string): Promise<(name: string) => Promise<Uint8Array>> {
  const bytes = await readBounded(path);
  const root = carRoot(bytes);
  const blocks = new Map(
    (await decodeCar(bytes, root, DEFAULT_DAG_LIMITS)).map((block) => [block.cid.toString(), block]),
  );
  return (name) => readDirectoryFile(root, name, async (cid) => blocks.get(cid.toString())!.bytes, DEFAULT_DAG_LIMITS);
}

/**
 * The model of a checkpoint. What its config.json says of the model has to follow from its topology.json, and the
 * tensors have to be the model's.
 * @throws CHECKPOINT_INVALID, SAFETENSORS_INVALID, MODEL_NOT_FINITE, MODEL_DESCRIPTION_INVALID; MODEL_EXTERNAL of a
 *   model that only its trainers know
 */
export function usableCheckpoint({ files, cid }: CheckpointBytes): UsableCheckpoint {
  const config = parseCheckpointConfig(files["config.json"]!, cid);
  const description = descriptionIn(files["topology.json"]!, cid);
  const model = parseMember(description);
  const { table, preprocessing } = config.inputs;
  const expected = modelInterface({
    model: description as Record<string, unknown>,
    ...(table === null ? {} : { data: table }),
    ...(preprocessing === null ? {} : { preprocessing }),
  });
  const { inputs, outputs, layers } = config;
  ensure(
    isDeepStrictEqual(JSON.parse(JSON.stringify(expected)), JSON.parse(JSON.stringify({ inputs, outputs, layers }))),
    "CHECKPOINT_INVALID",
    `config.json of ${cid} describes another model than its topology.json`,
  );
  const { tensors } = decodeSafetensors(files["model.safetensors"]!);
  return {
    ...{ cid, config, description, model },
    weights: joinWeights(modelTensors(description), tensors, "CHECKPOINT_INVALID"),
    rules: table ?? preprocessing ?? undefined,
  };
}

function descriptionIn(bytes: Uint8Array, cid: string): unknown {
  const topology = checkpointJson(bytes, `topology.json of ${cid}`);
  return (topology as { readonly model?: unknown } | null)?.model;
}
