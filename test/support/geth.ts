/** Go Ethereum's development chain: GETH_BIN, or `geth` in PATH. Tests that need one are skipped by name elsewhere. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonRpcProvider, parseEther, Wallet } from "ethers";
import type { Processes } from "../../demo/processes.ts";
import { freePort, untilUp } from "../adversarial/anvil.ts";

export const GETH = process.env["GETH_BIN"] ?? (spawnSync("geth", ["version"]).status === 0 ? "geth" : undefined);

/** A block every two seconds, with time that passes by itself. */
const PERIOD_SECONDS = 2;

/**
 * Starts a chain of one node that speaks to no other one.
 * @param accounts get 100 ether each
 * @returns its endpoint, and what removes its files once its process has ended
 */
export async function startGeth(
  processes: Processes,
  accounts: readonly string[],
): Promise<{ readonly rpc: string; readonly clean: () => Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), "verisum-geth-"));
  const [port, engine] = [await freePort(), await freePort()];
  const args = [
    ...["--dev", "--dev.period", String(PERIOD_SECONDS), "--datadir", home, "--verbosity", "1"],
    ...["--http", "--http.addr", "127.0.0.1", "--http.port", String(port), "--authrpc.port", String(engine)],
    ...["--ipcdisable", "--nodiscover", "--port", "0"],
  ];
  processes.adopt(spawn(GETH ?? "", args, { stdio: "ignore" }));
  const rpc = `http://127.0.0.1:${port}`;
  const provider = new JsonRpcProvider(rpc, undefined, { batchMaxCount: 1 });
  await untilUp(async (method) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [] });
    return (await fetch(rpc, { method: "POST", headers: { "content-type": "application/json" }, body })).json();
  });
  const [file] = await readdir(join(home, "keystore"));
  // The development account's key, which geth keeps without a password.
  const rich = new Wallet(
    (await Wallet.fromEncryptedJson(await readFile(join(home, "keystore", file!), "utf8"), "")).privateKey,
    provider,
  );
  const first = await rich.getNonce();
  const sent = await Promise.all(
    accounts.map((to, i) => rich.sendTransaction({ to, value: parseEther("100"), nonce: first + i })),
  );
  for (const transaction of sent) await transaction.wait();
  provider.destroy();
  return { rpc, clean: () => rm(home, { recursive: true, force: true }) };
}
