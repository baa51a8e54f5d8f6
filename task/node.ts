/** What every command opens: the chain, a private directory, content, peers, the task. */
import { join } from "node:path";
import { persist } from "../command/run.ts";
import { abortableSleep } from "../command/sleep.ts";
import type { Sleep } from "../protocol/ports.ts";
import { limitedReporter } from "../protocol/limited-reporter.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { connectReader, connectWriter } from "../chain/connect.ts";
import type { ConnectOptions } from "../chain/connect.ts";
import { openEventStore } from "../chain/event-store.ts";
import { loadWallet } from "../chain/key-file.ts";
import type { TaskReader, TaskWriter } from "../chain/task-chain.ts";
import type { OnEndpoint } from "../chain/transport.ts";
import { peerFetch } from "../content/peer-fetch.ts";
import { openContentStore } from "../content/open-store.ts";
import type { ContentStore } from "../content/store.ts";
import type { SharedRecords } from "../storage/own-record.ts";
import { openStateDirectory } from "../storage/state-directory.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { bindDeployment } from "./deployment.ts";
import { siblingReleases } from "./node-statements.ts";
import { createPeerNetwork } from "./peer-network.ts";
import type { PeerNetwork, PeerNetworkOptions } from "./peer-network.ts";
import { openTask } from "./open-task.ts";
import type { PublishingTask } from "./opened-task.ts";
import { withSecondLook } from "./second-look.ts";
import { uploadAuthorization } from "./upload-authorisation.ts";
import { whenAvailable } from "./when-available.ts";

export interface NodeOptions extends ConnectOptions {
  readonly stateDirectory: string;
  /** Where content is kept; inside the state directory unless told. */
  readonly storeDirectory?: string;
  /** An external Kubo node's RPC URL, instead of a directory. */
  readonly ipfsApi?: string;
  /** Where the user's processes remember which keys passed their checks; in the state directory if absent. */
  readonly records?: SharedRecords;
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
  /** Does what needs content of others, and again until a node that has it is up. */
  available<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface WritingNode extends ReadingNode {
  readonly chain: TaskWriter;
}

/** A node without an account: reads and verifies. */
export async function openReadingNode(
  options: NodeOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<ReadingNode> {
  const authorise = (): Promise<string> => Promise.reject(new Error("a reading node uploads nothing"));
  return openNode(connectReader, options, {
    reporter,
    signal,
    authorise: () => authorise,
    patiently: (work) => work(),
  });
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
  return openNode((connection) => connectWriter({ ...connection, wallet }), options, {
    reporter,
    signal,
    authorise: (chain) => (upload) => uploadAuthorization(chain, upload, Math.floor(Date.now() / 1000)),
    patiently: (work) => persist(work, reporter, sleep),
  });
}

/** How a node opens what it opens. */
interface Opening<Chain> {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly authorise: (chain: Chain) => PeerNetworkOptions["authorise"];
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

async function openNode<Chain extends TaskReader>(
  connect: (options: ConnectOptions) => Promise<Chain>,
  options: NodeOptions,
  opening: Opening<Chain>,
): Promise<ReadingNode & { readonly chain: Chain }> {
  const { reporter, signal, patiently } = opening;
  const state = await openStateDirectory(options.stateDirectory);
  try {
    const eventStore = openEventStore(state.path);
    const { chain, scope } = await patiently(async () => {
      const connected = await connect({ ...watched(options, reporter, signal), eventStore });
      const { chainId, contract } = connected.context;
      const name = `${chainId}-${contract}`;
      await bindDeployment(state, connected, name, reporter);
      return { chain: connected, scope: name };
    });
    return await openInside(state, chain, scope, options, opening);
  } catch (error) {
    await state.release();
    throw error;
  }
}

async function openInside<Chain extends TaskReader>(
  state: StateDirectory,
  chain: Chain,
  scope: string,
  options: NodeOptions,
  { reporter, signal, authorise, patiently }: Opening<Chain>,
): Promise<ReadingNode & { readonly chain: Chain }> {
  const pause = abortableSleep(signal);
  // Before each look of the role: its next write belongs where its earlier ones are.
  const sleep: Sleep = async (milliseconds) => {
    await pause(milliseconds);
    await state.requireHeld();
  };
  const observer = limitedReporter(reporter, () => performance.now());
  const network = createPeerNetwork(chain, {
    bootstrap: options.peers,
    ...(options.ownEndpoint === undefined ? {} : { own: options.ownEndpoint }),
    authorise: authorise(chain),
    sleep,
    clock: () => performance.now(),
    reporter: observer,
  });
  await patiently(network.refresh);
  const store = await openStore(options, network, observer);
  try {
    const available = <T>(work: () => Promise<T>): Promise<T> =>
      patiently(() => whenAvailable(work, { chain, network, reporter, sleep }));
    const releasesOf = siblingReleases(network, { fetch: peerFetch, clock: () => performance.now() });
    const task = await available(withSecondLook(() => openTask(chain, store, releasesOf), chain));
    if (task.cells !== undefined) {
      task.cells.siblings.forEach(network.include);
      await patiently(network.refresh);
    }
    return {
      ...{ chain, state, store, network, task, sleep, observer, scope, available },
      close: async () => {
        await chain.save().catch(() => undefined); // it is read from the chain again
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
  const { ipfsApi, storeDirectory, stateDirectory } = options;
  const directory = storeDirectory ?? join(stateDirectory, "ipfs");
  return openContentStore({ directory, ...(ipfsApi === undefined ? {} : { ipfsApi }) }, network.sources, reporter);
}
