/** Connects to a task's contract, for reading or with an account. */
import type { Wallet } from "ethers";
import type { Hex } from "../protocol/transcript.ts";
import { loadWallet } from "./key-file.ts";
import { readerAt } from "./reader.ts";
import type { ReaderOptions } from "./reader.ts";
import { openEndpoint } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type { TransportOptions } from "./transport.ts";
import type { TaskReader, TaskWriter } from "./task-chain.ts";
import { writerOver } from "./writer.ts";

export interface ConnectOptions extends ReaderOptions, Omit<TransportOptions, "clock"> {
  /** One endpoint or several: the first is asked first, the others where it fails. */
  readonly rpc: string | readonly string[];
  readonly contract: Hex;
  /** Any other chain is refused. */
  readonly chainId?: bigint;
  /** The account's key file; the environment's key if absent. */
  readonly key?: string;
  /** A wallet that is open already, instead of a key. */
  readonly wallet?: Wallet;
  /** The most that is offered for a unit of gas, in wei; 500 gwei if absent. */
  readonly maxFeePerGas?: bigint;
}

/** @throws CHAIN_UNREACHABLE, CHAIN_WRONG_NETWORK, CHAIN_NO_CONTRACT */
export async function connectReader(options: ConnectOptions): Promise<TaskReader> {
  return (await openReader(options)).reader;
}

/** @throws as `connectReader`, and KEY_MISSING, KEY_INVALID, KEY_FILE_PERMISSIONS */
export async function connectWriter(options: ConnectOptions): Promise<TaskWriter> {
  const wallet = options.wallet ?? (await loadWallet(options.key, process.env));
  const { reader, endpoint } = await openReader(options);
  return writerOver(reader, endpoint, wallet, options.maxFeePerGas);
}

async function openReader(
  options: ConnectOptions,
): Promise<{ readonly reader: TaskReader; readonly endpoint: Endpoint }> {
  const { endpoint, chainId } = await openEndpoint(options.rpc, options.chainId, options);
  return { reader: await readerAt(endpoint, chainId, options.contract, options), endpoint };
}
