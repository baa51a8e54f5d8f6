/** What an endpoint said of one task, kept, and an endpoint that says it again. For tests only. */
import type { JsonRpcApiProvider } from "ethers";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { serveRpc } from "./rpc-server.ts";
import type { RpcReply, RpcRequest, RpcServer } from "./rpc-server.ts";

/** Views without arguments that an audit asks for. */
const VIEWS = [
  ...["parameters", "parametersHash", "deployment", "operator", "keysPointer", "round", "latestModel"],
  ...["finalisedRounds", "memberCount", "clientCount", "listChanges", "privacySpent"],
] as const;

interface RecordedLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly transactionIndex: Hex;
  readonly logIndex: Hex;
  readonly removed: boolean;
}

/** `eth_getBlockByNumber`, without the transactions. */
interface RecordedBlock {
  readonly number: Hex;
  readonly parentHash: Hex;
  /** prevrandao. */
  readonly mixHash: Hex;
}

/** Answers of a JSON-RPC endpoint, as it gave them: `test/vectors/round/chain.json`. */
export interface RecordedChain {
  readonly chainId: Hex;
  readonly contract: Hex;
  /** The block that the contract was deployed in. */
  readonly deployed: RecordedBlock;
  /** The block of which the calls are. */
  readonly latest: RecordedBlock;
  /** `eth_call` of each view, by its name. */
  readonly calls: Readonly<Record<string, Hex>>;
  /** `eth_getCode` of `keysPointer()`. */
  readonly keysCode: Hex;
  /** `eth_getLogs` of the contract, from the first block to the latest. */
  readonly logs: readonly RecordedLog[];
  /** The calldata of each round's `settle`, in which members' attestations are. */
  readonly settleInputs: readonly Hex[];
}

/** Files of published directories by CID and name. */
export type RecordedFiles = Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>;

/** All that an audit reads. */
export interface Recording {
  readonly chain: RecordedChain;
  readonly content: RecordedFiles;
}

/** Asks an endpoint for all that an audit of the contract reads. @param deployedIn the number of its block */
export async function recordChain(
  provider: JsonRpcApiProvider,
  contract: Hex,
  deployedIn: number,
): Promise<RecordedChain> {
  const ask = <T>(method: string, ...params: unknown[]): Promise<T> => provider.send(method, params) as Promise<T>;
  const blockOf = async (block: string): Promise<RecordedBlock> => ({
    ...(await ask<RecordedBlock>("eth_getBlockByNumber", block, false)),
    ...{ transactions: [] },
  });
  const latest = await blockOf("latest");
  const calls: Record<string, Hex> = {};
  for (const name of VIEWS)
    calls[name] = await ask("eth_call", { to: contract, data: VERISUM_INTERFACE.encodeFunctionData(name) }, "latest");
  const logs = await ask<RecordedLog[]>("eth_getLogs", { address: contract, fromBlock: "0x0", toBlock: latest.number });
  const settled = VERISUM_INTERFACE.getEvent("Settled")!.topicHash;
  const settlements = logs.filter(({ topics }) => topics[0] === settled);
  const inputs = settlements.map(({ transactionHash }) =>
    ask<{ readonly input: Hex }>("eth_getTransactionByHash", transactionHash),
  );
  return {
    chainId: await ask("eth_chainId"),
    contract,
    deployed: await blockOf(`0x${deployedIn.toString(16)}`),
    latest,
    calls,
    keysCode: await ask("eth_getCode", `0x${calls["keysPointer"]!.slice(-40)}`, "latest"),
    logs: logs.map(({ address, topics, data, blockNumber, blockHash, transactionHash, ...log }) => ({
      ...{ address, topics, data, blockNumber, blockHash, transactionHash },
      ...{ transactionIndex: log.transactionIndex, logIndex: log.logIndex, removed: log.removed },
    })),
    settleInputs: (await Promise.all(inputs)).map(({ input }) => input),
  };
}

/** An endpoint that knows this one contract, at the latest block only. */
export function serveRecorded(recorded: RecordedChain): Promise<RpcServer> {
  return serveRpc(async (requests) => requests.map((request) => replyTo(recorded, request)));
}

function replyTo(recorded: RecordedChain, { id, method, params }: RpcRequest): RpcReply {
  const result = resultOf(recorded, method, params);
  return result === undefined
    ? { id, error: { code: -32_601, message: `${method} is not in the recording` } }
    : { id, result };
}

function resultOf(
  { latest, deployed, ...recorded }: RecordedChain,
  method: string,
  params: readonly unknown[],
): unknown {
  switch (method) {
    case "eth_chainId":
      return recorded.chainId;
    case "eth_blockNumber":
      return latest.number;
    case "eth_getBlockByNumber":
      return String(params[0]).startsWith("0x")
        ? ([latest, deployed].find(({ number }) => number === params[0]) ?? null)
        : latest;
    case "eth_getCode":
      return `0x${recorded.calls["keysPointer"]!.slice(-40)}` === String(params[0]).toLowerCase()
        ? recorded.keysCode
        : "0x00";
    case "eth_getLogs": {
      const { fromBlock, toBlock } = params[0] as { readonly fromBlock: Hex; readonly toBlock: Hex };
      const isAsked = ({ blockNumber }: RecordedLog): boolean =>
        BigInt(blockNumber) >= BigInt(fromBlock) && BigInt(blockNumber) <= BigInt(toBlock);
      return recorded.logs.filter(isAsked);
    }
    case "eth_call": {
      const selector = (params[0] as { readonly data: string }).data.slice(0, 10);
      const name = VERISUM_INTERFACE.getFunction(selector)?.name;
      return name === undefined ? undefined : recorded.calls[name];
    }
    default:
      return undefined;
  }
}
