/** One account's transactions to a contract: sent one after the other, each with a gas limit, until mined. */
import { NonceManager } from "ethers";
import type { Contract, ContractTransactionReceipt, Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Endpoint } from "./rpc.ts";
import { describe, mayPass, revertOf } from "./rpc.ts";
import type { Receipt } from "./task-chain.ts";

/** A transaction that is not mined within this time is reported lost. */
const MINING_TIMEOUT_MS = 180_000;
/** EIP-7825. */
const TRANSACTION_GAS_CAP = 16_777_216n;

/** What a call sends besides its arguments. */
export interface Payment {
  readonly value?: bigint;
}

/**
 * Sends one call and waits until it is mined.
 * @throws CHAIN_REVERTED, CHAIN_FUNDS_MISSING, CHAIN_TRANSACTION_REFUSED, CHAIN_TRANSACTION_LOST, CHAIN_UNREACHABLE
 */
export type Transact = (
  name: string,
  args: readonly unknown[],
  payment?: Payment,
) => Promise<ContractTransactionReceipt>;

/** One transaction at a time: nonces in order, and a refusal is known before the next is sent. */
export function queueTransactions(contract: Contract, endpoint: Endpoint, wallet: Wallet): Transact {
  const signer = new NonceManager(wallet.connect(endpoint.provider));
  const connected = contract.connect(signer) as Contract;
  let queue: Promise<unknown> = Promise.resolve();
  return (name, args, payment = {}) => {
    const sent = queue.then(() => transact(connected, signer, name, args, payment));
    queue = sent.catch(() => undefined);
    return sent;
  };
}

/** A mined call as the roles see it. */
export function receiptOf({ hash, gasUsed, blockNumber }: ContractTransactionReceipt): Receipt {
  return { transactionHash: hash as Hex, gasUsed, blockNumber };
}

async function transact(
  contract: Contract,
  signer: NonceManager,
  name: string,
  args: readonly unknown[],
  payment: Payment,
): Promise<ContractTransactionReceipt> {
  const call = contract.getFunction(name);
  try {
    const gasLimit = withMargin(await call.estimateGas(...args, payment));
    const response = await call.send(...args, { ...payment, gasLimit });
    return (await response.wait(1, MINING_TIMEOUT_MS)) as ContractTransactionReceipt;
  } catch (error) {
    // The nonce may not have been used: ask the chain again before the next transaction.
    signer.reset();
    throw sendingFailure(name, error);
  }
}

/** Why a transaction could not be sent, was refused or was not mined. @param name of the call or the deployment */
export function sendingFailure(name: string, error: unknown): VerisumError {
  const refused = revertOf(error);
  if (refused !== undefined) return refused;
  const details = { call: name };
  if ((error as { code?: string }).code === "TIMEOUT")
    return new VerisumError("CHAIN_TRANSACTION_LOST", `${name} was not mined in time`, details, { cause: error });
  const message = `${name} could not be sent: ${describe(error)}`;
  return new VerisumError(reasonOf(error), message, details, { cause: error });
}

/** Endpoints put a lack of funds in words of their own; what they refuse otherwise, they answered. */
function reasonOf(error: unknown): "CHAIN_FUNDS_MISSING" | "CHAIN_TRANSACTION_REFUSED" | "CHAIN_UNREACHABLE" {
  const { code } = error as { code?: unknown };
  if (code === "INSUFFICIENT_FUNDS" || /insufficient funds|enough funds/i.test(describe(error)))
    return "CHAIN_FUNDS_MISSING";
  return code === "UNKNOWN_ERROR" || !mayPass(error) ? "CHAIN_TRANSACTION_REFUSED" : "CHAIN_UNREACHABLE";
}

/** A call may cost more when it is mined than when it was estimated: the last submission also ends the phase. */
export function withMargin(estimate: bigint): bigint {
  const wanted = estimate + estimate / 4n + 50_000n;
  return wanted < TRANSACTION_GAS_CAP ? wanted : TRANSACTION_GAS_CAP;
}
