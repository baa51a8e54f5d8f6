/** What several checks look at, each opened once and only if a check asks for it. Nothing is locked or written. */
import { statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Wallet } from "ethers";
import { connectReader } from "../../chain/connect.ts";
import { openEventStore } from "../../chain/event-store.ts";
import { loadWallet } from "../../chain/key-file.ts";
import { openEndpoint } from "../../chain/rpc.ts";
import type { Endpoint } from "../../chain/rpc.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import { finalityDepth, measureTiming } from "../../chain/timing.ts";
import type { ChainTiming } from "../../chain/timing.ts";
import type { ListenAddress } from "../../command/listen-address.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { createKuboStore } from "../../content/kubo.ts";
import { readingStore } from "../../content/reading-store.ts";
import type { ReadingStore } from "../../content/reading-store.ts";
import { bundleBytes } from "../../protocol/bundle.ts";
import { ELEMENT_BYTES, MAX_COHORT } from "../../protocol/parameters.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { openTask } from "../../task/open-task.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { createPeerNetwork } from "../../task/peer-network.ts";
import { DEFAULT_KEEP_ROUNDS } from "../../task/pruning.ts";
import { source } from "./check.ts";
import type { Source } from "./check.ts";
import type { DiskReading, RoundGrowth } from "./machine.ts";

/** What `fl doctor` is told: a role's own options. What is absent is not checked. */
export interface DoctorOptions {
  readonly contract?: Hex;
  /** Endpoints, the first of which is asked first; none if no chain is to be asked. */
  readonly rpc: readonly string[];
  readonly chainId?: bigint;
  readonly confirmations?: number;
  readonly fromBlock?: number;
  /** The account's key file; the environment's key if absent. */
  readonly key?: string;
  readonly state?: string;
  readonly store?: string;
  readonly ipfsApi?: string;
  readonly peer: readonly string[];
  readonly data?: string;
  readonly listen?: ListenAddress;
}

/** A chain by the first of its endpoints that answers. */
interface OpenedChain {
  readonly endpoint: Endpoint;
  readonly chainId: bigint;
}

export interface Sources {
  readonly chain: Source<OpenedChain>;
  readonly timing: Source<ChainTiming>;
  readonly contract: Source<TaskReader>;
  readonly peers: Source<readonly string[]>;
  readonly kubo: Source<ReadingStore>;
  readonly task: Source<OpenTask & { readonly store: ReadingStore }>;
  readonly wallet: Source<Wallet>;
}

/** An endpoint that answers later than this is tried again: five times in all. */
const REQUEST_TIMEOUT_MS = 3_000;
/** What the sources would say is what the checks find. */
const SILENT: Reporter = { say: () => undefined, wait: () => undefined };

/** @param environment with the account's key, which is taken out of it */
export function sourcesOf(options: DoctorOptions, environment: NodeJS.ProcessEnv, signal: AbortSignal): Sources {
  const { rpc, contract: address, chainId, confirmations, fromBlock, state } = options;
  const transport = { signal, timeoutMs: REQUEST_TIMEOUT_MS };
  const chain = source("the chain", () => openEndpoint(rpc, chainId, transport));
  const timing = source("the chain", async () => {
    const { endpoint, chainId: id } = await chain.get();
    return measureTiming(endpoint, id, finalityDepth(id, confirmations));
  });
  const contract = source("the contract", async () => {
    await chain.get();
    return connectReader({
      ...{ rpc, contract: address!, ...transport },
      ...(confirmations === undefined ? {} : { confirmations }),
      ...(chainId === undefined ? {} : { chainId }),
      ...(fromBlock === undefined ? {} : { fromBlock }),
      ...(state === undefined ? {} : { eventStore: openEventStore(state) }),
    });
  });
  const peers = source("the contract", async () => nodesOf(await contract.get(), options.peer));
  const kubo = source("the IPFS node", () => createKuboStore({ apiUrl: options.ipfsApi!, reporter: SILENT }));
  const task = source("the task's document", async () => {
    const nodes = await peers.get();
    const store =
      options.ipfsApi === undefined
        ? readingStore({ directory: storeDirectoryOf(options), peers: () => nodes, reporter: SILENT })
        : await kubo.get();
    return openTask(await contract.get(), store);
  });
  const wallet = source("the account", () => loadWallet(options.key, environment));
  return { chain, timing, contract, peers, kubo, task, wallet };
}

/** The nodes that were named, and those that the task's parties announced. */
async function nodesOf(chain: TaskReader, named: readonly string[]): Promise<readonly string[]> {
  const network = createPeerNetwork(chain, {
    bootstrap: named,
    authorise: () => Promise.reject(new Error("nothing is uploaded")),
    sleep: async () => undefined,
    clock: () => 0,
    reporter: SILENT,
  });
  await network.refresh();
  return network.peers();
}

/** Where content is kept, as roles have it. */
export function storeDirectoryOf({ state, store }: Pick<DoctorOptions, "state" | "store">): string {
  return store ?? join(state ?? join(".verisum", "reader"), "ipfs");
}

/** Free space on the disk that a folder is on, or will be. */
export async function readDisk(path: string): Promise<DiskReading> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await statfs(folder).catch(() => undefined);
    if (found !== undefined) return { path: folder, freeBytes: found.bavail * found.bsize };
    if (folder === dirname(folder)) throw new Error(`no folder above ${path}`);
  }
}

/**
 * What a round leaves behind, measured on the latest model as it is published, and what is kept until it is over
 * (docs/state.md, What is removed).
 */
export async function growthOf({
  chain,
  store,
  parameters,
  layout,
}: OpenTask & { store: ReadingStore }): Promise<RoundGrowth> {
  const [{ cid }, finalised, clients] = await Promise.all([
    chain.latestModel(),
    chain.finalisedRounds(),
    chain.clientCount(),
  ]);
  const checkpoint = await store.list(cidFromDigest(cid));
  const { committeeSize, threshold, maxRounds, minClients } = parameters;
  const { elementCount } = layout;
  const aggregateBytes = elementCount * ELEMENT_BYTES;
  const bundle = bundleBytes(committeeSize, { elementCount, threshold });
  const cohort = Math.min(MAX_COHORT, Math.max(clients, minClients));
  return {
    perRoundBytes: checkpoint.reduce((sum, { sizeBytes }) => sum + sizeBytes, aggregateBytes),
    transientBytes: (DEFAULT_KEEP_ROUNDS + 1) * (cohort * bundle + committeeSize * aggregateBytes),
    roundsLeft: maxRounds === 0 ? undefined : Math.max(0, maxRounds - finalised),
  };
}
