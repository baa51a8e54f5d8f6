/**
 * Transactions that are paid once, whatever happens: each is signed and recorded before it is sent. After a crash the
 * same bytes are sent again, which a chain mines at most once.
 */
import { keccak256 } from "ethers";
import type { TransactionReceipt, Wallet } from "ethers";
import { DEFAULT_MAX_FEE_PER_GAS, feesOf, feesWithin } from "../chain/fees.ts";
import type { Endpoint } from "../chain/rpc.ts";
import { sendingFailure, withMargin } from "../chain/transaction.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Sleep } from "../protocol/ports.ts";
import type { Hex } from "../protocol/transcript.ts";

const POLL_MS = 250;
/** A transaction that is not mined after so many looks is reported lost; it stays recorded. */
const MOST_LOOKS = 720;

/** A signed transaction. It holds no secret: whoever sends it does what was decided. */
export interface RecordedTransaction {
  /** What it is for; one of a kind in its record. */
  readonly label: string;
  readonly sender: Hex;
  readonly nonce: number;
  readonly hash: Hex;
  readonly raw: Hex;
}

/** Where they are kept. A label that is recorded anew replaces the old one. */
export interface TransactionRecord {
  readonly transactions: readonly RecordedTransaction[];
  /** Ends once it is on the disk. */
  add(transaction: RecordedTransaction): Promise<void>;
}

/** What a transaction asks for. */
export interface TransactionRequest {
  readonly to?: Hex;
  readonly data?: string;
  readonly value?: bigint;
}

export interface RecordedSender {
  /** True if a transaction of this label is mined, or may still be. */
  isUnderWay(label: string): Promise<boolean>;
  /**
   * Sends it, or again what was sent under this label before.
   * @throws CHAIN_REVERTED, CHAIN_FUNDS_MISSING, CHAIN_FEES_TOO_HIGH, CHAIN_TRANSACTION_REFUSED, CHAIN_UNREACHABLE
   */
  send(label: string, request: TransactionRequest): Promise<RecordedTransaction>;
  /** Waits until it is mined. @throws CHAIN_TRANSACTION_LOST, CHAIN_REVERTED, CHAIN_UNREACHABLE, INTERRUPTED */
  mined(transaction: RecordedTransaction): Promise<TransactionReceipt>;
}

/**
 * @param sleep ends with INTERRUPTED when the command is stopped
 * @param maxFeePerGas the most that is offered for a unit of gas, in wei
 */
export function recordedSender(
  endpoint: Endpoint,
  wallet: Wallet,
  record: TransactionRecord,
  sleep: Sleep,
  maxFeePerGas: bigint = DEFAULT_MAX_FEE_PER_GAS,
): RecordedSender {
  const { provider, request: ask } = endpoint;
  const sender = wallet.address.toLowerCase() as Hex;
  const receiptOf = (hash: Hex): Promise<TransactionReceipt | null> => ask(() => provider.getTransactionReceipt(hash));
  const noncesUsed = (): Promise<number> => ask(() => provider.getTransactionCount(sender, "latest"));
  let next: number | undefined;

  /** False if it failed, or its nonce went to another transaction: then it can never be mined. */
  const mayCount = async ({ hash, nonce }: RecordedTransaction): Promise<boolean> => {
    const receipt = await receiptOf(hash);
    return receipt === null ? nonce >= (await noncesUsed()) : receipt.status !== 0;
  };
  const recorded = async (label: string): Promise<RecordedTransaction | undefined> => {
    const known = record.transactions.find((entry) => entry.label === label && entry.sender === sender);
    return known !== undefined && (await mayCount(known)) ? known : undefined;
  };
  const nextNonce = async (): Promise<number> => {
    next ??= await ask(() => provider.getTransactionCount(sender, "pending"));
    return next;
  };
  const broadcast = async ({ label, hash, raw }: RecordedTransaction): Promise<void> => {
    try {
      await provider.send("eth_sendRawTransaction", [raw]);
    } catch (error) {
      // Known already, or mined already: endpoints put that in words of their own.
      const known = await ask(() => provider.getTransaction(hash));
      if (known === null) throw sendingFailure(label, error);
    }
  };

  return {
    isUnderWay: async (label) => (await recorded(label)) !== undefined,
    send: async (label, request) => {
      const known = await recorded(label);
      if (known !== undefined) {
        if ((await receiptOf(known.hash)) === null) await broadcast(known);
        const free = await nextNonce();
        next = Math.max(free, known.nonce + 1);
        return known;
      }
      const nonce = await nextNonce();
      const transaction = await sign(endpoint, wallet, label, { ...request, nonce }, maxFeePerGas);
      await record.add(transaction);
      await broadcast(transaction);
      next = nonce + 1;
      return transaction;
    },
    mined: async (transaction) => {
      for (let look = 0; look < MOST_LOOKS; look++) {
        const receipt = await receiptOf(transaction.hash);
        if (receipt?.status === 0)
          throw new VerisumError("CHAIN_REVERTED", `${transaction.label} was mined and refused`, { error: "unknown" });
        if (receipt !== null) return receipt;
        await sleep(POLL_MS);
      }
      throw new VerisumError("CHAIN_TRANSACTION_LOST", `${transaction.label} is not mined yet: ${transaction.hash}`);
    },
  };
}

/** Signs a transaction that is estimated against the latest block. @throws as `send` */
async function sign(
  { provider }: Endpoint,
  wallet: Wallet,
  label: string,
  request: TransactionRequest & { readonly nonce: number },
  maxFeePerGas: bigint,
): Promise<RecordedTransaction> {
  const signer = wallet.connect(provider);
  try {
    const gasLimit = withMargin(await signer.estimateGas(request));
    const fees = feesWithin(maxFeePerGas, feesOf(await provider.getFeeData()));
    const populated = await signer.populateTransaction({ ...request, gasLimit, ...fees });
    delete populated.from;
    const raw = (await wallet.signTransaction(populated)) as Hex;
    const sender = wallet.address.toLowerCase() as Hex;
    return { label, sender, nonce: request.nonce, hash: keccak256(raw) as Hex, raw };
  } catch (error) {
    throw sendingFailure(label, error);
  }
}
