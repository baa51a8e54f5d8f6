/** A new task, from its description to everything that a deployment needs. Touches no chain. */
import { z } from "zod";
import { cidFromDigest } from "../ipfs/cid.ts";
import type { ContentStore } from "../ipfs/store.ts";
import { initialState, modelDigest } from "../../protocol/model.ts";
import { layoutFor } from "../../protocol/layout.ts";
import type { Layout } from "../../protocol/layout.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { normBoundSquared } from "../../protocol/quantise.ts";
import { assertTaskParameters } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { checkpointFiles } from "./checkpoint.ts";
import type { TensorShape } from "./checkpoint.ts";
import { documentSchema, taskFiles } from "./document.ts";
import { directoryDigest } from "./outcome.ts";

const seconds = z.int().positive().max(30 * 86_400);

/** What an operator writes: tasks/*.json. */
export const taskSpecificationSchema = z.strictObject({
  document: documentSchema.omit({ keysCid: true, version: true }),
  /** Seed of the initial weights. */
  initialSeed: z.int().min(0),
  committee: z.strictObject({ size: z.int(), threshold: z.int(), quorum: z.int() }),
  clients: z.strictObject({
    min: z.int(),
    minHonest: z.int(),
    maxCorrupt: z.int().min(0),
    openRegistration: z.boolean(),
    bondWei: z.string().regex(/^[0-9]+$/).default("0"),
  }),
  windowSeconds: z.strictObject({ key: seconds, collect: seconds, attest: seconds, aggregate: seconds }),
  maxRounds: z.int().min(0),
});

export type TaskSpecification = z.infer<typeof taskSpecificationSchema>;

/** The keys of a task as files and as what the contract stores. */
export interface PublishableKeys {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly keysHash: Hex;
}

export interface CreateTaskDependencies {
  readonly store: ContentStore;
  readonly keys: PublishableKeys;
  readonly tensors: readonly TensorShape[];
  readonly initialWeights: Float32Array;
}

/** The layout that a specification's model gets. */
export function layoutOfSpecification(specification: TaskSpecification, dimension: number): Layout {
  return layoutFor(PRESETS[specification.document.preset], dimension);
}

/**
 * Publishes the task document, the proving keys and the genesis, and derives the contract's parameters.
 * @throws PARAMETERS_INVALID if the specification breaks a rule of the protocol
 */
export async function createTask(specification: TaskSpecification, deps: CreateTaskDependencies): Promise<TaskParameters> {
  const { store, keys, tensors, initialWeights } = deps;
  const keysCid = await publish(store, keys.files);
  const document = { ...specification.document, version: 1, keysCid } as const;
  const taskCid = await publish(store, taskFiles(document));
  const genesis = initialState(initialWeights, document.server.fractionalBits);
  const genesisFiles = checkpointFiles(document, tensors, genesis, {
    task: { name: document.name, chainId: null, contract: null, taskCid: cidFromDigest(taskCid) },
    round: 0,
    parentCid: null,
    clients: [],
    totalWeight: 0,
    aggregateCid: null,
    privacy: null,
  }, null);
  const dimension = initialWeights.length;
  const { committee, clients, windowSeconds } = specification;
  const parameters: TaskParameters = {
    taskCid,
    genesisCid: await publish(store, genesisFiles),
    genesisDigest: modelDigest(genesis),
    keysHash: keys.keysHash,
    coordinateBits: PRESETS[document.preset].coordinateBits,
    dimension,
    normBoundSquared: normBoundSquared(document.quantisation, dimension),
    committeeSize: committee.size,
    threshold: committee.threshold,
    quorum: committee.quorum,
    minClients: clients.min,
    minHonest: clients.minHonest,
    maxCorrupt: clients.maxCorrupt,
    uniformWeights: false,
    openRegistration: clients.openRegistration,
    bondWei: BigInt(clients.bondWei),
    keyWindowSeconds: windowSeconds.key,
    collectSeconds: windowSeconds.collect,
    attestSeconds: windowSeconds.attest,
    aggregateSeconds: windowSeconds.aggregate,
    maxRounds: specification.maxRounds,
    privacyCostPerRound: document.training.privacy === undefined ? 0n : 1n,
    privacyBudget: document.training.privacy === undefined ? 0n : BigInt(specification.maxRounds),
    chunkKinds: layoutOfSpecification(specification, dimension).chunks.map((chunk) => chunk.kindIndex),
  };
  assertTaskParameters(parameters);
  return parameters;
}

async function publish(store: ContentStore, files: Readonly<Record<string, Uint8Array>>): Promise<Hex> {
  await store.putDirectory(files);
  return directoryDigest(files);
}
