/**
 * JSON-RPC over HTTP to one or several endpoints: an endpoint that fails is set aside for a while and the next one is
 * asked; what comes back is looked at before anybody believes it. No timer of it outlives its request, and a signal
 * ends every one.
 */
import { VerisumError } from "../protocol/errors.ts";
import { answerFault } from "./answer-forms.ts";
import type { RpcAnswer, RpcRequest } from "./answer-forms.ts";

const DEFAULT_TIMEOUT_MS = 20_000;
/** Tries of one request, over all endpoints together; each endpoint gets at least one. */
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
/** Longest wait that an endpoint may ask for. */
const LONGEST_WAIT_MS = 5_000;
/** An endpoint that failed is passed over for this long, twice as long after each further failure, up to the last. */
const SET_ASIDE_MS = 2_000;
const LONGEST_SET_ASIDE_MS = 60_000;
/** Longest answer that is read, unpacked: whoever asks for events asks for fewer blocks then. */
const MOST_ANSWER_BYTES = 128 * 2 ** 20;

/** What users may hear of: an endpoint that fails, or answers again. */
export type OnEndpoint = (event: "set-aside" | "back", url: string, why: string) => void;

export interface TransportOptions {
  /** Ends every request and every pause, with INTERRUPTED. */
  readonly signal?: AbortSignal;
  readonly onEndpoint?: OnEndpoint;
  /** After which a request counts as failed. */
  readonly timeoutMs?: number;
  /** Bytes of an answer above which the request counts as failed. */
  readonly mostBytes?: number;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

interface EndpointState {
  readonly url: string;
  failures: number;
  asideUntil: number;
  /** It takes no batches, or only small ones. */
  singly: boolean;
}

/** One process's way to a chain. */
export class RpcTransport {
  readonly #endpoints: readonly EndpointState[];
  readonly #signal: AbortSignal | undefined;
  readonly #onEndpoint: OnEndpoint;
  readonly #clock: () => number;
  readonly #timeoutMs: number;
  readonly #mostBytes: number;
  #preferred = 0;

  /** @param urls at least one; the first that answers is used */
  constructor(urls: readonly string[], options: TransportOptions = {}) {
    this.#endpoints = urls.map((url) => ({ url, failures: 0, asideUntil: 0, singly: false }));
    this.#signal = options.signal;
    this.#onEndpoint = options.onEndpoint ?? (() => undefined);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#mostBytes = options.mostBytes ?? MOST_ANSWER_BYTES;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** How many endpoints there are. */
  get size(): number {
    return this.#endpoints.length;
  }

  /** The endpoint that is asked first. */
  get url(): string {
    return this.#endpoints[this.#preferred]!.url;
  }

  /** Passes over the endpoint that is in use: what it said does not hold together. */
  distrust(why: string): void {
    if (this.size > 1) this.#setAside(this.#endpoints[this.#preferred]!, why);
  }

  /**
   * What each endpoint answers now, in their order; undefined for one that does not.
   * @param patienceMs longest wait for one of them; as long as for any request if absent
   * @throws INTERRUPTED
   */
  askEach(request: RpcRequest, patienceMs?: number): Promise<readonly (RpcAnswer | undefined)[]> {
    return Promise.all(
      this.#endpoints.map(async (endpoint) => {
        try {
          const asked = this.#ask(endpoint, [request]);
          const [answer] = await (patienceMs === undefined
            ? asked
            : Promise.race([asked, this.pause(patienceMs).then(() => [undefined])]));
          return answer;
        } catch (error) {
          if (error instanceof VerisumError && error.code === "INTERRUPTED") throw error;
          return undefined;
        }
      }),
    );
  }

  /** Waits. @throws INTERRUPTED */
  pause(milliseconds: number): Promise<void> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(interrupted());
      const stop = (): void => {
        clearTimeout(timer);
        reject(interrupted());
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, milliseconds);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /**
   * The answers to these requests, each of the form that its method has.
   * @throws CHAIN_UNREACHABLE after the last attempt; INTERRUPTED
   */
  async send(requests: readonly RpcRequest[]): Promise<RpcAnswer[]> {
    const attempts = Math.max(ATTEMPTS, this.size);
    for (let attempt = 1, pause = FIRST_PAUSE_MS; ; attempt++) {
      const endpoint = this.#choose();
      let waitMs = 0;
      try {
        const answers = await this.#ask(endpoint, requests);
        this.#succeeded(endpoint);
        return answers;
      } catch (error) {
        if (error instanceof VerisumError && error.code === "INTERRUPTED") throw error;
        const why = describe(error);
        if (error instanceof Busy) waitMs = error.waitMs;
        this.#setAside(endpoint, why);
        if (attempt === attempts)
          throw new VerisumError(
            "CHAIN_UNREACHABLE",
            `${endpoint.url}: ${why}`,
            { rpcUrl: endpoint.url, method: requests[0]!.method },
            { cause: error },
          );
      }
      if (this.#choose().asideUntil > this.#clock()) {
        await this.pause(Math.max(pause, waitMs));
        pause *= 2;
      }
    }
  }

  /** The one in use, unless it is set aside; then the one that comes back first. */
  #choose(): EndpointState {
    const now = this.#clock();
    const ordered = this.#endpoints.map((_, i) => (this.#preferred + i) % this.size);
    const index =
      ordered.find((i) => this.#endpoints[i]!.asideUntil <= now) ??
      ordered.reduce((a, b) => (this.#endpoints[b]!.asideUntil < this.#endpoints[a]!.asideUntil ? b : a));
    this.#preferred = index;
    return this.#endpoints[index]!;
  }

  #setAside(endpoint: EndpointState, why: string): void {
    endpoint.failures += 1;
    const milliseconds = Math.min(LONGEST_SET_ASIDE_MS, SET_ASIDE_MS * 2 ** Math.min(endpoint.failures - 1, 10));
    endpoint.asideUntil = this.#clock() + milliseconds;
    if (endpoint.failures === 1) this.#onEndpoint("set-aside", endpoint.url, why);
  }

  #succeeded(endpoint: EndpointState): void {
    if (endpoint.failures > 0) this.#onEndpoint("back", endpoint.url, "it answers again");
    endpoint.failures = 0;
    endpoint.asideUntil = 0;
  }

  async #ask(endpoint: EndpointState, requests: readonly RpcRequest[]): Promise<RpcAnswer[]> {
    const { url } = endpoint;
    if (requests.length > 1 && endpoint.singly) return this.#askSingly(url, requests);
    const body = await this.#post(url, requests.length === 1 ? requests[0] : requests);
    const answers: readonly unknown[] = Array.isArray(body) ? body : [body];
    if (requests.length > 1 && !requests.every((request) => isAnswered(request, answers))) {
      // Some endpoints take no batches, or only small ones, and say so in one answer, be it in a list or not.
      endpoint.singly = true;
      return this.#askSingly(url, requests);
    }
    return requests.map((request) => checked(request, answers));
  }

  #askSingly(url: string, requests: readonly RpcRequest[]): Promise<RpcAnswer[]> {
    return Promise.all(requests.map(async (request) => checked(request, [await this.#post(url, request)])));
  }

  async #post(url: string, body: unknown): Promise<unknown> {
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    const timer = setTimeout(stop, this.#timeoutMs);
    this.#signal?.addEventListener("abort", stop, { once: true });
    try {
      if (this.#signal?.aborted === true) throw interrupted();
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: controller.signal,
      });
      return parsedBody(response, await boundedText(response, this.#mostBytes));
    } catch (error) {
      if (this.#signal?.aborted === true) throw interrupted();
      if (controller.signal.aborted) throw new Error(`no answer within ${this.#timeoutMs / 1000} s`, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
      this.#signal?.removeEventListener("abort", stop);
    }
  }
}

/** An answer's text, which may have been packed. @throws if it is longer than the bound */
async function boundedText(response: Response, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let total = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    total += piece.length;
    // Leaving the loop lets go of the connection.
    if (total > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`);
    pieces.push(decoder.decode(piece, { stream: true }));
  }
  return pieces.join("") + decoder.decode();
}

/** An endpoint that may say when to come again. */
class Busy extends Error {
  /** Milliseconds; 0 if it does not say, or names a date. */
  readonly waitMs: number;

  constructor(message: string, retryAfter: string | null) {
    super(message);
    this.waitMs = /^[0-9]{1,6}$/.test(retryAfter ?? "") ? Math.min(Number(retryAfter) * 1000, LONGEST_WAIT_MS) : 0;
  }
}

/** What an endpoint answered with; nodes put their errors into answers of any status. */
function parsedBody({ status, headers }: Response, text: string): unknown {
  const failed = status === 429 || status >= 500;
  if (failed) throw new Busy(`HTTP status ${status}`, headers.get("retry-after"));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(status >= 400 ? `HTTP status ${status}` : "the answer is no JSON", { cause });
  }
}

function answerTo({ id }: RpcRequest, answers: readonly unknown[]): unknown {
  return answers.find((candidate) => (candidate as { id?: unknown } | null)?.id === id);
}

function isAnswered(request: RpcRequest, answers: readonly unknown[]): boolean {
  return answerTo(request, answers) !== undefined;
}

/** The answer to one request among those that came. @throws what is wrong with it */
function checked(request: RpcRequest, answers: readonly unknown[]): RpcAnswer {
  const answer = answerTo(request, answers);
  const fault = answerFault(request, answer);
  if (fault !== undefined) throw new Error(`${request.method}: ${fault}`);
  return answer as RpcAnswer;
}

function interrupted(): VerisumError {
  return new VerisumError("INTERRUPTED", "stopped on request");
}

/** The shortest true words for a failure: the node's own, where it gave any. */
export function describe(error: unknown): string {
  const {
    shortMessage,
    message,
    error: inner,
    cause,
  } = error as {
    shortMessage?: unknown;
    message?: unknown;
    error?: { message?: unknown };
    cause?: { code?: unknown; message?: unknown };
  };
  const words = String(inner?.message ?? shortMessage ?? message ?? error);
  const reasons: readonly unknown[] = [cause?.code, cause?.message];
  const reason = reasons.find((text): text is string => typeof text === "string" && text !== "");
  return `${words.slice(0, 300)}${reason === undefined ? "" : ` (${reason.slice(0, 100)})`}`;
}
