/** The task's nodes: endpoints that members and the operator announced on chain, with copies pushed to enough of them. */
import { VerisumError } from "../../protocol/errors.ts";
import type { Sleep } from "../cli/sleep.ts";
import type { TaskReader } from "../chain/task-chain.ts";
import { parsePeerUrl } from "../ipfs/peers.ts";
import { replicate } from "../ipfs/upload.ts";
import type { ContentStore } from "../ipfs/store.ts";

export interface PeerNetwork {
  /** Base URLs known now, this node's own left out. */
  peers(): readonly string[];
  /** Reads the announcements again. */
  refresh(): Promise<void>;
  /** Pushes a directory until enough peers hold it. @throws IPFS_UNAVAILABLE after the last attempt */
  replicate(store: ContentStore, cid: string): Promise<void>;
}

export interface PeerNetworkOptions {
  /** Peers known before the chain is asked. */
  readonly bootstrap: readonly string[];
  /** This node's own endpoint. */
  readonly own?: string;
  /** Copies that other parties must hold; fewer if there are fewer peers. */
  readonly minCopies: number;
  readonly authorise: (root: string) => Promise<string>;
  readonly sleep: Sleep;
}

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 250;

export function createPeerNetwork(chain: TaskReader, options: PeerNetworkOptions): PeerNetwork {
  let known: readonly string[] = options.bootstrap;
  const refresh = async (): Promise<void> => {
    const trusted = new Set([...(await chain.members()), await chain.operator()].map((account) => account.toLowerCase()));
    const announced = [...(await chain.endpoints())].filter(([account]) => trusted.has(account.toLowerCase())).map(([, url]) => url);
    known = [...new Set([...options.bootstrap, ...announced])].filter((url) => url !== options.own && isPeerUrl(url));
  };
  return {
    peers: () => known,
    refresh,
    replicate: async (store, cid) => {
      let failures = "";
      for (let attempt = 0, pause = FIRST_PAUSE_MS; attempt < ATTEMPTS; attempt++, pause *= 2) {
        if (attempt > 0) await options.sleep(pause);
        await refresh();
        const wanted = Math.min(options.minCopies, known.length);
        const report = await replicate(store, cid, known, wanted, { authorise: ({ root }) => options.authorise(root), timeoutMs: 60_000 });
        if (report.satisfied) return;
        failures = report.failures.map(({ peer, result }) => `${peer} ${result.code}: ${result.message}`).join("; ");
      }
      throw new VerisumError("IPFS_UNAVAILABLE", `too few nodes hold ${cid}: ${failures}`, { cid });
    },
  };
}

/** Any other announcement is passed over: one that throws later would stop everybody. */
function isPeerUrl(text: string): boolean {
  try {
    parsePeerUrl(text);
    return true;
  } catch {
    return false;
  }
}
