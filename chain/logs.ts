/** The contract's events, each typed by its name, fetched once per final block. */
import type { Log } from "ethers";
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

/** Blocks asked for at once; halved when an endpoint refuses. */
const LARGEST_PAGE = 50_000;

/** A log of the contract by its event's name; undefined if the contract has no such event. */
export function parseTaskLog(
  log: Pick<Log, "topics" | "data" | "blockNumber" | "index" | "transactionHash">,
): TaskLog | undefined {
  const parsed = VERISUM_INTERFACE.parseLog(log);
  if (parsed === null) return undefined;
  const { blockNumber, index, transactionHash } = log;
  return { name: parsed.name, args: parsed.args, blockNumber, index, transactionHash } as unknown as TaskLog;
}

/** Keeps the logs of final blocks; later ones are fetched anew each time, since a reorganisation may change them. */
export class TaskLogs {
  readonly #endpoint: Endpoint;
  readonly #address: string;
  #final: TaskLog[] = [];
  #nextBlock = 0;
  #page = LARGEST_PAGE;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(endpoint: Endpoint, address: string) {
    this.#endpoint = endpoint;
    this.#address = address;
  }

  /**
   * All events up to the latest block, in chain order, each once. Calls run one after the other, or both would fetch
   * the same blocks.
   */
  all(latest: number, finalBlock: number): Promise<readonly TaskLog[]> {
    const result = this.#previous.then(() => this.#upTo(latest, finalBlock));
    this.#previous = result.catch(() => undefined);
    return result;
  }

  async #upTo(latest: number, finalBlock: number): Promise<readonly TaskLog[]> {
    if (finalBlock >= this.#nextBlock) {
      this.#final.push(...(await this.#fetch(this.#nextBlock, finalBlock)));
      this.#nextBlock = finalBlock + 1;
    }
    return this.#nextBlock > latest ? this.#final : [...this.#final, ...(await this.#fetch(this.#nextBlock, latest))];
  }

  async #fetch(from: number, to: number): Promise<TaskLog[]> {
    const logs = new Map<string, TaskLog>();
    for (let start = from; start <= to;) {
      const end = Math.min(start + this.#page - 1, to);
      try {
        const page = await this.#endpoint.request(() =>
          this.#endpoint.provider.getLogs({ address: this.#address, fromBlock: start, toBlock: end }),
        );
        for (const log of page) {
          const parsed = parseTaskLog(log);
          if (parsed === undefined || log.removed) continue;
          logs.set(`${log.blockNumber}:${log.index}`, parsed);
        }
        start = end + 1;
      } catch (error) {
        if (this.#page <= 100) throw error;
        this.#page = Math.floor(this.#page / 2);
      }
    }
    return [...logs.values()].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  }
}
