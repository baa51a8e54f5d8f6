/** The demo's chain: Hardhat's node on a free port, with its well-known funded accounts. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Wallet } from "ethers";
import { developmentWallet } from "./development-wallet.ts";
import { HARDHAT_CLI } from "../operator/build-contracts.ts";
import type { Processes } from "./processes.ts";
import { VerisumError } from "../protocol/errors.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Ports in a row that the demo needs: the chain, the aggregator, four members and the dashboard. */
const PORTS = 7;
const START_TIMEOUT_MS = 60_000;

export interface DemoChain {
  readonly rpc: string;
  readonly port: number;
  readonly pid: number | undefined;
  wallet(index: number): Wallet;
}

/**
 * Starts the node and waits until it answers.
 * @param ports free ports wanted in a row, the node's own the first
 */
export async function startChain(
  processes: Processes,
  onNoise: (line: string) => void,
  ports = PORTS,
): Promise<DemoChain> {
  const port = await freePorts(ports);
  const child = spawn(process.execPath, [HARDHAT_CLI, "node", "--hostname", "127.0.0.1", "--port", String(port)], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  processes.adopt(child);
  createInterface({ input: child.stderr }).on("line", onNoise);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new VerisumError("PROCESS_ENDED", "the chain did not start in time")),
      START_TIMEOUT_MS,
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.includes("JSON-RPC server at")) {
        clearTimeout(timer);
        resolve();
      }
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new VerisumError("PROCESS_ENDED", `the chain ended with status ${String(code)}`));
    });
  });
  return {
    rpc: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid,
    wallet: developmentWallet,
  };
}

/** A chain that somebody else runs; the port is the one before those of the demo's nodes. */
export async function chainAt(rpc: string): Promise<DemoChain> {
  return { rpc, port: await freePorts(PORTS), pid: undefined, wallet: developmentWallet };
}

/** The first of `count` free ports in a row. */
async function freePorts(count: number): Promise<number> {
  for (let first = 18_545; first < 65_000; first += 16) {
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (free.every(Boolean)) return first;
  }
  throw new VerisumError("LISTEN_FAILED", "no free ports");
}

/** Whether nobody listens at the port of 127.0.0.1. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
