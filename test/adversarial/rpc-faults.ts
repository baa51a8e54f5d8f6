/** What an endpoint can do wrong with one request. */
import type { Misbehaviour } from "../support/rpc-server.ts";

/** Comes in place of the whole answer, or changes one result in it. */
type Wrongdoing =
  | {
      readonly instead: Misbehaviour;
      /** Whether the chain gets the request all the same, so that only its answer is lost. */
      readonly forwards: boolean;
    }
  | { readonly alter: (result: unknown) => unknown };

/** Every method of every role in every phase meets each of these. */
export const RPC_FAULTS = {
  unavailable: { instead: { status: 503, body: "upstream connect error" }, forwards: false },
  reset: { instead: "reset", forwards: true },
  timeout: { instead: "silence", forwards: true },
  "no body": { instead: { status: 200, body: "" }, forwards: true },
  empty: { alter: emptied },
  null: { alter: () => null },
  wrong: { alter: falsified },
} as const satisfies Readonly<Record<string, Wrongdoing>>;

export type RpcFault = keyof typeof RPC_FAULTS;

export const RPC_FAULT_NAMES = Object.keys(RPC_FAULTS) as readonly RpcFault[];

/** Nothing, in the result's own form. */
export function emptied(result: unknown): unknown {
  if (typeof result === "string") return "0x";
  if (Array.isArray(result)) return [];
  return typeof result === "object" && result !== null ? {} : result;
}

/** The same form, and every number, hash and byte string in it is another one. */
export function falsified(result: unknown): unknown {
  if (typeof result === "string") return /^0x[0-9a-f]+$/i.test(result) ? otherDigit(result) : result;
  if (Array.isArray(result)) return result.map(falsified);
  if (typeof result !== "object" || result === null) return result;
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, falsified(value)]));
}

/** The last hexadecimal digit, one more. */
function otherDigit(text: string): string {
  const last = (parseInt(text.at(-1)!, 16) + 1) % 16;
  return `${text.slice(0, -1)}${last.toString(16)}`;
}
