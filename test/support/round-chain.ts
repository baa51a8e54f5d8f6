/**
 * A chain of a test file's own, in this process, behind HTTP like any other; its clock is the test's. For tests only.
 */
import type { Wallet } from "ethers";
import { developmentWallet } from "../../demo/development-wallet.ts";
import { network } from "hardhat";
import { serveChain } from "./rpc-server.ts";

export interface RoundChain {
  readonly rpc: string;
  /** A funded account. */
  wallet(index: number): Wallet;
  /** Mines a block with this timestamp, in Unix seconds. */
  mineAt(timestamp: number): Promise<void>;
  /** Remembers the state; the returned function goes back to it, once. */
  snapshot(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export async function startRoundChain(): Promise<RoundChain> {
  const connection = await network.create("node");
  const server = await serveChain(connection);
  const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
    connection.provider.request({ method, params });
  return {
    rpc: server.url,
    wallet: developmentWallet,
    mineAt: async (timestamp) => {
      await ask("evm_setNextBlockTimestamp", timestamp);
      await ask("evm_mine");
    },
    snapshot: async () => {
      const id = await ask("evm_snapshot");
      return async () => void (await ask("evm_revert", id));
    },
    close: async () => {
      await server.close();
      await connection.close();
    },
  };
}
