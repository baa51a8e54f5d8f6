/**
 * One account's transactions: sent one after the other, each with a gas limit, and looked for by their hashes until
 * they are mined. No library waits here: a look that fails is made again, what may be lost is sent again as it is, fees
 * are raised when blocks pass by, and the wait ends with the receipt, with the nonce, or with the phase.
 */
import { keccak256 } from "ethers";
import type { TransactionReceipt, Wallet } from "ethers";
import { isVerisumError, mayPass, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { DEFAULT_MAX_FEE_PER_GAS, ether, feesOf, feesWithin, offered, replacingWithin } from "./fees.ts";
import type { Fees } from "./fees.ts";
import { refusalOf } from "./refusal-words.ts";
import type { Endpoint } from "./rpc.ts";
import { revertOf } from "./rpc.ts";
import type { Receipt } from "./task-chain.ts";
import { describe } from "./transport.ts";

/** What is not bound to a phase is reported lost after this time. */
const MINING_TIMEOUT_MS = 600_000;
/** Blocks that pass by before a transaction is replaced by one that offers more. */
const BLOCKS_BEFORE_REPLACING = 3;
/** Replacements that are tried at once where the endpoint asks for higher fees: 1.125^20 is tenfold. */
const REPLACEMENTS_AT_ONCE = 20;
const FIRST_LOOK_MS = 50;
const LONGEST_LOOK_MS = 2_000;
/** Looks in a row that find nonces below ours free, after which we take the first of them: ours was a wrong answer. */
const LOOKS_BEFORE_ANOTHER_NONCE = 4;
/** Looks without a receipt, some fifteen seconds, after which the same bytes are sent again: endpoints forget. */
const LOOKS_BEFORE_RESENDING = 15;
/** Looks without a receipt, after the nonce was used or the phase ended, before the transaction counts as lost. */
const LAST_LOOKS = 4;
/** Longest wait for one of several endpoints that a transaction is offered to. */
const OFFER_PATIENCE_MS = 3_000;
/** EIP-7825. */
const TRANSACTION_GAS_CAP = 16_777_216n;

/** A transaction before it has a nonce, fees and a signature. */
export interface Call {
  /** For errors. */
  readonly name: string;
  /** Absent for a deployment. */
  readonly to?: Hex;
  readonly data?: string;
  readonly valueWei?: bigint;
  /** False once the call can no longer do what it is for. Always wanted if absent. */
  readonly isWanted?: () => Promise<boolean>;
}

/**
 * Sends one call and waits until it is mined.
 * @throws CHAIN_REVERTED, CHAIN_FUNDS_MISSING, CHAIN_FEES_TOO_HIGH, CHAIN_TRANSACTION_REFUSED, CHAIN_TRANSACTION_LOST,
 * CHAIN_UNREACHABLE, INTERRUPTED
 */
export type Transact = (call: Call) => Promise<TransactionReceipt>;

/** What was sent: the same call, each time for higher fees, or under another nonce. */
interface Sent {
  nonce: number;
  /** Of all that was sent. */
  readonly highestNonce: number;
  /** Looks in a row that found nonces below this one free. */
  looksAtGap: number;
  readonly gasLimit: bigint;
  readonly hashes: Hex[];
  /** What was signed last, and not refused. */
  signed: string;
  /** Its nonce. */
  signedNonce: number;
  /** Offered last. */
  fees: Fees;
  block: number;
}

interface Look {
  readonly receipt?: TransactionReceipt;
  /** Nothing of what was sent can be mined any more, or is wanted. */
  readonly isOver: boolean;
  /** The account's, by what is mined. */
  readonly nextNonce: number;
  readonly block: number;
}

/**
 * One transaction at a time: nonces in order, and a refusal is known before the next is sent.
 * @param maxFeePerGas the most that is offered for a unit of gas, in wei
 */
export function queueTransactions(
  endpoint: Endpoint,
  wallet: Wallet,
  maxFeePerGas: bigint = DEFAULT_MAX_FEE_PER_GAS,
): Transact {
  const sender = new Sender(endpoint, wallet, maxFeePerGas);
  let queue: Promise<unknown> = Promise.resolve();
  return (call) => {
    const sent = queue.then(() => sender.transact(call));
    queue = sent.catch(() => undefined);
    return sent;
  };
}

/** A mined call as the roles see it. */
export function receiptOf({ hash, gasUsed, blockNumber }: TransactionReceipt): Receipt {
  return { transactionHash: hash as Hex, gasUsed, blockNumber };
}

class Sender {
  readonly #endpoint: Endpoint;
  readonly #wallet: Wallet;
  readonly #maxFeePerGas: bigint;

  constructor(endpoint: Endpoint, wallet: Wallet, maxFeePerGas: bigint) {
    this.#endpoint = endpoint;
    this.#wallet = wallet;
    this.#maxFeePerGas = maxFeePerGas;
  }

  async transact(call: Call): Promise<TransactionReceipt> {
    const gasLimit = await this.#gasLimit(call);
    const [nonce, asked, block] = await Promise.all([this.#freeNonce(), this.#feesAsked(), this.#blockNumber()]);
    const fees = feesWithin(this.#maxFeePerGas, asked);
    const latest = { signed: "", signedNonce: -1 };
    const sent: Sent = { nonce, highestNonce: nonce, looksAtGap: 0, gasLimit, hashes: [], ...latest, fees, block };
    await this.#requireFunds(call, sent);
    await this.#broadcast(call, sent);
    return this.#untilMined(call, sent);
  }

  async #gasLimit({ name, to, data, valueWei }: Call): Promise<bigint> {
    const { request, provider } = this.#endpoint;
    try {
      const from = this.#wallet.address;
      return withMargin(
        await request(() => provider.estimateGas({ from, to: to ?? null, data: data ?? "0x", value: valueWei ?? 0n })),
      );
    } catch (error) {
      if (!isVerisumError(error, "CHAIN_UNREACHABLE") || refusalOf(error.cause) !== "funds") throw error;
      throw await this.#fundsMissing(name, valueWei ?? 0n, error.cause);
    }
  }

  /**
   * The next nonce by what is mined. Where something of this account still waits, sent by another process or before a
   * restart, it gets the blocks that our own gets; then it is replaced.
   */
  async #freeNonce(): Promise<number> {
    const { request, provider, transport } = this.#endpoint;
    const { address } = this.#wallet;
    const counts = (): Promise<[number, number]> =>
      request(() =>
        Promise.all([
          provider.getTransactionCount(address, "latest"),
          // Without it, what waits is replaced by what offers more.
          provider.getTransactionCount(address, "pending").catch(() => 0),
        ]),
      );
    const since = await this.#blockNumber();
    for (let pause = FIRST_LOOK_MS; ; pause = longer(pause)) {
      const [mined, pending] = await counts();
      if (pending <= mined || (await this.#blockNumber()) - since >= BLOCKS_BEFORE_REPLACING) return mined;
      await transport.pause(pause);
    }
  }

  async #feesAsked(): Promise<Fees> {
    return feesOf(await this.#endpoint.request(() => this.#endpoint.provider.getFeeData()));
  }

  #blockNumber(): Promise<number> {
    return this.#endpoint.request(() => this.#endpoint.provider.getBlockNumber());
  }

  async #requireFunds({ name, valueWei = 0n }: Call, { gasLimit, fees }: Sent): Promise<void> {
    const needed = gasLimit * offered(fees) + valueWei;
    if ((await this.#balance()) < needed) throw await this.#fundsMissing(name, needed);
  }

  #balance(): Promise<bigint> {
    return this.#endpoint.request(() => this.#endpoint.provider.getBalance(this.#wallet.address));
  }

  async #fundsMissing(name: string, needed: bigint, cause?: unknown): Promise<VerisumError> {
    const account = this.#wallet.address.toLowerCase();
    const balance = await this.#balance();
    const missing = needed > balance ? `; send it at least ${ether(needed - balance)}` : "";
    return new VerisumError(
      "CHAIN_FUNDS_MISSING",
      `${name}: ${account} has ${ether(balance)} and needs ${ether(needed)} for gas at the present fees${missing}`,
      { call: name, account, balanceWei: balance, neededWei: needed },
      { cause },
    );
  }

  /** Sends the call for `sent.fees`, or for more where the endpoint asks for more. */
  async #broadcast(call: Call, sent: Sent, isReplacement = false): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const signed = await this.#wallet.signTransaction({
        ...sent.fees,
        chainId: this.#endpoint.provider._network.chainId,
        nonce: sent.nonce,
        to: call.to ?? null,
        data: call.data ?? "0x",
        value: call.valueWei ?? 0n,
        gasLimit: sent.gasLimit,
      });
      // Kept before it is sent: of an answer that is lost nobody knows whether the transaction was.
      sent.hashes.push(keccak256(signed) as Hex);
      const error = await (isReplacement ? this.#offerEverywhere(signed) : this.#offer(signed));
      const refusal = error === undefined ? undefined : refusalOf(error);
      if (refusal === undefined || refusal === "known" || refusal === "nonce-used") {
        Object.assign(sent, { signed, signedNonce: sent.nonce });
        return;
      }
      sent.hashes.pop();
      if (refusal !== "underpriced" || attempt === REPLACEMENTS_AT_ONCE) throw await this.#failureOf(call, sent, error);
      sent.fees = replacingWithin(this.#maxFeePerGas, sent.fees, await this.#feesAsked());
    }
  }

  /** What the endpoint has against it; undefined if it took it, or if nobody knows. */
  async #offer(signed: string): Promise<unknown> {
    try {
      await this.#endpoint.provider.send("eth_sendRawTransaction", [signed]);
      return undefined;
    } catch (error) {
      if (isVerisumError(error, "INTERRUPTED")) throw error;
      return isVerisumError(error, "CHAIN_UNREACHABLE") ? undefined : error;
    }
  }

  /**
   * The same of every endpoint: the one in use may have taken a transaction and dropped it. One that takes it is
   * enough, and one that does not answer may have.
   */
  async #offerEverywhere(signed: string): Promise<unknown> {
    const { transport } = this.#endpoint;
    if (transport.size === 1) return this.#offer(signed);
    const request = { jsonrpc: "2.0", id: 1, method: "eth_sendRawTransaction", params: [signed] } as const;
    const answers = await transport.askEach(request, OFFER_PATIENCE_MS);
    const refusals = answers.filter((answer) => answer !== undefined && "error" in answer);
    return refusals.length < answers.length ? undefined : refusals[0];
  }

  async #failureOf({ name, valueWei = 0n }: Call, { gasLimit, fees }: Sent, error: unknown): Promise<VerisumError> {
    const refused = revertOf(error);
    if (refused !== undefined) return refused;
    if (refusalOf(error) === "funds") return this.#fundsMissing(name, gasLimit * offered(fees) + valueWei, error);
    const message = `${name} could not be sent: ${describe(error)}`;
    return new VerisumError("CHAIN_TRANSACTION_REFUSED", message, { call: name }, { cause: error });
  }

  async #untilMined(call: Call, sent: Sent): Promise<TransactionReceipt> {
    const end = performance.now() + MINING_TIMEOUT_MS;
    let left = LAST_LOOKS;
    for (let looks = 1, pause = FIRST_LOOK_MS; ; looks++, pause = longer(pause)) {
      const look = await this.#look(call, sent);
      if (look?.receipt !== undefined) return mined(call, look.receipt);
      if (look?.isOver === true) left -= 1;
      if (left === 0 || (call.isWanted === undefined && performance.now() >= end))
        throw new VerisumError("CHAIN_TRANSACTION_LOST", `${call.name} was not mined in time`, { call: call.name });
      if (look?.isOver === false) await this.#pursue(call, sent, look, looks);
      await this.#endpoint.transport.pause(pause);
    }
  }

  /** Does what brings a transaction nearer to a block, if it is time for that. */
  async #pursue(call: Call, sent: Sent, { nextNonce, block }: Look, looks: number): Promise<void> {
    sent.looksAtGap = nextNonce < sent.nonce ? sent.looksAtGap + 1 : 0;
    const isGap = sent.looksAtGap === LOOKS_BEFORE_ANOTHER_NONCE;
    if (isGap) sent.nonce = nextNonce;
    const isDue = isGap || block - sent.block >= BLOCKS_BEFORE_REPLACING;
    if (isDue && (await this.#replace(call, sent, block))) return;
    // Where blocks come with transactions, nothing else brings a lost one back. What is said to it does not matter.
    if (isDue || looks % LOOKS_BEFORE_RESENDING === 0) await this.#offerEverywhere(sent.signed);
  }

  /** One look at the chain; undefined if the endpoint does not answer, which says nothing. */
  async #look({ isWanted }: Call, { highestNonce, hashes }: Sent): Promise<Look | undefined> {
    const { request, provider } = this.#endpoint;
    try {
      const [nextNonce, block, ...receipts] = await request(() =>
        Promise.all([
          provider.getTransactionCount(this.#wallet.address, "latest"),
          provider.getBlockNumber(),
          ...hashes.map((hash) => provider.getTransactionReceipt(hash)),
        ]),
      );
      const receipt = receipts.find((found) => found !== null);
      if (receipt !== undefined) return { receipt, isOver: true, nextNonce, block };
      return { isOver: nextNonce > highestNonce || !((await isWanted?.()) ?? true), nextNonce, block };
    } catch (error) {
      if (!mayPass(error)) throw error;
      return undefined;
    }
  }

  /**
   * Offers more. What the endpoint says to it does not matter: one of the transactions sent before may be mined.
   * Returns false if nothing new was sent, at the ceiling for instance: what was sent before stays as it is then.
   */
  async #replace(call: Call, sent: Sent, block: number): Promise<boolean> {
    const { fees: before, nonce, signedNonce } = sent;
    sent.block = block;
    try {
      const asked = await this.#feesAsked();
      const ceiling = this.#maxFeePerGas;
      const fees = nonce === signedNonce ? replacingWithin(ceiling, before, asked) : feesWithin(ceiling, asked);
      await this.#requireFunds(call, { ...sent, fees });
      sent.fees = fees;
      await this.#broadcast(call, sent, true);
      return true;
    } catch (error) {
      if (!mayPass(error)) throw error;
      sent.fees = before;
      return false;
    }
  }
}

/** @throws CHAIN_REVERTED if the transaction failed in its block */
function mined({ name }: Call, receipt: TransactionReceipt): TransactionReceipt {
  if (receipt.status === 0)
    throw new VerisumError("CHAIN_REVERTED", `${name} was refused in the block that it was mined in`, {
      call: name,
      error: "unknown",
      transaction: receipt.hash,
    });
  return receipt;
}

function longer(pause: number): number {
  return Math.min(LONGEST_LOOK_MS, pause * 1.5);
}

/** A call may cost more when it is mined than when it was estimated: the last submission also ends the phase. */
export function withMargin(estimate: bigint): bigint {
  const wanted = estimate + estimate / 4n + 50_000n;
  return wanted < TRANSACTION_GAS_CAP ? wanted : TRANSACTION_GAS_CAP;
}

/** Why a transaction could not be sent, was refused or was not mined. @param name of the call or the deployment */
export function sendingFailure(name: string, error: unknown): VerisumError {
  const known = isVerisumError(error) ? error : revertOf(error);
  if (known !== undefined) return known;
  const code = refusalOf(error) === "funds" ? "CHAIN_FUNDS_MISSING" : "CHAIN_TRANSACTION_REFUSED";
  return new VerisumError(code, `${name} could not be sent: ${describe(error)}`, { call: name }, { cause: error });
}
