/** A chain of a test file's own whose endpoint can lose a request before or after the chain has taken it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Wallet } from "ethers";
import { developmentWallet } from "../../demo/development-wallet.ts";
import { network } from "hardhat";
import verisumModule from "../../ignition/modules/Verisum.ts";
import type { Hex } from "../../protocol/transcript.ts";

export interface PayingChain {
  readonly rpc: string;
  /**
   * What is done with a request; throwing resets the connection, after which a client asks again, and `refuse` answers
   * with an error, after which it does not.
   */
  fault:
    ((method: string, pass: () => Promise<unknown>, refuse: () => Promise<unknown>) => Promise<unknown>) | undefined;
  wallet(index: number): Wallet;
  /** Has nothing. */
  readonly stranger: Wallet;
  /** Deploys the task's contract as `hardhat ignition deploy` does, from the first account. */
  ignite(parameters: Readonly<Record<string, unknown>>): Promise<Hex>;
  nonceOf(address: string): Promise<number>;
  balanceOf(address: string): Promise<bigint>;
  /** Mines blocks of these many seconds each. */
  mine(blocks: number, secondsPerBlock: number): Promise<void>;
  snapshot(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: unknown[];
}

/** @param options the chain's rules, as Hardhat names them, and its number */
export async function startPayingChain(
  options: { readonly hardfork?: string; readonly chainId?: number } = {},
): Promise<PayingChain> {
  const connection = await network.create({ network: "node", override: { hardfork: "osaka", ...options } });
  const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
    connection.provider.request({ method, params });
  const state: Pick<PayingChain, "fault"> = { fault: undefined };
  const answer = async ({ id, method, params }: Request): Promise<object> => {
    const pass = async (): Promise<object> => {
      try {
        return { jsonrpc: "2.0", id, result: await ask(method, ...params) };
      } catch (error) {
        const { code = -32_000, message, data } = error as { code?: number; message: string; data?: unknown };
        return { jsonrpc: "2.0", id, error: { code, message, data } };
      }
    };
    const refuse = async (): Promise<object> => ({ jsonrpc: "2.0", id, error: { code: -32_000, message: "refused" } });
    return (await (state.fault === undefined ? pass() : state.fault(method, pass, refuse))) as object;
  };
  const server = createServer((incoming, outgoing) => {
    const pieces: Buffer[] = [];
    incoming.on("data", (piece: Buffer) => pieces.push(piece));
    incoming.on("end", () => {
      const parsed = JSON.parse(Buffer.concat(pieces).toString("utf8")) as Request | Request[];
      Promise.all((Array.isArray(parsed) ? parsed : [parsed]).map(answer)).then(
        (answers) => outgoing.end(JSON.stringify(Array.isArray(parsed) ? answers : answers[0])),
        () => outgoing.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    rpc: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get fault() {
      return state.fault;
    },
    set fault(value) {
      state.fault = value;
    },
    wallet: developmentWallet,
    stranger: new Wallet(`0x${"5e".repeat(32)}`),
    ignite: async (parameters) => {
      const { verisum } = await connection.ignition.deploy(verisumModule, {
        parameters: { Verisum: parameters as never },
      });
      return (await verisum.getAddress()).toLowerCase() as Hex;
    },
    nonceOf: async (address) => Number(await ask("eth_getTransactionCount", address, "latest")),
    balanceOf: async (address) => BigInt((await ask("eth_getBalance", address, "latest")) as string),
    mine: async (blocks, secondsPerBlock) =>
      void (await ask("hardhat_mine", `0x${blocks.toString(16)}`, `0x${secondsPerBlock.toString(16)}`)),
    snapshot: async () => {
      const id = await ask("evm_snapshot");
      return async () => void (await ask("evm_revert", id));
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await connection.close();
    },
  };
}
