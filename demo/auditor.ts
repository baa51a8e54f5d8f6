/** The auditor as anybody would run it: `fl verify`, in a process and a store of its own. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Processes } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Runs it and passes its checklist on. True if everything verified. */
export async function runAuditor(
  processes: Processes,
  args: readonly string[],
  write: (line: string) => void,
): Promise<boolean> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "auditor/cli.ts", "verify", ...args],
    {
      cwd: ROOT,
      env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  processes.adopt(child);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", write);
  return new Promise((resolve) => child.once("close", (code) => resolve(code === 0)));
}
