/** Starts the light clients' process and hears what they say. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Facts } from "../../command/reporter.ts";
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
  | { readonly kind: "opened"; readonly milliseconds: number }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "done" };

export interface LightClients {
  readonly process: ChildProcess;
  /** Ends when every client has taken part in every round. @throws Error if the process ends before */
  readonly done: Promise<void>;
}

export function startLightClients(job: LightJob, onMessage: (message: LightMessage) => void): LightClients {
  const child = fork(fileURLToPath(new URL("./light-process.ts", import.meta.url)), {
    serialization: "advanced",
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const done = new Promise<void>((resolve, reject) => {
    child.on("message", (message: LightMessage) => {
      onMessage(message);
      if (message.kind === "done") resolve();
      if (message.kind === "failed") reject(new Error(message.reason));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the light clients' process ended with status ${String(code)}`)));
  });
  child.send(job);
  return { process: child, done };
}
