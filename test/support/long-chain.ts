/** A short chain's contract as if it stood high up on a long one, behind an endpoint that limits log ranges. */
import { id, toBeHex } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { Hex } from "../../protocol/transcript.ts";

export interface LongChainShape {
  readonly deployedAt: number;
  readonly latest: number;
  /** Blocks in one range of logs, at most. */
  readonly pageLimit: number;
}

export interface LongChain {
  /** As far as `serveChain` needs it. */
  readonly connection: NetworkConnection;
  /** The first block that each range of logs asked for. */
  readonly rangesFrom: readonly number[];
}

/** Spreads the blocks from the contract's own on evenly over what lies between its deployment and the latest block. */
export async function onLongChain(
  { provider }: NetworkConnection,
  contract: Hex,
  { deployedAt, latest, pageLimit }: LongChainShape,
): Promise<LongChain> {
  const real = Number(await provider.request({ method: "eth_blockNumber" }));
  let first = 0;
  while ((await provider.request({ method: "eth_getCode", params: [contract, toBeHex(first)] })) === "0x") first++;
  const stretch = Math.max(1, Math.floor((latest - deployedAt) / Math.max(1, real - first)));
  const far = (near: number): number => deployedAt + (near - first) * stretch;
  const rangesFrom: number[] = [];

  const logs = async (from: number, to: number): Promise<unknown[]> => {
    rangesFrom.push(from);
    if (to - from + 1 > pageLimit)
      throw Object.assign(new Error(`block range is limited to ${pageLimit}`), { code: -32_005 });
    const filter = { address: contract, fromBlock: toBeHex(first), toBlock: toBeHex(real) };
    const all = (await provider.request({ method: "eth_getLogs", params: [filter] })) as { blockNumber: Hex }[];
    return all
      .map((log) => ({ ...log, blockNumber: far(Number(log.blockNumber)) }))
      .filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to)
      .map((log) => ({ ...log, blockNumber: toBeHex(log.blockNumber), blockHash: id(`block ${log.blockNumber}`) }));
  };
  const block = async (tag: string): Promise<unknown> => {
    const newest = (await provider.request({ method: "eth_getBlockByNumber", params: ["latest", false] })) as object;
    const number = tag.startsWith("0x") ? Number(tag) : tag === "finalized" ? latest - 64 : latest;
    return { ...newest, number: toBeHex(number), hash: id(`block ${number}`), parentHash: id(`block ${number - 1}`) };
  };
  const request = ({ method, params = [] }: { method: string; params?: unknown[] }): Promise<unknown> => {
    switch (method) {
      case "eth_blockNumber":
        return Promise.resolve(toBeHex(latest));
      case "eth_getBlockByNumber":
        return block(params[0] as string);
      case "eth_getLogs": {
        const { fromBlock, toBlock } = params[0] as { fromBlock: Hex; toBlock: Hex };
        return logs(Number(fromBlock), Number(toBlock));
      }
      case "eth_getTransactionCount":
        return Promise.resolve(Number(params[1]) >= deployedAt ? "0x1" : "0x0");
      case "eth_call":
      case "eth_getCode":
        return provider.request({ method, params: [params[0], "latest"] });
      default:
        return provider.request({ method, params });
    }
  };
  return { connection: { provider: { request } } as unknown as NetworkConnection, rangesFrom };
}
