/** What every command opens: the chain, a private directory, content, peers, the task. */
import { join } from "node:path";
import { isVerisumError } from "../protocol/errors.ts";
import { persist } from "../command/run.ts";
import { abortableSleep } from "../command/sleep.ts";
import type { Sleep } from "../protocol/ports.ts";
import { limitedReporter } from "../protocol/limited-reporter.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { connectReader, connectWriter } from "../chain/connect.ts";
import type { ConnectOptions } from "../chain/connect.ts";
import { loadWallet } from "../chain/key-file.ts";
import type { TaskReader, TaskWriter } from "../chain/task-chain.ts";
import type { OnEndpoint } from "../chain/transport.ts";
import { createKuboStore } from "../content/kubo.ts";
import { createContentStore } from "../content/store.ts";
import type { ContentStore } from "../content/store.ts";
import { openStateDirectory } from "../storage/state-directory.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { createPeerNetwork } from "./peer-network.ts";
import type { PeerNetwork } from "./peer-network.ts";
import { openTask } from "./open-task.ts";
import type { PublishingTask } from "./opened-task.ts";
import { uploadAuthorization } from "./upload-authorisation.ts";

export interface NodeOptions extends ConnectOptions {
  readonly stateDirectory: string;
  /** Where content is kept; inside the state directory unless told. */
  readonly storeDirectory?: string;
  /** An external Kubo node's RPC URL, instead of a directory. */
  readonly ipfsApi?: string;
  /** Rounds before the present one whose share bundles and sums are kept; 8 unless told. */
  readonly keepRounds?: number;
  /** Nodes to ask for content before the chain names any. */
  readonly peers: readonly string[];
  /** This node's own announced endpoint. */
  readonly ownEndpoint?: string;
}

export interface ReadingNode {
  readonly chain: TaskReader;
  readonly state: StateDirectory;
  readonly store: ContentStore;
  readonly network: PeerNetwork;
  readonly task: PublishingTask;
  readonly sleep: Sleep;
  /** Told of what strangers cause, once in a while. */
  readonly observer: Reporter;
  /** Names (chain, contract) inside the state directory. */
  readonly scope: string;
  close(): Promise<void>;
}

export interface WritingNode extends ReadingNode {
  readonly chain: TaskWriter;
}

/** Copies of published content that other parties must hold (threats I1). */
const MIN_COPIES = 2;
const RETRY_MS = 500;

/** A node without an account: reads and verifies. */
export async function openReadingNode(
  options: NodeOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<ReadingNode> {
  const authorise = (): Promise<string> => Promise.reject(new Error("a reading node uploads nothing"));
  const chain = await connectReader(watched(options, reporter, signal));
  return openNode(chain, options, { reporter, signal, authorise, patiently: (work) => work() });
}

/**
 * A node with an account. While the chain's endpoint is away, it waits.
 * @throws KEY_MISSING, KEY_INVALID, KEY_FILE_PERMISSIONS, CHAIN_WRONG_NETWORK, CHAIN_NO_CONTRACT,
 * TASK_DOCUMENT_INVALID, PARAMETERS_INVALID, STORAGE_LOCKED, INTERRUPTED
 */
export async function openWritingNode(
  options: NodeOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<WritingNode> {
  const wallet = options.wallet ?? (await loadWallet(options.key, process.env));
  const sleep = abortableSleep(signal);
  const patiently: Opening["patiently"] = (work) => persist(work, reporter, sleep);
  const chain = await patiently(() => connectWriter({ ...watched(options, reporter, signal), wallet }));
  const authorise = (root: string): Promise<string> => uploadAuthorization(chain, root, Math.floor(Date.now() / 1000));
  return { ...(await openNode(chain, options, { reporter, signal, authorise, patiently })), chain };
}

/** How a node opens what it opens. */
interface Opening {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly authorise: (root: string) => Promise<string>;
  /** Does what needs the chain. */
  readonly patiently: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The connection's options with a signal that ends it, and somebody who says what becomes of its endpoints. */
function watched(options: NodeOptions, reporter: Reporter, signal: AbortSignal): ConnectOptions {
  const onEndpoint: OnEndpoint = (event, url, why) => {
    if (event === "back") reporter.say("info", "endpoint-back", `${url} answers again`, { subject: url });
    else
      reporter.say("warn", "endpoint-set-aside", `${url} fails and is set aside for a while: ${why}`, { subject: url });
  };
  return { ...options, signal, onEndpoint };
}

async function openNode(chain: TaskReader, options: NodeOptions, opening: Opening): Promise<ReadingNode> {
  const state = await openStateDirectory(options.stateDirectory);
  try {
    return await openInside(state, chain, options, opening);
  } catch (error) {
    await state.release();
    throw error;
  }
}

async function openInside(
  state: StateDirectory,
  chain: TaskReader,
  options: NodeOptions,
  { reporter, signal, authorise, patiently }: Opening,
): Promise<ReadingNode> {
  const sleep = abortableSleep(signal);
  const observer = limitedReporter(reporter, () => performance.now());
  const network = createPeerNetwork(chain, {
    bootstrap: options.peers,
    ...(options.ownEndpoint === undefined ? {} : { own: options.ownEndpoint }),
    minCopies: MIN_COPIES,
    authorise,
    sleep,
    reporter: observer,
  });
  await patiently(network.refresh);
  const store = await openStore(options, network, observer);
  try {
    const task = await patiently(() => whenAvailable(() => openTask(chain, store), network, reporter, sleep));
    task.cells?.siblings.forEach(network.include);
    await patiently(network.refresh);
    return {
      chain,
      state,
      store,
      network,
      task,
      sleep,
      observer,
      scope: `${chain.context.chainId}-${chain.context.contract}`,
      close: async () => {
        await store.close();
        await state.release();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function openStore(options: NodeOptions, network: PeerNetwork, reporter: Reporter): Promise<ContentStore> {
  if (options.ipfsApi !== undefined)
    return createKuboStore({ apiUrl: options.ipfsApi, peers: network.sources, reporter });
  return createContentStore({
    directory: options.storeDirectory ?? join(options.stateDirectory, "ipfs"),
    peers: network.sources,
    reporter,
  });
}

/**
 * Tries again until a node that has the content is up; says what it waits for. @throws anything but IPFS_UNAVAILABLE at
 * once
 */
async function whenAvailable<T>(
  work: () => Promise<T>,
  network: PeerNetwork,
  reporter: Reporter,
  sleep: Sleep,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isVerisumError(error, "IPFS_UNAVAILABLE")) throw error;
      const asked = network.peers().join(", ") || "nobody: give --peer";
      reporter.wait(`waiting for a node that has the task's content; asked ${asked}`, {
        missing: error.message,
      });
      await sleep(RETRY_MS);
      await network.refresh();
    }
  }
}
