/** Runs the measured client in a process of its own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ClientJob, ClientReport, ClientMessage } from "./client-job.ts";
import { VerisumError } from "../../protocol/errors.ts";

/** @throws Error if the process ends without a report */
export function measureClient(job: ClientJob, onStep: (step: string) => void): Promise<ClientReport> {
  const child = fork(fileURLToPath(new URL("./client-process.ts", import.meta.url)), {
    serialization: "advanced",
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  return new Promise((resolve, reject) => {
    child.on("message", (message: ClientMessage) =>
      "step" in message ? onStep(message.step) : resolve(message.report),
    );
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new VerisumError("PROCESS_ENDED", `the measured client ended with status ${String(code)} and no report`)),
    );
    child.send(job);
  });
}
