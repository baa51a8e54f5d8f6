/** `fetch` for other nodes' addresses: what a name resolves to is checked as well, when the connection is made. */
import dns from "node:dns";
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { Agent, fetch } from "undici";
import { VerisumError } from "../protocol/errors.ts";
import { mayHoldPeer } from "./peer-address.ts";
import type { Fetch } from "./peers.ts";

const CONNECT_TIMEOUT_MS = 5000;
/** Silence of a peer that ends its answer, whatever its reader waits for. */
const SILENCE_MS = 30_000;

/** Resolves a name to all of its addresses. */
export type Resolve = (
  hostname: string,
  callback: (error: Error | null, found: readonly LookupAddress[]) => void,
) => void;

const resolveName: Resolve = (hostname, callback) =>
  dns.lookup(hostname, { all: true }, (error, found) => callback(error, found));

/**
 * Resolves for a connection, and leaves out addresses where no peer lives. The connection is made to what was checked:
 * a second question could be answered otherwise.
 */
function checkedLookup(resolve: Resolve = resolveName): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, (error, found) => {
      const allowed = found.filter(({ address }) => mayHoldPeer(address));
      const refused = error ?? (allowed.length > 0 ? null : addressRefused(hostname));
      if (refused !== null || options.all === true) callback(refused, [...allowed]);
      else callback(null, allowed[0]!.address, allowed[0]!.family);
    });
}

/**
 * A `fetch` over connections whose addresses have been checked, literal ones included. It follows no redirect.
 * @param resolve how names are resolved; by the system unless told
 * @param silenceMs until a peer's answer begins, and between its parts; counted anew from each part of a request's body
 *   that the peer takes, if that is a stream
 */
export function createPeerFetch(resolve?: Resolve, silenceMs = SILENCE_MS): Fetch {
  const dispatcher = new Agent({
    connect: { lookup: checkedLookup(resolve), timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  });
  // Node's own `fetch` is another copy of the same library, and has the same shapes.
  const fetchChecked = async (input: string | URL, init?: RequestInit): Promise<unknown> => {
    const { hostname } = new URL(input);
    if (!mayHoldPeer(hostname)) throw addressRefused(hostname);
    return fetch(input, { redirect: "error", ...init, dispatcher } as Parameters<typeof fetch>[1]);
  };
  return fetchChecked as Fetch;
}

/** Shared by all of this process's roles. */
export const peerFetch: Fetch = createPeerFetch();

function addressRefused(hostname: string): VerisumError {
  return new VerisumError("IPFS_PEER_URL", `${JSON.stringify(hostname)} leads to no address where a peer lives`);
}
