/** What the light clients' process is sent, and what it says. */
import type { Facts } from "../../protocol/reporter.ts";
import type { Hex } from "../../protocol/transcript.ts";

export interface LightJob {
  readonly rpc: string;
  readonly contract: Hex;

  /** One for each client. */
  readonly privateKeys: readonly string[];

  /** Holds one state directory for each client. */
  readonly directory: string;

  /** The node that clients know before the chain names others. */
  readonly gateway: string;
  readonly rounds: number;

  /** Clients that work at the same time. */
  readonly atOnce: number;

  /** Submissions are relayed, so many in a transaction, by this account; absent, each client sends its own. */
  readonly relay?: { readonly privateKey: string; readonly size: number };
}

/** Plain data, since bigints and errors change on their way. */
export type LightMessage =
  | {
      readonly kind: "event";
      readonly client: number;
      readonly event: string;
      readonly text: string;
      readonly facts: Facts;
    }
  /** Processor time of all threads, while nobody else in the process was at work. */
  | { readonly kind: "audit"; readonly client: number; readonly round: number; readonly processorMs: number }
  | { readonly kind: "opened"; readonly milliseconds: number }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "done" };
