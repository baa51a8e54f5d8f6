/** The contract's events, each typed by its name, in pages of as many blocks as the endpoint allows. */
import type { Log } from "ethers";
import { isVerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { VerisumEvents } from "./generated/verisum.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";

export type EventName = keyof VerisumEvents;

/** One event with its place in the chain. Lists and structs among its arguments are still ethers' own. */
export interface LogOf<N extends EventName> {
  readonly name: N;
  readonly args: VerisumEvents[N];
  readonly blockNumber: number;
  readonly index: number;
  readonly transactionHash: Hex;
}

/** An event of any name. */
export type TaskLog = { readonly [N in EventName]: LogOf<N> }[EventName];

/** What an endpoint says of an event; a task's log can be read from it again. */
export type RawLog = Pick<Log, "topics" | "data" | "blockNumber" | "index" | "transactionHash">;

/** Blocks of a page, from what the most generous endpoints take to what the least generous do. */
const PAGES: readonly number[] = [100_000, 50_000, 10_000, 2_000, 500, 100, 10, 1];
const FIRST_PAGE = PAGES.indexOf(10_000);
/** Pages are not made smaller than this for events that are missing: most come a moment later. */
const LEAST_PAGE_FOR_MISSING = PAGES.indexOf(100);
/** After this many pages that were answered, a larger one is tried again. */
const PAGES_BEFORE_GROWING = 16;
/** Logs that are read between two looks at which of them are superfluous. */
const LOGS_BEFORE_THINNING = 4096;

/** Which of these logs, all that were read so far, need not be kept, by their places. */
export type Thinning = (logs: readonly RawLog[]) => Promise<ReadonlySet<string>>;

/** A log of the contract by its event's name; undefined if the contract has no such event. */
export function parseTaskLog(log: RawLog): TaskLog | undefined {
  const parsed = VERISUM_INTERFACE.parseLog(log);
  if (parsed === null) return undefined;
  const { blockNumber, index, transactionHash } = log;
  return { name: parsed.name, args: parsed.args, blockNumber, index, transactionHash } as unknown as TaskLog;
}

/** Reads a contract's events. Remembers how many blocks its endpoint takes at once. */
export class LogPages {
  readonly #endpoint: Endpoint;
  readonly #address: string;
  #page = FIRST_PAGE;
  #largest = 0;
  #answered = 0;
  /** Endpoints in a row that refused one block's events. */
  #refusals = 0;

  constructor(endpoint: Endpoint, address: string) {
    this.#endpoint = endpoint;
    this.#address = address;
  }

  /**
   * All events from one block to another, both included, in chain order, each once.
   * @param superfluous asked while much is read, so that it is never in memory as a whole; nothing is, unless told
   * @throws CHAIN_UNREACHABLE
   */
  async read(from: number, to: number, superfluous?: Thinning): Promise<readonly RawLog[]> {
    const logs = new Map<string, RawLog>();
    let thinned = 0;
    for (let start = from; start <= to;) {
      const end = Math.min(start + PAGES[this.#page]! - 1, to);
      const page = await this.#ask(start, end);
      if (page === undefined) continue;
      this.#refusals = 0;
      for (const log of page) if (!log.removed) logs.set(placeOf(log), rawOf(log));
      if (superfluous !== undefined && logs.size - thinned > LOGS_BEFORE_THINNING) {
        for (const place of await superfluous(inOrder(logs))) logs.delete(place);
        thinned = logs.size;
      }
      start = end + 1;
    }
    return inOrder(logs);
  }

  /** Asks for fewer blocks at once from now on: an endpoint may leave out events without saying so where many are. */
  shrink(): void {
    if (this.#page < LEAST_PAGE_FOR_MISSING) this.#resize(this.#page + 1);
    this.#largest = Math.max(this.#largest, Math.min(this.#page, LEAST_PAGE_FOR_MISSING));
  }

  /** One page; undefined if it has to be a smaller one, or another endpoint's. */
  async #ask(fromBlock: number, toBlock: number): Promise<readonly Log[] | undefined> {
    const { provider, request, transport } = this.#endpoint;
    try {
      const page = await request(() => provider.getLogs({ address: this.#address, fromBlock, toBlock }));
      if (++this.#answered >= PAGES_BEFORE_GROWING && this.#page > this.#largest) this.#resize(this.#page - 1);
      return page;
    } catch (error) {
      if (!isVerisumError(error, "CHAIN_UNREACHABLE")) throw error;
      const smaller = PAGES.findIndex((blocks) => blocks < toBlock - fromBlock + 1);
      if (smaller !== -1) {
        this.#resize(Math.max(smaller, this.#page));
        return undefined;
      }
      if (++this.#refusals >= transport.size) throw error;
      transport.distrust(error.message);
      this.#resize(Math.max(FIRST_PAGE, this.#largest));
      return undefined;
    }
  }

  #resize(page: number): void {
    this.#page = page;
    this.#answered = 0;
  }
}

function inOrder(logs: ReadonlyMap<string, RawLog>): readonly RawLog[] {
  return [...logs.values()].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
}

/** Names a log by its place in the chain. */
export function placeOf({ blockNumber, index }: Pick<RawLog, "blockNumber" | "index">): string {
  return `${blockNumber}:${index}`;
}

function rawOf({ topics, data, blockNumber, index, transactionHash }: Log): RawLog {
  return { topics, data, blockNumber, index, transactionHash };
}
