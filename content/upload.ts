import type { ErrorCode } from "../protocol/errors.ts";
import { isErrorCode } from "../protocol/errors.ts";
import { CAR_MEDIA_TYPE } from "./car.ts";
import { withDeadline } from "./deadline.ts";
import { describe, parsePeerUrl, readBody } from "./peers.ts";
import { peerFetch } from "./peer-fetch.ts";
import type { Fetch } from "./peers.ts";
import type { ContentStore } from "./store.ts";
import { enoughOf } from "./straggling.ts";

/** Why an upload failed. It may pass if tried again later, if `retryable`. */
export interface UploadFailure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/** What became of an upload. */
export type UploadResult = { readonly ok: true; readonly alreadyHeld: boolean } | UploadFailure;

export interface UploadOptions {
  readonly fetch?: Fetch;
  /** Time for the whole upload. */
  readonly timeoutMs?: number;
}

/** As long as a gateway takes to receive a request. */
const DEFAULT_TIMEOUT_MS = 600_000;
/** Bytes of a part of what is sent. */
const PART_BYTES = 16_384;
const MAX_ANSWER_BYTES = 65_536;
/** Time that slower peers get once enough others hold a directory. */
const STRAGGLER_GRACE_MS = 2000;

/**
 * Sends a CAR to a gateway's `POST /v1/car`. Never throws for what the gateway or the network does.
 *
 * @param authorization the Authorization header, or undefined to send none
 * @throws VerisumError IPFS_PEER_URL
 */
export async function uploadCar(
  baseUrl: string,
  root: string,
  carBytes: Uint8Array,
  authorization: string | undefined,
  options: UploadOptions = {},
): Promise<UploadResult> {
  const url = new URL(`v1/car?root=${encodeURIComponent(root)}`, parsePeerUrl(baseUrl));
  try {
    return await withDeadline(
      options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      undefined,
      async (signal): Promise<UploadResult> => {
        const response = await (options.fetch ?? peerFetch)(url, {
          method: "POST",
          headers: { "content-type": CAR_MEDIA_TYPE, ...(authorization === undefined ? {} : { authorization }) },
          body: inParts(carBytes),
          duplex: "half",
          redirect: "error",
          signal,
        });
        const answer = await readBody(response, MAX_ANSWER_BYTES, signal);
        if (response.ok) return { ok: true, alreadyHeld: response.status === 200 };
        const retryable = response.status >= 500 || response.status === 429;
        return { ok: false, ...refusalIn(answer, response.status), retryable };
      },
    );
  } catch (cause) {
    return { ok: false, code: "IPFS_UNAVAILABLE", message: describe(cause), retryable: true };
  }
}

/**
 * A peer that takes nothing for as long as `peerFetch` bears silence ends the upload, and one that takes it slowly does
 * not: each part that is written begins that time anew.
 */
function inParts(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream(
    {
      pull: (controller) => {
        if (sent >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(sent, (sent += PART_BYTES)));
      },
    },
    { highWaterMark: 0 },
  );
}

function unanswered(patienceMs: number): UploadFailure {
  const message = `no answer in ${patienceMs / 1000} s; the upload goes on`;
  return { ok: false, code: "IPFS_UNAVAILABLE", message, retryable: true };
}

function refusalIn(answer: Uint8Array, status: number): { code: ErrorCode; message: string } {
  try {
    const { code, message } = JSON.parse(new TextDecoder().decode(answer)) as Record<string, unknown>;
    if (typeof code === "string" && isErrorCode(code)) {
      return { code, message: String(message).slice(0, 500) };
    }
  } catch {
    // Not one of our gateways, or a proxy before it: the status is all there is.
  }
  return { code: "IPFS_UPLOAD_REFUSED", message: `the peer answered with status ${status}` };
}

/** True if the gateway at `baseUrl` holds the complete directory. False if it does not or cannot be asked. */
export async function holdsDirectory(baseUrl: string, root: string, options: UploadOptions = {}): Promise<boolean> {
  const url = new URL(`v1/dag/${root}`, parsePeerUrl(baseUrl));
  try {
    return await withDeadline(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, undefined, async (signal) => {
      const response = await (options.fetch ?? peerFetch)(url, { method: "HEAD", redirect: "error", signal });
      return response.status === 200;
    });
  } catch {
    return false;
  }
}

export interface ReplicationOptions extends UploadOptions {
  /** Makes the Authorization header for one peer; undefined sends none. */
  readonly authorise: (upload: { readonly peer: string; readonly root: string }) => Promise<string | undefined>;
  /** Longest wait for the peers' answers, after which their uploads go on by themselves; for all of them if absent. */
  readonly patienceMs?: number;
  /** Uploads that go on from earlier calls: they are waited for, and none is begun beside them. */
  readonly underWay?: Uploads;
}

/** By directory and peer, as {@link uploadName} names them. */
export type Uploads = Map<string, Promise<UploadResult>>;

export function uploadName(root: string, peer: string): string {
  return `${root} ${peer}`;
}

export interface ReplicationReport {
  readonly root: string;
  /** Peers that hold the complete directory now. The own store is not counted: it may go offline with its owner. */
  readonly holders: readonly string[];
  readonly failures: readonly { readonly peer: string; readonly result: UploadFailure }[];
  /** True if at least the wished-for number of peers hold it. */
  readonly satisfied: boolean;
}

/**
 * Pushes a directory to every peer that does not hold it yet, side by side, and reports who holds it once all have
 * answered or, shortly after enough hold it or when patience is over, of those that have.
 *
 * @param minCopies how many of the peers must hold it for the report to be `satisfied`
 * @throws VerisumError IPFS_PEER_URL, or what {@link ContentStore.exportCar} throws
 */
export async function replicate(
  store: ContentStore,
  root: string,
  peerUrls: readonly string[],
  minCopies: number,
  options: ReplicationOptions,
): Promise<ReplicationReport> {
  const peers = [...new Set(peerUrls.map((peer) => parsePeerUrl(peer).href))];
  const car = await store.exportCar(root);
  const push = async (peer: string): Promise<UploadResult> => {
    if (await holdsDirectory(peer, root, options)) return { ok: true, alreadyHeld: true };
    return uploadCar(peer, root, car, await options.authorise({ peer, root }), options);
  };
  const { underWay = new Map() as Uploads, patienceMs } = options;
  const joined = (peer: string): Promise<UploadResult> => {
    const name = uploadName(root, peer);
    const upload = underWay.get(name) ?? push(peer).finally(() => underWay.delete(name));
    underWay.set(name, upload);
    return upload;
  };
  const results: { readonly peer: string; readonly result: UploadResult }[] = [];
  const uploads = peers.map(async (peer) => void results.push({ peer, result: await joined(peer) }));
  // Enough hold it: one peer that stalls must not keep the caller waiting. Its upload goes on by itself.
  const isEnough = (): boolean => results.filter(({ result }) => result.ok).length >= minCopies;
  await Promise.race([
    enoughOf(uploads, { isEnough, graceMs: STRAGGLER_GRACE_MS, patienceMs }),
    // What throws is no peer's failure.
    Promise.all(uploads),
  ]);
  results.sort((a, b) => peers.indexOf(a.peer) - peers.indexOf(b.peer));
  const holders = results.filter(({ result }) => result.ok).map(({ peer }) => peer);
  const failures = results.flatMap(({ peer, result }) => (result.ok ? [] : [{ peer, result }]));
  const isAnswered = (peer: string): boolean => results.some((entry) => entry.peer === peer);
  // Where enough hold it, those that are still on their way are nobody's failure.
  if (holders.length < minCopies && patienceMs !== undefined)
    for (const peer of peers.filter((url) => !isAnswered(url))) failures.push({ peer, result: unanswered(patienceMs) });
  return { root, holders, failures, satisfied: holders.length >= minCopies };
}
