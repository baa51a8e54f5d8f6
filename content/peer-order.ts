/** In which order a store asks its peers. */
import type { PeerAnswer } from "./peers.ts";

export interface PeerOrder {
  /**
   * Those that deliver first, and among equals those that failed least: one that keeps readers waiting is asked last
   * from then on, and gains nothing by another name. Whoever is not among these is forgotten.
   */
  sorted(peers: readonly string[]): readonly string[];
  note(peer: string, answer: PeerAnswer): void;
}

interface Known {
  /** It delivered, and has not failed since. */
  readonly delivers: boolean;
  readonly failures: number;
}

const UNKNOWN: Known = { delivers: false, failures: 0 };

export function createPeerOrder(): PeerOrder {
  const known = new Map<string, Known>();
  const of = (peer: string): Known => known.get(peer) ?? UNKNOWN;
  return {
    sorted: (peers) => {
      const named = new Set(peers);
      for (const peer of known.keys()) if (!named.has(peer)) known.delete(peer);
      const rank = (a: Known, b: Known): number => Number(b.delivers) - Number(a.delivers) || a.failures - b.failures;
      return [...peers].sort((a, b) => rank(of(a), of(b)));
    },
    note: (peer, answer) => {
      const { delivers, failures } = of(peer);
      if (answer === "delivered") known.set(peer, { delivers: true, failures });
      else known.set(peer, { delivers: delivers && answer === "refused", failures: failures + 1 });
    },
  };
}
