/** Starts the light clients' process and hears what they say. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LightJob, LightMessage } from "./light-job.ts";
import { VerisumError } from "../../protocol/errors.ts";

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
      if (message.kind === "failed") reject(new VerisumError("PROCESS_ENDED", message.reason));
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new VerisumError("PROCESS_ENDED", `the light clients' process ended with status ${String(code)}`)),
    );
  });
  child.send(job);
  return { process: child, done };
}
