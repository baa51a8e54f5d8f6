import type { CID } from "multiformats/cid";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { encodeCar } from "./car.ts";
import { blockMatches, isDirectoryCid, RAW_CODEC } from "./cid.ts";
import { MAX_BLOCK_BYTES } from "./dag.ts";
import { withDeadline } from "./deadline.ts";
import { createPeerReader } from "./peer-reader.ts";
import { describe, parsePeerUrl, readBody } from "./peers.ts";
import type { Fetch } from "./peers.ts";
import { report } from "./report.ts";
import { contentStoreOver, DEFAULT_STORE_LIMITS } from "./store.ts";
import type { ContentStore, StoreLimits } from "./store.ts";

export interface KuboOptions {
  /**
   * Base URL of the node's RPC interface, such as http://127.0.0.1:5001. It grants full control: keep it on loopback.
   */
  readonly apiUrl: string;
  readonly fetch?: Fetch;
  /** Base URLs of trustless gateways, asked for what the node does not hold; it gets what they deliver. */
  readonly peers?: () => readonly string[];
  /** How peers are asked; the node itself is asked by `fetch`. */
  readonly fetchPeer?: Fetch;
  readonly limits?: Partial<StoreLimits>;
  /** Told of wrong bytes from the node, and of peers that do not deliver. */
  readonly reporter: Reporter;
}

const MAX_ANSWER_BYTES = 16_777_216;
/** Of the list of pins, its owner's included: about 700,000. */
const MAX_PINS_BYTES = 67_108_864;
/**
 * Kubo has no code for a missing block; these are its words (boxo ipld/format ErrNotFound and the offline exchange).
 */
const MISSING = /could not find|not found/i;
/** Kubo's words when its own `timeout` option ends a search. */
const TIMED_OUT = /deadline exceeded|context canceled/i;

/** An answer of the RPC interface that is not 200. */
interface ApiRefusal {
  readonly status: number;
  readonly message: string;
}

/**
 * A content store over an external Kubo node (https://docs.ipfs.tech/reference/kubo/rpc/).
 *
 * Blocks are made here and sent as a CAR, so that CIDs do not depend on how the node is set up, and every block that
 * the node returns is hashed and compared. What it lacks is fetched from peers, verified and added to it; and then
 * looked for in its own network.
 *
 * @throws VerisumError IPFS_API_FAILED if the node does not answer, IPFS_PEER_URL
 */
export async function createKuboStore(options: KuboOptions): Promise<ContentStore> {
  const limits = { ...DEFAULT_STORE_LIMITS, ...options.limits };
  const node = new KuboNode(parsePeerUrl(options.apiUrl), options.fetch ?? globalThis.fetch, limits.callTimeoutMs);
  await node.expect("version", {});
  const { peers = () => [], fetchPeer, reporter } = options;
  const readFromPeers = createPeerReader({ peers, fetch: fetchPeer, limits, reporter });
  const readVerified = async (
    cid: CID,
    args: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Uint8Array | string> => {
    const answer = await node.call(
      "block/get",
      { arg: cid.toString(), ...args },
      { signal, maxBytes: MAX_BLOCK_BYTES },
    );
    if (!(answer instanceof Uint8Array)) return checkMissing(answer);
    if (await blockMatches(cid, answer)) return answer;
    reportWrongBytes(options, cid.toString());
    return "the node returned bytes that do not hash to the CID";
  };
  /** The block, from the node or else from a peer; or why no peer delivered it. */
  const readHeldOrFromPeers = async (cid: CID, signal: AbortSignal): Promise<Uint8Array | readonly string[]> => {
    const held = await readVerified(cid, { offline: "true" }, signal);
    if (typeof held !== "string") return held;
    try {
      const bytes = await readFromPeers(cid, signal);
      await node.put(cid, bytes);
      return bytes;
    } catch (cause) {
      if (!isVerisumError(cause, "IPFS_UNAVAILABLE")) throw cause;
      return (cause.details["failures"] ?? []) as readonly string[];
    }
  };
  return contentStoreOver(
    {
      readLocal: async (cid) => {
        const found = await readVerified(cid, { offline: "true" });
        return typeof found === "string" ? undefined : found;
      },
      readAnywhere: async (cid, signal) => {
        // The task's nodes before the node's own network, which may have to be searched for long.
        const fromPeers = peers().length === 0 ? [] : await readHeldOrFromPeers(cid, signal);
        if (fromPeers instanceof Uint8Array) return fromPeers;
        const found = await readVerified(cid, { timeout: `${limits.blockTimeoutMs}ms` }, signal);
        if (typeof found !== "string") return found;
        const details = {
          cid: cid.toString(),
          failures: [...fromPeers, `${options.apiUrl}: ${found}`],
          retryable: true,
        };
        throw new VerisumError("IPFS_UNAVAILABLE", `block ${cid.toString()} is unavailable: ${found}`, details);
      },
      commit: async (root, blocks) => {
        const form = new FormData();
        form.append("file", new Blob([encodeCar(root, blocks)]), "directory.car");
        assertPinned(root, await node.expect("dag/import", { "pin-roots": "true" }, form));
      },
      pins: () => recursivePins(node),
      remove: async (roots) => {
        // Others that the node's owner made, of single blocks, are not taken off.
        const pinned = new Set(await recursivePins(node));
        for (const root of roots) if (pinned.has(root.toString())) await unpin(node, root);
      },
      close: async () => undefined,
    },
    limits,
  );
}

function failed(message: string, details: Readonly<Record<string, string | number>> = {}): VerisumError {
  return new VerisumError("IPFS_API_FAILED", `the IPFS node's RPC interface ${message}`, details);
}

function reportWrongBytes({ apiUrl, reporter }: KuboOptions, cid: string): void {
  const text = `the IPFS node at ${apiUrl} returned wrong bytes for block ${cid}, which counts as missing`;
  report(reporter, "warn", "peer-wrong-bytes", text, { subject: apiUrl, cid });
}

/** Returns the node's words if they mean that the block was not found; otherwise the node itself has failed. */
function checkMissing({ status, message }: ApiRefusal): string {
  if (MISSING.test(message) || TIMED_OUT.test(message)) return message;
  throw failed(`answered block/get with status ${status}: ${message}`, { status });
}

/** The calls of one node. */
class KuboNode {
  readonly #base: URL;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;

  constructor(base: URL, fetch: Fetch, timeoutMs: number) {
    this.#base = base;
    this.#fetch = fetch;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws VerisumError IPFS_API_FAILED if the node cannot be reached; IPFS_UNAVAILABLE if time is up */
  async call(
    command: string,
    args: Readonly<Record<string, string>>,
    options: { signal?: AbortSignal | undefined; maxBytes?: number; body?: FormData | undefined } = {},
  ): Promise<Uint8Array | ApiRefusal> {
    const url = new URL(`api/v0/${command}`, this.#base);
    for (const [name, value] of Object.entries(args)) url.searchParams.set(name, value);
    try {
      return await withDeadline(this.#timeoutMs, options.signal, async (signal) => {
        const body = options.body === undefined ? {} : { body: options.body };
        const response = await this.#fetch(url, { method: "POST", redirect: "error", signal, ...body });
        const maxBytes = response.ok ? (options.maxBytes ?? MAX_ANSWER_BYTES) : MAX_ANSWER_BYTES;
        const bytes = await readBody(response, maxBytes, signal);
        return response.ok ? bytes : { status: response.status, message: messageIn(bytes) };
      });
    } catch (cause) {
      if (isVerisumError(cause)) throw cause;
      throw failed(`does not answer ${command}: ${describe(cause)}`);
    }
  }

  /** Adds a verified block, under the very CID. @throws VerisumError IPFS_API_FAILED */
  async put(cid: CID, bytes: Uint8Array): Promise<void> {
    const form = new FormData();
    form.append("file", new Blob([bytes]), "block");
    const codec = cid.code === RAW_CODEC ? "raw" : "dag-pb";
    // Others choose how large their blocks are, up to MAX_BLOCK_BYTES; a node's own limit may be half of that.
    const args = { "cid-codec": codec, mhtype: "sha2-256", "allow-big-block": "true" };
    const [line] = await this.expect("block/put", args, form);
    const { Key: key } = (line ?? {}) as { Key?: unknown };
    if (key !== cid.toString()) throw failed(`stored block ${cid.toString()} as ${String(key)}`);
  }

  /** The answer as text lines. @throws VerisumError IPFS_API_FAILED for every answer but success */
  async expect(
    command: string,
    args: Readonly<Record<string, string>>,
    body?: FormData,
    maxBytes = MAX_ANSWER_BYTES,
  ): Promise<readonly unknown[]> {
    const answer = await this.call(command, args, { body, maxBytes });
    if (!(answer instanceof Uint8Array)) {
      throw failed(`answered ${command} with status ${answer.status}: ${answer.message}`, { status: answer.status });
    }
    try {
      const lines = new TextDecoder().decode(answer).split("\n");
      return lines.filter((line) => line.trim() !== "").map((line): unknown => JSON.parse(line));
    } catch {
      throw failed(`answered ${command} with something other than JSON`);
    }
  }
}

function messageIn(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes).slice(0, 500);
  try {
    const { Message: message } = JSON.parse(text) as { Message?: unknown };
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

/** Checks the answer of dag/import: one line for the root, without a pinning error. */
function assertPinned(root: CID, lines: readonly unknown[]): void {
  for (const line of lines) {
    const { Root: imported } = line as { Root?: { Cid?: { "/"?: string }; PinErrorMsg?: string } };
    if (imported?.Cid?.["/"] !== root.toString()) continue;
    if ((imported.PinErrorMsg ?? "") !== "") throw failed(`could not pin ${root.toString()}: ${imported.PinErrorMsg}`);
    return;
  }
  throw failed(`did not confirm the import of ${root.toString()}`, { cid: root.toString() });
}

/** Kubo's words when it is asked to drop a pin that it does not have. */
const NOT_PINNED = /not pinned/i;

/** Takes a pin off; the node's own garbage collection takes the blocks. */
async function unpin(node: KuboNode, root: CID): Promise<void> {
  const answer = await node.call("pin/rm", { arg: root.toString() });
  if (answer instanceof Uint8Array || NOT_PINNED.test(answer.message)) return;
  throw failed(`answered pin/rm with status ${answer.status}: ${answer.message}`, { status: answer.status });
}

/** @throws VerisumError IPFS_API_FAILED, also where the list is longer than is read */
async function recursivePins(node: KuboNode): Promise<readonly string[]> {
  try {
    return readPins(await node.expect("pin/ls", { type: "recursive" }, undefined, MAX_PINS_BYTES));
  } catch (cause) {
    if (!isVerisumError(cause, "IPFS_LIMIT_EXCEEDED")) throw cause;
    throw failed(`lists more pins than are read: ${cause.message}`);
  }
}

/** The node's pins that could be directories of this project; its owner may have pinned other things. */
function readPins(lines: readonly unknown[]): readonly string[] {
  const { Keys: keys } = (lines[0] ?? {}) as { Keys?: Readonly<Record<string, unknown>> };
  return Object.keys(keys ?? {})
    .filter(isDirectoryCid)
    .sort();
}
