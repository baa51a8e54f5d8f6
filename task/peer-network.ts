/**
 * The task's nodes: endpoints that members and the operator announced on chain, with copies pushed to enough of them;
 * and its siblings'.
 */
import { VerisumError } from "../protocol/errors.ts";
import type { Sleep } from "../protocol/ports.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { TaskReader } from "../chain/task-chain.ts";
import { describe, parsePeerUrl } from "../content/peers.ts";
import { report } from "../content/report.ts";
import { replicate } from "../content/upload.ts";
import type { UploadFailure } from "../content/upload.ts";
import type { ContentStore } from "../content/store.ts";
import { presentMembers } from "./task-accounts.ts";

export interface PeerNetwork {
  /** Base URLs of the task's own nodes known now, this one left out: they take copies and propose results. */
  peers(): readonly string[];
  /** Base URLs that may have content: the task's own nodes, then those of its siblings. */
  sources(): readonly string[];
  /** Base URLs of a sibling's nodes. */
  nodesOf(contract: Hex): readonly string[];
  /** Reads the announcements on a sibling cell's contract as well, from the next refresh on. */
  include(sibling: TaskReader): void;
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
  /** Told of peers that take no copy, and of announcements that are none. */
  readonly reporter: Reporter;
}

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 250;

/** What members and the operator announce: anybody may announce an endpoint, and who asks one is seen by it. */
export async function announcedNodes(chain: TaskReader, reporter: Reporter): Promise<readonly string[]> {
  const trusted = new Set(
    [...(await presentMembers(chain)), await chain.operator()].map((account) => account.toLowerCase()),
  );
  return [...(await chain.endpoints())]
    .filter(([account, url]) => trusted.has(account.toLowerCase()) && isPeerUrl(url, reporter))
    .map(([, url]) => url);
}

export function createPeerNetwork(chain: TaskReader, options: PeerNetworkOptions): PeerNetwork {
  let known: readonly string[] = options.bootstrap;
  const siblings = new Map<Hex, { readonly chain: TaskReader; nodes: readonly string[] }>();
  const announcedOn = async (chain: TaskReader): Promise<readonly string[]> =>
    (await announcedNodes(chain, options.reporter)).filter((url) => url !== options.own);
  const refresh = async (): Promise<void> => {
    for (const sibling of siblings.values()) sibling.nodes = await announcedOn(sibling.chain);
    const elsewhere = new Set([...siblings.values()].flatMap(({ nodes }) => nodes));
    const named = options.bootstrap.filter(
      (url) => url !== options.own && isPeerUrl(url, options.reporter) && !elsewhere.has(url),
    );
    known = [...new Set([...named, ...(await announcedOn(chain))])];
  };
  return {
    peers: () => known,
    sources: () => [...new Set([...known, ...[...siblings.values()].flatMap(({ nodes }) => nodes)])],
    nodesOf: (contract) => siblings.get(contract)?.nodes ?? [],
    include: (sibling) => void siblings.set(sibling.context.contract, { chain: sibling, nodes: [] }),
    refresh,
    replicate: async (store, cid) => {
      let failures = "";
      for (let attempt = 0, pause = FIRST_PAUSE_MS; attempt < ATTEMPTS; attempt++, pause *= 2) {
        if (attempt > 0) await options.sleep(pause);
        await refresh();
        const wanted = Math.min(options.minCopies, known.length);
        const outcome = await replicate(store, cid, known, wanted, {
          authorise: ({ root }) => options.authorise(root),
          timeoutMs: 60_000,
        });
        for (const { peer, result } of outcome.failures) reportRefusal(options.reporter, cid, peer, result);
        if (outcome.satisfied) return;
        failures = outcome.failures.map(({ peer, result }) => `${peer} ${result.code}: ${result.message}`).join("; ");
      }
      throw new VerisumError("IPFS_UNAVAILABLE", `too few nodes hold ${cid}: ${failures}`, { cid });
    },
  };
}

function reportRefusal(reporter: Reporter, cid: string, peer: string, { code, message }: UploadFailure): void {
  const text = `${peer} did not take a copy of ${cid}: ${code}: ${message}; other nodes are asked`;
  report(reporter, "warn", "copy-refused", text, { subject: peer, cid, code, reason: message });
}

/** Any other announcement is passed over: one that throws later would stop everybody. */
function isPeerUrl(text: string, reporter: Reporter): boolean {
  try {
    parsePeerUrl(text);
    return true;
  } catch (cause) {
    report(reporter, "warn", "peer-not-asked", `${describe(cause)}: it is passed over`, { subject: text });
    return false;
  }
}
