/** A task's events as lists show them: what happened when, in which round, and who did it. */
import type { Hex } from "../protocol/transcript.ts";
import type { TaskLog } from "./logs.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";

export interface TaskEvent {
  readonly name: TaskLog["name"];
  readonly blockNumber: number;
  /** The event's place among all of its block. */
  readonly index: number;
  readonly transactionHash: Hex;
  readonly round?: bigint;
  readonly seat?: number;
  /** Whom it is about, in lower case. */
  readonly account?: Hex;
  /** All that it says in single words, by the names of the contract's interface; no lists or structures. */
  readonly fields: Readonly<Record<string, string>>;
}

const ACCOUNTS = ["account", "client", "member"];

/** An event without the proofs and points that it may carry. */
export function eventOf({ name, args, blockNumber, index, transactionHash }: TaskLog): TaskEvent {
  const fields: Record<string, string> = {};
  for (const input of VERISUM_INTERFACE.getEvent(name)!.inputs) {
    const text = wordOf(args, input.name);
    if (text !== undefined) fields[input.name] = text;
  }
  const account = ACCOUNTS.map((key) => fields[key]).find((value) => value !== undefined);
  return {
    ...{ name, blockNumber, index, transactionHash, fields },
    ...(fields["round"] === undefined ? {} : { round: BigInt(fields["round"]) }),
    ...(fields["seat"] === undefined ? {} : { seat: Number(fields["seat"]) }),
    ...(account === undefined ? {} : { account: account.toLowerCase() as Hex }),
  };
}

/** A single word as text; undefined for what has parts, and for texts that are no UTF-8, at which ethers throws. */
function wordOf(args: object, name: string): string | undefined {
  try {
    const value: unknown = Reflect.get(args, name);
    const isWord = typeof value === "string" || typeof value === "bigint" || typeof value === "boolean";
    return isWord ? String(value) : undefined;
  } catch {
    return undefined;
  }
}
