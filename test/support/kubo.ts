/** A real Kubo node: IPFS_KUBO_BIN, or `ipfs` in PATH. Tests that need one are skipped by name elsewhere. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

export const KUBO = process.env["IPFS_KUBO_BIN"] ?? (spawnSync("ipfs", ["version"]).status === 0 ? "ipfs" : undefined);

export interface Kubo {
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  close(): Promise<void>;
}

/**
 * Starts a daemon that speaks to no other one, over an empty repository.
 * @param prepare uses Kubo's commands on the repository before the daemon runs
 */
export async function startKubo(
  prepare: (ipfs: (...args: string[]) => Promise<string>) => Promise<void> = () => Promise.resolve(),
): Promise<Kubo> {
  const home = await mkdtemp(join(tmpdir(), "verisum-kubo-"));
  const env = { ...process.env, IPFS_PATH: home, IPFS_TELEMETRY: "off" };
  const ipfs = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(KUBO ?? "", args, { env })).stdout.trim();
  await ipfs("init", "--empty-repo", "--profile=autoconf-off");
  for (const key of ["API", "Gateway"]) await ipfs("config", `Addresses.${key}`, "/ip4/127.0.0.1/tcp/0");
  await prepare(ipfs);
  const daemon = spawn(KUBO ?? "", ["daemon", "--offline"], { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(daemon.stdout)) if (line.includes("Daemon is ready")) break;
  daemon.stdout.resume();
  const [, , address, , port] = (await readFile(join(home, "api"), "utf8")).trim().split("/");
  return {
    apiUrl: `http://${address}:${port}`,
    gatewayUrl: (await readFile(join(home, "gateway"), "utf8")).trim(),
    close: async () => {
      daemon.kill();
      await once(daemon, "exit");
      await rm(home, { recursive: true, force: true });
    },
  };
}
