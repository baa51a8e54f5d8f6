/** How every store asks its peers: each time those first that did well before. */
import type { CID } from "multiformats/cid";
import type { Reporter } from "../protocol/reporter.ts";
import { createPeerOrder } from "./peer-order.ts";
import { peerFetch } from "./peer-fetch.ts";
import { fetchBlock } from "./peers.ts";
import type { Fetch, PeerOptions } from "./peers.ts";

/** A block from a peer, verified, until the signal aborts. @throws IPFS_UNAVAILABLE */
export type ReadFromPeers = (cid: CID, signal: AbortSignal) => Promise<Uint8Array>;

export interface PeerReaderOptions {
  /** Base URLs of trustless gateways. */
  readonly peers: () => readonly string[];
  /** How they are asked; as nodes of strangers unless told. */
  readonly fetch?: Fetch | undefined;
  readonly limits: Pick<PeerOptions, "blockTimeoutMs" | "blockPatienceMs">;
  /** Told of peers that deliver nothing or wrong bytes. */
  readonly reporter: Reporter;
}

export function createPeerReader({ peers, fetch = peerFetch, limits, reporter }: PeerReaderOptions): ReadFromPeers {
  const order = createPeerOrder();
  const { blockTimeoutMs, blockPatienceMs } = limits;
  return (cid, signal) =>
    fetchBlock(cid, {
      ...{ peers: order.sorted(peers()), onAnswer: order.note },
      ...{ fetch, blockTimeoutMs, blockPatienceMs, signal, reporter },
    });
}
