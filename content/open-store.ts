import type { Reporter } from "../protocol/reporter.ts";
import { createKuboStore } from "./kubo.ts";
import { createContentStore } from "./store.ts";
import type { ContentStore } from "./store.ts";

/** Where content is kept. */
export interface ContentPlace {
  /** Of blocks and pins; not used where a Kubo node keeps them. */
  readonly directory: string;
  /** An external Kubo node's RPC URL, instead of the directory. */
  readonly ipfsApi?: string;
}

/**
 * Opens the store in a place, which fetches what is missing from peers.
 * @throws IPFS_API_FAILED, IPFS_PEER_URL of a node; STORAGE_LOCKED, STORAGE_NEWER, IPFS_STORE_FAILED of a directory
 */
export function openContentStore(
  { directory, ipfsApi }: ContentPlace,
  peers: () => readonly string[],
  reporter: Reporter,
): Promise<ContentStore> {
  return ipfsApi === undefined
    ? createContentStore({ directory, peers, reporter })
    : createKuboStore({ apiUrl: ipfsApi, peers, reporter });
}
