/** Published files from a store's directory that another process may have open, and from peers; nothing is written. */
import type { CID } from "multiformats/cid";
import type { Reporter } from "../protocol/reporter.ts";
import { readBlock } from "./disk.ts";
import { createPeerReader } from "./peer-reader.ts";
import { contentStoreOver, DEFAULT_STORE_LIMITS } from "./store.ts";
import type { ContentStore, StoreLimits } from "./store.ts";

export interface ReadingStoreOptions {
  readonly directory: string;
  readonly peers: () => readonly string[];
  readonly limits?: Partial<StoreLimits>;
  readonly reporter: Reporter;
}

/** What a store answers without changing anything. */
export type ReadingStore = Pick<ContentStore, "getFile" | "has" | "list">;

/** Unlike a store, it takes no lock and keeps nothing of what it fetches. */
export function readingStore({ directory, peers, reporter, limits: own }: ReadingStoreOptions): ReadingStore {
  const limits = { ...DEFAULT_STORE_LIMITS, ...own };
  const readFromPeers = createPeerReader({ peers, limits, reporter });
  const readLocal = async (cid: CID): Promise<Uint8Array | undefined> => (await readBlock(directory, cid)).bytes;
  const refuse = (): Promise<never> => Promise.reject(new Error("a reading store changes nothing"));
  return contentStoreOver(
    {
      readLocal,
      readAnywhere: async (cid, signal) => (await readLocal(cid)) ?? readFromPeers(cid, signal),
      commit: refuse,
      pins: refuse,
      remove: refuse,
      close: async () => undefined,
    },
    limits,
  );
}
