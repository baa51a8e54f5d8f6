/**
 * The published vector of whole rounds, `test/vectors/round/` (docs/formats.md): a buffer of five clients, played with
 * real proofs and development keys, with all that an auditor reads and each value in between. For tests only.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { auditTask } from "../../auditor/audit-task.ts";
import type { Finding } from "../../auditor/checklist.ts";
import { readerAt } from "../../chain/reader.ts";
import { openEndpoint } from "../../chain/rpc.ts";
import { cidFromDigest } from "../../content/cid.ts";
import type { ContentStore } from "../../content/store.ts";
import type { RoundKeyPair } from "../../protocol/bundle.ts";
import type { PublishedFiles } from "../../protocol/ports.ts";
import { isVerisumError, VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { openTask } from "../../task/open-task.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { seededRandom } from "./random.ts";
import { recordChain, serveRecorded } from "./recorded-chain.ts";
import type { RecordedFiles, Recording } from "./recorded-chain.ts";
import { garbageBundle, scriptedLearner } from "./round-faults.ts";
import { startHarness } from "./round-harness.ts";
import type { ClientRole, RoundHarness } from "./round-harness.ts";
import { changedVector, vectorChanges } from "./round-vector-changes.ts";
import type { VectorChange } from "./round-vector-changes.ts";
import { vectorValues } from "./round-vector-values.ts";
import type { VectorValues } from "./round-vector-values.ts";

/** The repository's vector. */
export const VECTOR_FOLDER = fileURLToPath(new URL("../vectors/round/", import.meta.url));

/**
 * Two chunks of two kinds; a hidden layer; momentum, so that the second round rounds what the first one left. Updates
 * may be of the model before the latest one; a scale by half is exact.
 */
const SPECIFICATION = {
  document: {
    name: "formats",
    description: "What docs/formats.md describes, in two small rounds",
    preset: "tiny",
    model: { kind: "mlp", inputShape: [64], hidden: [33], classCount: 10 },
    training: {
      ...{ learningRate: 0.05, momentum: 0.9, batchSize: 16, localEpochs: 1 },
      staleness: { kind: "polynomial", exponent: 1 },
    },
    quantisation: { stepBits: 7, clipSteps: 250 },
    server: {
      fractionalBits: 20,
      learningRate: { numerator: 3, denominatorBits: 2 },
      momentum: { numerator: 5, denominatorBits: 3 },
    },
  },
  initialSeed: 1,
  committee: { size: 4, threshold: 2, quorum: 3 },
  clients: { min: 3, minHonest: 2, maxCorrupt: 1, maxWeight: 3, openRegistration: false },
  windowSeconds: { key: 60, collect: 600, attest: 600, aggregate: 600 },
  rounds: { bufferGoal: 4, maxStaleness: 1, minSeparation: 1, minCollectSeconds: 0 },
  maxRounds: 0,
} as const;
const WEIGHTS = [1, 2, 3, 1, 2];
/** Places of two clients: the first settlement leaves the one out, whose vector is shared again; the other is slow. */
const [SPOILT, SLOW] = [3, 4];
export const VECTOR_ROUNDS = [1n, 2n];
const CLAIMED = { accuracy: 0.125, loss: 2.25, samples: 8, majority: 0.5 };

export interface RoundVector extends Recording {
  /** What follows from the two, and a member's keys of a round. */
  readonly values: VectorValues;
  /** What `fl verify` says of it, and of it with one thing changed. */
  readonly verdict: { readonly findings: readonly Finding[]; readonly changes: readonly JudgedChange[] };
}

/**
 * Plays the rounds and records them. What the clients add, and so every sum and every model, is the same each time;
 * masks, keys, proofs, signatures and addresses of blocks are not.
 */
export async function playRoundVector(): Promise<RoundVector> {
  const harness = await startHarness({
    ...{ specification: SPECIFICATION, clients: WEIGHTS.length, weights: WEIGHTS, learning: "scripted" },
    evaluate: () => Promise.resolve(CLAIMED),
  });
  try {
    scriptClients(harness);
    const endTraining = await beginSlowly(harness.clients[SLOW]!);
    const keys = await keysOf(harness);
    for (const round of VECTOR_ROUNDS) {
      const { phase } = await harness.play(["Finalised", "Aborted"], round);
      if (phase !== "Finalised") throw new Error(`round ${round} ended as ${phase}`);
      if (round === VECTOR_ROUNDS[0]) await endTraining();
      scriptClients(harness, round);
    }
    return await recorded(harness, keys);
  } finally {
    await harness.close();
  }
}

/** Has the client train on the genesis until it is told to end, over rounds in which others take part. */
async function beginSlowly(client: ClientRole): Promise<() => Promise<void>> {
  const { learner } = client.deps;
  client.running = false;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const trains = new Promise<void>((resolve) => {
    client.restart((deps) => ({
      ...deps,
      learner: {
        ...learner,
        update: async (...given) => {
          resolve();
          await ended;
          return learner.update(...given);
        },
      },
    }));
  });
  const step = client.step();
  await Promise.race([trains, step]);
  return async () => {
    end();
    await step;
    client.running = true;
  };
}

/** Each client's update is a seed's; before the first round one client's shares are garbage. */
function scriptClients({ clients, task: { document } }: RoundHarness, after = 0n): void {
  clients.forEach((client, i) => {
    const random = seededRandom(`client ${i + 1} after round ${after}`);
    const spoil = i === SPOILT && after === 0n ? garbageBundle([1, 2, 3, 4], random) : undefined;
    client.restart((deps) => ({
      ...(spoil === undefined ? deps : spoil(deps)),
      learner: scriptedLearner(document, i, seededRandom(`update of client ${i + 1} after round ${after}`)),
    }));
  });
}

/** The first round's keys of two seats, before they are erased: one is sent a seed, the other a share. */
async function keysOf({ members, play }: RoundHarness): Promise<ReadonlyMap<number, RoundKeyPair>> {
  await play(["Collecting"]);
  const found = new Map<number, RoundKeyPair>();
  for (const { seat, deps } of members.slice(0, 2)) {
    const pair = await deps.keys.find(VECTOR_ROUNDS[0]!);
    if (pair !== undefined) found.set(seat, pair);
  }
  return found;
}

async function recorded(harness: RoundHarness, keys: ReadonlyMap<number, RoundKeyPair>): Promise<RoundVector> {
  const { chain: reader, store } = harness.aggregator.node;
  const { contract } = reader.context;
  const { endpoint } = await openEndpoint(harness.chain.rpc, undefined);
  const chain = await recordChain(endpoint.provider, contract, (await reader.origin()).number);
  const digests: Hex[] = [harness.task.parameters.taskCid, harness.task.parameters.genesisCid];
  for (const round of VECTOR_ROUNDS) {
    const { released, finalised } = await reader.records(round);
    digests.push(...released.map(({ releaseCid }) => releaseCid));
    digests.push(finalised!.result.aggregateCid, finalised!.result.modelCid);
  }
  const first = (await reader.records(VECTOR_ROUNDS[0]!)).submitted[0]!;
  const content: Record<string, Record<string, Uint8Array>> = {};
  for (const digest of [...digests, first.submission.sharesCid])
    content[cidFromDigest(digest)] = await filesOf(store, cidFromDigest(digest));
  const recording = { chain, content };
  const findings = await auditVector(recording, harness);
  const values = await vectorValues(harness.task, VECTOR_ROUNDS, keys);
  const changes: JudgedChange[] = [];
  for (const change of vectorChanges(recording))
    changes.push({ ...change, verdict: await judge(changedVector(recording, change), harness) });
  return { ...recording, values, verdict: { findings, changes } };
}

/** A change with what an auditor makes of the vector then. */
export type JudgedChange = VectorChange & { readonly verdict: ChangedVerdict };

/** The first red finding, the code that the audit cannot even begin for, or nothing. */
export type ChangedVerdict = Pick<Finding, "round" | "check" | "code"> | { readonly refused: string } | "green";

export async function judge(recording: Recording, deps: Pick<RoundHarness, "verifier">): Promise<ChangedVerdict> {
  try {
    const red = (await auditVector(recording, deps)).find(({ ok }) => !ok);
    return red === undefined ? "green" : { round: red.round, check: red.check, code: red.code! };
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    return { refused: error.code };
  }
}

async function filesOf(store: ContentStore, cid: string): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, sizeBytes } of await store.list(cid))
    files[name] = await store.getFile(cid, name, { maxBytes: sizeBytes });
  return files;
}

/** What `fl verify` finds of a vector, from nothing else. @throws what an audit that cannot be made ends with */
export function auditVector(
  recording: Recording,
  { verifier }: Pick<RoundHarness, "verifier">,
): Promise<readonly Finding[]> {
  return withTask(recording, async (task) => (await auditTask(task, { verifier })).findings);
}

/** Works on the task of a recording. @throws what opening it does */
export async function withTask<T>({ chain, content }: Recording, work: (task: OpenTask) => Promise<T>): Promise<T> {
  const server = await serveRecorded(chain);
  try {
    const { endpoint, chainId } = await openEndpoint(server.url, BigInt(chain.chainId));
    const reader = await readerAt(endpoint, chainId, chain.contract, { fromBlock: Number(chain.deployed.number) });
    // The recording outlives the contract's code, of which it has nothing (test/chain/released-code.test.ts).
    const recorded = { ...reader, requireReleasedCode: () => Promise.resolve() };
    return await work(await openTask(recorded, publishedFiles(content)));
  } finally {
    await server.close();
  }
}

function publishedFiles(content: RecordedFiles): PublishedFiles {
  return {
    getFile: async (cid, name) => {
      const file = content[cid]?.[name];
      if (file === undefined) throw new VerisumError("IPFS_UNAVAILABLE", `nobody has ${name} of ${cid}`, { cid });
      return file;
    },
  };
}

/** Writes a vector in place of the one that is there. */
export async function writeRoundVector({ content, ...files }: RoundVector): Promise<void> {
  await rm(VECTOR_FOLDER, { recursive: true, force: true });
  for (const [cid, published] of Object.entries(content)) {
    await mkdir(join(VECTOR_FOLDER, "content", cid), { recursive: true });
    for (const [name, bytes] of Object.entries(published))
      await writeFile(join(VECTOR_FOLDER, "content", cid, name), bytes);
  }
  for (const [name, value] of Object.entries(files))
    await writeFile(join(VECTOR_FOLDER, `${name}.json`), `${JSON.stringify(value, undefined, 1)}\n`);
}

/** The vector of the repository. */
export async function readRoundVector(): Promise<RoundVector> {
  const content: Record<string, Record<string, Uint8Array>> = {};
  for (const cid of await readdir(join(VECTOR_FOLDER, "content"))) {
    const folder = join(VECTOR_FOLDER, "content", cid);
    content[cid] = {};
    for (const name of await readdir(folder)) content[cid][name] = new Uint8Array(await readFile(join(folder, name)));
  }
  const json = async (name: keyof RoundVector): Promise<never> =>
    JSON.parse(await readFile(join(VECTOR_FOLDER, `${name}.json`), "utf8")) as never;
  return { chain: await json("chain"), content, values: await json("values"), verdict: await json("verdict") };
}
