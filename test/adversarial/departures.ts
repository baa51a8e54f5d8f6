/** What leaves the roles in signed transactions, held to the rules that protect clients. */
import { keccak256, Transaction } from "ethers";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { TaskReader } from "../../chain/task-chain.ts";

type Reader = Pick<TaskReader, "latestModel" | "records" | "latestBlock">;

export class Departures {
  readonly #reader: Reader;
  readonly #confirmations: number;
  /** By account, round and, for submissions, base model: the digest of what was sent. */
  readonly #sent = new Map<string, string>();

  /** @param reader the chain itself, beside every fault */
  constructor(reader: Reader, confirmations: number) {
    this.#reader = reader;
    this.#confirmations = confirmations;
  }

  /** The rule that a transaction breaks, seen before the chain has it; undefined if it keeps all. */
  async see(signed: string): Promise<string | undefined> {
    const { from, data } = Transaction.from(signed);
    const call = VERISUM_INTERFACE.parseTransaction({ data });
    if (call?.name !== "submit" && call?.name !== "release") return undefined;
    const round = call.args[0] as bigint;
    if (call.name === "submit") {
      const { digest } = await this.#reader.latestModel();
      return this.#once(`${from} submits to round ${round} on ${digest}`, data);
    }
    return (await this.#openedTooEarly(round)) ?? this.#once(`${from} releases in round ${round}`, data);
  }

  #once(act: string, data: string): string | undefined {
    const digest = keccak256(data);
    const before = this.#sent.get(act);
    this.#sent.set(act, digest);
    return before === undefined || before === digest ? undefined : `${act}: two different ones`;
  }

  /** A release opens a sum for good: its settlement must be there for good as well. */
  async #openedTooEarly(round: bigint): Promise<string | undefined> {
    const { settled } = await this.#reader.records(round);
    if (settled === undefined) return `round ${round} is released and not settled`;
    const height = await this.#reader.latestBlock();
    if (settled.blockNumber + this.#confirmations <= height) return undefined;
    return `round ${round}, settled in block ${settled.blockNumber}, is released at ${height}`;
  }
}
