/** The dashboard's pages, made beside the demo's other preparations. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Processes } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** @returns when they are there, or cannot be made: the dashboard says so, and the demo needs none */
export async function startPages(processes: Processes): Promise<void> {
  const child = spawn(process.execPath, ["scripts/build.ts", "--pages"], { cwd: ROOT, stdio: "ignore" });
  processes.adopt(child);
  await once(child, "exit");
}
