import type { CID } from "multiformats/cid";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { RAW_MEDIA_TYPE } from "./car.ts";
import { blockMatches } from "./cid.ts";
import { MAX_BLOCK_BYTES } from "./dag.ts";
import { withProgress } from "./deadline.ts";
import { mayHoldPeer } from "./peer-address.ts";
import { concatenate } from "../protocol/bytes.ts";
import { report } from "./report.ts";
import type { ContentEvent } from "./report.ts";

export type Fetch = typeof globalThis.fetch;

/**
 * Checks a peer's base URL. The URL parser has already turned forms such as 0x7f000001 into dotted quads.
 *
 * @throws VerisumError IPFS_PEER_URL
 */
export function parsePeerUrl(text: string): URL {
  const refuse = (cause: string): VerisumError =>
    new VerisumError("IPFS_PEER_URL", `peer address ${JSON.stringify(text.slice(0, 200))} ${cause}`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse("is not a URL");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("is not http or https");
  if (url.username !== "" || url.password !== "") throw refuse("has a user name or password in it");
  if (url.search !== "" || url.hash !== "") throw refuse("has a query or fragment");
  if (!mayHoldPeer(url.hostname)) throw refuse("is one where no peer lives");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/**
 * Reads a response body up to a limit, without trusting Content-Length. Lets go of the connection when `signal` aborts.
 *
 * @param onBytes told of how much has come in all
 * @throws VerisumError IPFS_LIMIT_EXCEEDED, or the signal's reason
 */
export async function readBody(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
  onBytes: (total: number) => void = () => undefined,
): Promise<Uint8Array> {
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const letGo = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", letGo, { once: true });
  try {
    const parts: Uint8Array[] = [];
    let total = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      total += read.value.length;
      if (total > maxBytes) {
        throw new VerisumError("IPFS_LIMIT_EXCEEDED", `an answer is longer than ${maxBytes} bytes`, {
          limit: maxBytes,
        });
      }
      parts.push(read.value);
      onBytes(total);
    }
    signal.throwIfAborted();
    return concatenate(parts);
  } finally {
    signal.removeEventListener("abort", letGo);
    letGo();
  }
}

/** A peer whose bytes come more slowly than this, once its patience is over, does not deliver. */
const LEAST_BYTES_PER_SECOND = 65_536;
/** A peer that takes this long besides, delivers, but counts as one that failed: others are asked before it. */
const SLOW_MS = 2000;

export interface PeerOptions {
  readonly peers: readonly string[];
  readonly fetch: Fetch;
  /** Most time that one peer has to deliver one block; less if it sends too little. */
  readonly blockTimeoutMs: number;
  /** Time within which its answer has to begin, and to get on. */
  readonly blockPatienceMs: number;
  /** Ends the whole reading this block belongs to. */
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
  /** Told how each peer that was asked did. */
  readonly onAnswer?: (peer: string, answer: PeerAnswer) => void;
}

/** One that keeps readers waiting, or sends wrong bytes, failed; one that says at once that it has nothing refused. */
export type PeerAnswer = "delivered" | "refused" | "failed";

/**
 * Fetches one block from the first peer that delivers the right bytes (`GET /ipfs/{cid}?format=raw`).
 * Redirects are not followed. Peers that answer wrongly are reported, and named in the error.
 *
 * @throws VerisumError IPFS_UNAVAILABLE (retryable) when every peer failed
 */
export async function fetchBlock(cid: CID, options: PeerOptions): Promise<Uint8Array> {
  const failures: string[] = [];
  for (const peer of options.peers) {
    try {
      return await fetchBlockFrom(peer, cid, options);
    } catch (cause) {
      if (options.signal.aborted) {
        failures.push(`${peer}: time is up`);
        break;
      }
      options.onAnswer?.(peer, cause instanceof RefusedByPeer ? "refused" : "failed");
      const reason = describe(cause);
      failures.push(`${peer}: ${reason}`);
      reportFailure(options.reporter, peer, cid, cause);
    }
  }
  const summary = failures.length === 0 ? "there are no peers to ask" : failures.join("; ");
  throw new VerisumError("IPFS_UNAVAILABLE", `block ${cid.toString()} is unavailable: ${summary}`, {
    cid: cid.toString(),
    failures,
    retryable: true,
  });
}

async function fetchBlockFrom(peer: string, cid: CID, options: PeerOptions): Promise<Uint8Array> {
  const url = new URL(`ipfs/${cid.toString()}?format=raw`, parsePeerUrl(peer));
  const started = performance.now();
  const bytes = await withProgress(
    options.blockTimeoutMs,
    options.blockPatienceMs,
    options.signal,
    async (signal, extend) => {
      const response = await options.fetch(url, { headers: { accept: RAW_MEDIA_TYPE }, redirect: "error", signal });
      const onBytes = (total: number): void => extend((total / LEAST_BYTES_PER_SECOND) * 1000);
      if (response.status === 200) return readBody(response, MAX_BLOCK_BYTES, signal, onBytes);
      await response.body?.cancel();
      throw new RefusedByPeer(response.status);
    },
  );
  const slowMs = SLOW_MS + (bytes.length / LEAST_BYTES_PER_SECOND) * 1000;
  if (await blockMatches(cid, bytes)) {
    options.onAnswer?.(peer, performance.now() - started > slowMs ? "failed" : "delivered");
    return bytes;
  }
  throw new VerisumError("IPFS_BLOCK_MISMATCH", "the bytes do not hash to the CID", { peer, cid: cid.toString() });
}

class RefusedByPeer extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

function reportFailure(reporter: Reporter, peer: string, cid: CID, cause: unknown): void {
  const event = eventOf(cause);
  if (event === undefined) return;
  const reason = describe(cause);
  const text = `${peer} did not deliver block ${cid.toString()}: ${reason}; other peers are asked, this one last`;
  report(reporter, "warn", event, text, { subject: peer, cid: cid.toString(), reason });
}

/** Undefined for an honest answer: a peer need not have every block. */
function eventOf(cause: unknown): ContentEvent | undefined {
  if (cause instanceof RefusedByPeer) return cause.status === 404 ? undefined : "peer-refused";
  if (isVerisumError(cause, "IPFS_PEER_URL")) return "peer-not-asked";
  if (isVerisumError(cause, "IPFS_UNAVAILABLE")) return "peer-too-slow";
  return isVerisumError(cause) ? "peer-wrong-bytes" : "peer-unreachable";
}

/** One line on why a request failed. */
export function describe(cause: unknown): string {
  if (isVerisumError(cause)) return `${cause.code}: ${cause.message}`;
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause instanceof Error ? ` (${cause.cause.message})` : "";
  return `${cause.message}${inner}`;
}
