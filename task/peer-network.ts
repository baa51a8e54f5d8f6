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
import { replicate, uploadName } from "../content/upload.ts";
import type { ReplicationReport, UploadFailure, Uploads } from "../content/upload.ts";
import type { ContentStore } from "../content/store.ts";
import { presentMembers } from "./task-accounts.ts";

export interface PeerNetwork {
  /** Base URLs of the task's own nodes known now, this one left out: they take copies and propose results. */
  peers(): readonly string[];
  /** Base URLs that others announced, the latest first and few: an aggregator may be anybody's. */
  strangers(): readonly string[];
  /** Base URLs that may have content: the task's own nodes, then those of its siblings. */
  sources(): readonly string[];
  /** Accounts that announce a node; its URL itself if it is only named. */
  announcersOf(url: string): readonly string[];
  /** Base URLs of a sibling's nodes. */
  nodesOf(contract: Hex): readonly string[];
  /** Reads the announcements on a sibling cell's contract as well, from the next refresh on. */
  include(sibling: TaskReader): void;
  /** Reads the announcements again. */
  refresh(): Promise<void>;
  /**
   * Pushes a directory until enough peers hold it.
   * @param wanted how many, of so many that there are
   * @throws IPFS_UNAVAILABLE after the last attempt
   */
  replicate(store: ContentStore, cid: string, wanted: (peers: number) => number): Promise<void>;
  /**
   * Pushes it on to every peer that does not hold it, and waits for none: called at each look, it tries again what
   * failed, ever more seldom, and begins no upload beside one that goes on.
   */
  spread(store: ContentStore, cid: string): void;
}

export interface PeerNetworkOptions {
  /** Peers known before the chain is asked. */
  readonly bootstrap: readonly string[];
  /** This node's own endpoint. */
  readonly own?: string;
  /** @param upload a directory, and the URL of the node that is to take it */
  readonly authorise: (upload: { readonly root: string; readonly node: string }) => Promise<string>;
  readonly sleep: Sleep;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Told of peers that take no copy, and of announcements that are none. */
  readonly reporter: Reporter;
}

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 250;
/** Longest wait for the peers in one attempt; slow uploads go on into the next. */
const PATIENCE_MS = 60_000;
const SPREAD_PAUSE_MS = 10_000;
/** After a refusal, at first: the peer may lag behind the chain. Each further push doubles a peer's pause. */
const REFUSED_PAUSE_MS = 60_000;

/** How long a peer that a directory was pushed to is not tried again. */
interface Rest {
  readonly pauseMs: number;
  readonly until: number;
}

/** Announcements of strangers that are looked at: for their price others can be pushed out of this list. */
const MOST_STRANGERS = 8;

/** Copies of published content that other parties must hold at least (threats I1). */
export const MIN_COPIES = 2;

/**
 * Copies of a share bundle that a client waits for: `t − 1` members and the aggregator may claim to hold it, so that of
 * `t + 1` one is honest. As many nodes may be silent; where others are too few, fewer copies do.
 * @param peers that there are
 */
export function bundleCopies(peers: number, threshold: number): number {
  return Math.max(MIN_COPIES, Math.min(threshold + 1, peers - threshold));
}

/** Accounts, each with the URL that it announced. */
type Announced = readonly (readonly [account: Hex, url: string])[];

/** What members and the operator announce: anybody may announce an endpoint, and who asks one is seen by it. */
export async function announcedNodes(chain: TaskReader, reporter: Reporter): Promise<Announced> {
  return (await allAnnounced(chain, reporter)).nodes;
}

async function allAnnounced(
  chain: TaskReader,
  reporter: Reporter,
): Promise<{ readonly nodes: Announced; readonly strangers: Announced }> {
  const trusted = new Set(
    [...(await presentMembers(chain)), await chain.operator()].map((account) => account.toLowerCase()),
  );
  const isTrusted = ([account]: Announced[number]): boolean => trusted.has(account.toLowerCase());
  const announced = [...(await chain.endpoints())];
  const latest = announced.filter((entry) => !isTrusted(entry)).slice(-MOST_STRANGERS);
  const nodes = announced.filter((entry) => isTrusted(entry) && isPeerUrl(entry[1], reporter));
  // What a stranger announces is nothing that anybody has to be told of.
  return { nodes, strangers: latest.reverse().filter(([, url]) => isPeerUrl(url)) };
}

export function createPeerNetwork(chain: TaskReader, options: PeerNetworkOptions): PeerNetwork {
  let known: readonly string[] = options.bootstrap;
  /** How many nodes the task has: a peer that is only named may be gone, or one of them under another name. */
  let counted = known.length;
  const siblings = new Map<Hex, { readonly chain: TaskReader; nodes: readonly string[] }>();
  let announcers: Announced = [];
  let strangers: Announced = [];
  const isOther = ([, url]: Announced[number]): boolean => url !== options.own;
  const announcedOn = async (chain: TaskReader): Promise<Announced> =>
    (await announcedNodes(chain, options.reporter)).filter(isOther);
  const refresh = async (): Promise<void> => {
    for (const sibling of siblings.values()) sibling.nodes = urlsOf(await announcedOn(sibling.chain));
    const elsewhere = new Set([...siblings.values()].flatMap(({ nodes }) => nodes));
    const named = options.bootstrap.filter(
      (url) => url !== options.own && isPeerUrl(url, options.reporter) && !elsewhere.has(url),
    );
    const all = await allAnnounced(chain, options.reporter);
    announcers = all.nodes.filter(isOther);
    const announced = distinct(urlsOf(announcers));
    known = distinct([...announced, ...named]);
    strangers = all.strangers.filter((entry) => isOther(entry) && !known.includes(entry[1]));
    counted = announced.length > 0 ? announced.length : known.length;
  };
  const underWay: Uploads = new Map();
  /** Of the directory that was pushed last: who holds it, and who is left alone for how long. */
  let last = { cid: "", holders: new Set<string>(), rests: new Map<string, Rest>() };
  const pushed = (cid: string): typeof last => {
    if (last.cid !== cid) last = { cid, holders: new Set(), rests: new Map() };
    return last;
  };
  /** Twice as long as the last time. */
  const rest = (rests: Map<string, Rest>, peer: string, leastMs: number): void => {
    const pauseMs = Math.max(2 * (rests.get(peer)?.pauseMs ?? 0), leastMs);
    rests.set(peer, { pauseMs, until: options.clock() + pauseMs });
  };
  const push = async (
    store: ContentStore,
    cid: string,
    peers: readonly string[],
    wanted: number,
  ): Promise<ReplicationReport> => {
    const { holders, rests } = pushed(cid);
    // From now on: others may take longer to answer than one that fails at once.
    for (const peer of peers) rest(rests, parsePeerUrl(peer).href, SPREAD_PAUSE_MS);
    const outcome = await replicate(store, cid, peers, wanted, {
      authorise: ({ root, peer }) => options.authorise({ root, node: peer }),
      patienceMs: PATIENCE_MS,
      underWay,
    });
    for (const { peer, result } of outcome.failures) {
      reportRefusal(options.reporter, cid, peer, result);
      if (!result.retryable && rests.get(peer)!.pauseMs < REFUSED_PAUSE_MS) rest(rests, peer, REFUSED_PAUSE_MS);
    }
    for (const peer of outcome.holders) holders.add(peer);
    return outcome;
  };
  return {
    peers: () => known,
    strangers: () => distinct(urlsOf(strangers)),
    sources: () => [...new Set([...known, ...[...siblings.values()].flatMap(({ nodes }) => nodes)])],
    announcersOf: (url) => {
      const { href } = parsePeerUrl(url);
      const accounts = [...announcers, ...strangers]
        .filter(([, other]) => parsePeerUrl(other).href === href)
        .map(([account]) => account);
      return accounts.length > 0 ? accounts : [href];
    },
    nodesOf: (contract) => siblings.get(contract)?.nodes ?? [],
    include: (sibling) => void siblings.set(sibling.context.contract, { chain: sibling, nodes: [] }),
    refresh,
    replicate: async (store, cid, wanted) => {
      let failures = "";
      for (let attempt = 0, pause = FIRST_PAUSE_MS; attempt < ATTEMPTS; attempt++, pause *= 2) {
        if (attempt > 0) await options.sleep(pause);
        await refresh();
        const outcome = await push(store, cid, known, Math.min(wanted(counted), known.length));
        if (outcome.satisfied) return;
        failures = outcome.failures.map(({ peer, result }) => `${peer} ${result.code}: ${result.message}`).join("; ");
      }
      throw new VerisumError("IPFS_UNAVAILABLE", `too few nodes hold ${cid}: ${failures}`, { cid });
    },
    spread: (store, cid) => {
      const { holders, rests } = pushed(cid);
      const now = options.clock();
      const left = known
        .map((url) => parsePeerUrl(url).href)
        .filter((peer) => !holders.has(peer) && !underWay.has(uploadName(cid, peer)))
        .filter((peer) => (rests.get(peer)?.until ?? now) <= now);
      if (left.length === 0) return;
      push(store, cid, left, left.length).catch((cause: unknown) => {
        report(options.reporter, "warn", "copy-refused", `${cid} is not copied on: ${describe(cause)}`, {
          subject: cid,
          cid,
        });
      });
    },
  };
}

/** The URLs of these. */
export function urlsOf(announced: Announced): readonly string[] {
  return announced.map(([, url]) => url);
}

/** Without those that are another one written otherwise. */
function distinct(urls: readonly string[]): readonly string[] {
  const seen = new Map(urls.map((url) => [parsePeerUrl(url).href, url]));
  return [...seen.values()];
}

function reportRefusal(reporter: Reporter, cid: string, peer: string, { code, message }: UploadFailure): void {
  const text = `${peer} did not take a copy of ${cid}: ${code}: ${message}; other nodes are asked`;
  report(reporter, "warn", "copy-refused", text, { subject: peer, cid, code, reason: message });
}

/** Any other announcement is passed over: one that throws later would stop everybody. */
function isPeerUrl(text: string, reporter?: Reporter): boolean {
  try {
    parsePeerUrl(text);
    return true;
  } catch (cause) {
    if (reporter !== undefined)
      report(reporter, "warn", "peer-not-asked", `${describe(cause)}: it is passed over`, { subject: text });
    return false;
  }
}
