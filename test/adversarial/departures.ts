/** What leaves the roles, in signed transactions and in members' statements, held to the rules that protect clients. */
import { keccak256, Transaction } from "ethers";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { ReleaseStatement, TaskReader } from "../../chain/task-chain.ts";
import { parseStatement } from "../../task/statements.ts";

type Reader = Pick<TaskReader, "latestModel" | "records" | "latestBlock">;

export class Departures {
  readonly #reader: Reader;
  readonly #confirmations: number;
  /** By account, round and base model, or by seat and round: what was sent. */
  readonly #sent = new Map<string, string>();
  /** Seen so far, the same ones again among them. */
  releases = 0;

  /** @param reader the chain itself, beside every fault */
  constructor(reader: Reader, confirmations: number) {
    this.#reader = reader;
    this.#confirmations = confirmations;
  }

  /** The rule that a transaction breaks, seen before the chain has it; undefined if it keeps all. */
  async transaction(signed: string): Promise<string | undefined> {
    const { from, data } = Transaction.from(signed);
    const call = VERISUM_INTERFACE.parseTransaction({ data });
    if (call?.name !== "submit") return undefined;
    const { digest } = await this.#reader.latestModel();
    return this.#once(`${from} submits to round ${call.args[0] as bigint} on ${digest}`, keccak256(data));
  }

  /** The same of a member's statement, as JSON, before another node has it. @throws REQUEST_INVALID */
  async statement(round: bigint, json: unknown): Promise<string | undefined> {
    const statement = parseStatement(round, json);
    if (statement.kind !== "release") return undefined;
    this.releases++;
    const { seat, releaseCid } = statement;
    return (await this.#openedTooEarly(statement)) ?? this.#once(`seat ${seat} releases in round ${round}`, releaseCid);
  }

  #once(act: string, sent: string): string | undefined {
    const before = this.#sent.get(act);
    this.#sent.set(act, sent);
    return before === undefined || before === sent ? undefined : `${act}: two different ones`;
  }

  /** A release opens a sum for good: its settlement must be there for good as well. */
  async #openedTooEarly({ round, seat, settlement }: ReleaseStatement): Promise<string | undefined> {
    const { settled } = await this.#reader.records(round);
    if (settled?.settlement !== settlement) return `seat ${seat} releases in round ${round} for no settlement of it`;
    const height = await this.#reader.latestBlock();
    if (settled.blockNumber + this.#confirmations <= height) return undefined;
    return `seat ${seat} releases round ${round}, settled in block ${settled.blockNumber}, at ${height}`;
  }
}
