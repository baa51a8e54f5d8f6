/** A task on a forking chain, with what its parties share and what the simulation's reference knows. */
import { mkdtempSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBeHex, Wallet } from "ethers";
import type { TaskReader, TaskWriter } from "../../chain/task-chain.ts";
import { parseModel, initialWeightsOf, modelTensors } from "../../learning/model.ts";
import { layoutOf } from "../../protocol/layout.ts";
import type { Layout } from "../../protocol/layout.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { parametersHash } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../../protocol/verification-key.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { createTask, parseSpecification } from "../../task/create-task.ts";
import { parseTaskDocument, TASK_FILE } from "../../task/document.ts";
import type { CommittingTask } from "../../task/opened-task.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { knownTauCommitter } from "../support/in-memory-keys.ts";
import { memoryReader } from "../support/memory-chain/reader.ts";
import { memoryWriter } from "../support/memory-chain/writer.ts";
import { seededRandom } from "../support/random.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import { drawSecrets, keysOf } from "../support/trapdoor-keys.ts";
import { SharedContent, storeOf } from "./content.ts";
import { ForkingChain } from "./forking-chain.ts";
import type { Dice } from "./dice.ts";

/** The party that publishes the task, and whose node takes proposals. */
export const AGGREGATOR = "aggregator";

/** The same in all schedules: nothing that is tried depends on them. */
const committer = knownTauCommitter();
export const VERIFICATION_KEYS: VerificationKeys = {
  ...keysOf(drawSecrets({ ...PRESETS.tiny, kinds: PRESETS.tiny.kinds.slice(0, 1) }, seededRandom("keys"))),
  tau: committer.tau,
};
const KEYS = { bytes: encodeVerificationKeys(VERIFICATION_KEYS), hash: toHex(hashVerificationKeys(VERIFICATION_KEYS)) };

const MODEL = { kind: "mlp", inputShape: [4], hidden: [], classCount: 3 };

/** How large a schedule's task is. */
export interface Shape {
  readonly committeeSize: number;
  readonly threshold: number;
  readonly clients: number;
  /** f. */
  readonly maxCorrupt: number;
  /** Blocks on top that make a block final; no reorganisation is deeper. */
  readonly confirmations: number;
  readonly blockSeconds: number;
  /** Rounds close at a goal that fewer than all clients reach, and take updates of older models. */
  readonly buffer?: Pick<TaskParameters, "bufferGoal" | "maxStaleness" | "minSeparation" | "minCollectSeconds">;
}

export interface Scene {
  readonly shape: Shape;
  readonly chain: ForkingChain;
  readonly contract: Hex;
  readonly content: SharedContent;
  readonly parameters: TaskParameters;
  readonly layout: Layout;
  /** Where roles keep their state; a folder for each. */
  readonly directory: string;
  /** The task as one party opens it. */
  task(chain: TaskReader, store: CommittingTask["store"]): CommittingTask;
  reader(): TaskReader;
  /** Account 0 is the operator's, members' and clients' follow. */
  writer(account: number): TaskWriter;
}

const MIN_HONEST = 2;
/** Seven members ask each other so much that a schedule with them costs twice as much as another. */
const COMMITTEE_SIZES = [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 7] as const;

export function drawShape(dice: Dice): Shape {
  const committeeSize = dice.pick(COMMITTEE_SIZES);
  const threshold = committeeSize < 7 ? 2 : 3;
  const maxCorrupt = dice.below(2);
  const shape = {
    ...{ committeeSize, threshold, maxCorrupt },
    clients: MIN_HONEST + 2 * maxCorrupt + dice.below(2),
    confirmations: dice.pick([1, 2, 3, 6, 12]),
    blockSeconds: dice.pick([1, 2, 12]),
  };
  if (!dice.oneIn(3)) return shape;
  const bufferGoal = MIN_HONEST + 2 * maxCorrupt;
  return {
    ...shape,
    clients: bufferGoal + dice.between(1, 2),
    buffer: {
      ...{ bufferGoal, minSeparation: 1 },
      maxStaleness: dice.between(1, 3),
      minCollectSeconds: dice.pick([0, 20]),
    },
  };
}

/** Publishes a task, deploys it and registers everybody. */
export async function openScene(shape: Shape): Promise<Scene> {
  const content = new SharedContent();
  const store = storeOf({
    has: async (cid) => content.holds(AGGREGATOR, cid),
    pin: () => Promise.resolve(),
    putDirectory: (files) => content.put(AGGREGATOR, files),
    getFile: (cid, name, { maxBytes }) => Promise.resolve(content.read([AGGREGATOR], cid, name, maxBytes)),
  });
  const model = parseModel(MODEL);
  const parameters = await createTask(parseSpecification(specificationOf(shape)), {
    store,
    keys: { files: { "keys.bin": KEYS.bytes }, keysHash: KEYS.hash },
    tensors: modelTensors(MODEL),
    initialWeights: initialWeightsOf(model, 1),
  });
  const document = parseTaskDocument(content.read([AGGREGATOR], cidFromDigest(parameters.taskCid), TASK_FILE, 1 << 20));
  const chain = new ForkingChain();
  const contract = chain.deploy(parameters, walletOf(0).address.toLowerCase() as Hex, KEYS.bytes);
  const reader = (): TaskReader => memoryReader(chain, contract, shape.confirmations);
  const writer = (account: number): TaskWriter => memoryWriter(chain, reader(), walletOf(account));
  const layout = layoutOf(PRESETS.tiny, parameters.dimension, parameters.chunkKinds);
  for (let seat = 1; seat <= shape.committeeSize; seat++) await writer(0).registerMember(writer(seat).account);
  for (let i = 1; i <= shape.clients; i++)
    await writer(0).registerClient(writer(shape.committeeSize + i).account, 1 + (i % 3));
  // A deployment is final before anybody takes part.
  chain.mine(shape.confirmations);
  chain.settleDown();
  return {
    ...{ shape, chain, contract, content, parameters, layout, reader, writer },
    directory: mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "verisum-simulation-")),
    task: (reading, ofParty) => ({
      chain: reading,
      store: ofParty,
      parameters,
      parametersHash: parametersHash(parameters),
      document,
      layout,
      tensors: modelTensors(MODEL),
      committer,
    }),
  };
}

function specificationOf({ committeeSize: size, threshold, maxCorrupt, buffer }: Shape): unknown {
  return {
    ...TINY_SPECIFICATION,
    document: { ...TINY_SPECIFICATION.document, model: MODEL },
    committee: { size, threshold, quorum: 2 * threshold - 1 },
    clients: { min: MIN_HONEST + maxCorrupt, minHonest: MIN_HONEST, maxCorrupt, maxWeight: 3, openRegistration: false },
    windowSeconds: { key: 60, collect: 600, attest: 600, aggregate: 1200 },
    ...(buffer === undefined ? {} : { rounds: buffer }),
  };
}

const wallets = new Map<number, Wallet>();

/** An account of its own for each number. Its key is public: for tests only. */
function walletOf(account: number): Wallet {
  const wallet = wallets.get(account) ?? new Wallet(toBeHex(account + 1, 32));
  wallets.set(account, wallet);
  return wallet;
}
