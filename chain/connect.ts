/** `TaskReader` and `TaskWriter` over JSON-RPC. */
import { Contract, NonceManager } from "ethers";
import type { ContractTransactionReceipt, Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import { fromHex } from "../protocol/transcript.ts";
import type { Submission } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import { readCellGroup } from "./cell-group.ts";
import { decodeParameters, decodeRound, encodeSigned, encodeSubmission } from "./codec.ts";
import type { Decoded } from "./codec.ts";
import { loadWallet } from "./key-file.ts";
import { CHUNKS_PER_TRANSACTION, sendInSteps } from "./large-submission.ts";
import { lastStepOf, recordsOf, stepOf, TaskLogs } from "./logs.ts";
import type { EventArguments } from "./logs.ts";
import { signResult } from "./result-signature.ts";
import { signSubmission } from "./submission-signature.ts";
import { describe, openEndpoint, revertOf, VERISUM_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type { Receipt, TaskReader, TaskWriter } from "./task-chain.ts";

export interface ConnectOptions {
  readonly rpc: string;
  readonly contract: Hex;
  /** Any other chain is refused. */
  readonly chainId?: bigint;
  /** The account's key file; the environment's key if absent. */
  readonly key?: string;
  /** Blocks on top that make a block final; if absent, the chain's `finalized` tag, and 0 on a development chain. */
  readonly confirmations?: number;
  /** A wallet that is open already, instead of a key. */
  readonly wallet?: Wallet;
}

/** A transaction that is not mined within this time is reported lost. */
const MINING_TIMEOUT_MS = 180_000;
/** Chains of one process that never reorganise: Hardhat's and Ganache's. */
const DEVELOPMENT_CHAINS: readonly bigint[] = [31337n, 1337n];
/** EIP-7825. */
const TRANSACTION_GAS_CAP = 16_777_216n;

/** @throws CHAIN_UNREACHABLE, CHAIN_WRONG_NETWORK, CHAIN_NO_CONTRACT */
export async function connectReader(options: ConnectOptions): Promise<TaskReader> {
  return (await openReader(options)).reader;
}

/** @throws as `connectReader`, and KEY_MISSING, KEY_INVALID, KEY_FILE_PERMISSIONS */
export async function connectWriter(options: ConnectOptions): Promise<TaskWriter> {
  const wallet = options.wallet ?? (await loadWallet(options.key, process.env));
  const { reader, endpoint } = await openReader(options);
  return writerOver(reader, endpoint, wallet);
}

async function openReader(
  options: ConnectOptions,
): Promise<{ readonly reader: TaskReader; readonly endpoint: Endpoint }> {
  const { endpoint, chainId } = await openEndpoint(options.rpc, options.chainId);
  return { reader: await readerAt(endpoint, chainId, options.contract, options), endpoint };
}

async function readerAt(
  endpoint: Endpoint,
  chainId: bigint,
  address: Hex,
  options: Pick<ConnectOptions, "confirmations">,
): Promise<TaskReader> {
  const { provider } = endpoint;
  const requireContract = async (at: Hex): Promise<void> => {
    if ((await endpoint.request(() => provider.getCode(at))) === "0x")
      throw new VerisumError("CHAIN_NO_CONTRACT", `chain ${chainId} has no contract at ${at}`, {
        contract: at,
        chainId,
      });
  };
  await requireContract(address);
  const contract = new Contract(address, VERISUM_INTERFACE, provider);
  const call = async <T>(name: string, ...args: readonly unknown[]): Promise<T> =>
    endpoint.request(() => contract.getFunction(name).staticCall(...args) as Promise<T>);
  const logs = new TaskLogs(endpoint, address);
  const latestBlock = (): Promise<number> => endpoint.request(() => provider.getBlockNumber());
  const finalBlockBelow = async (latest: number): Promise<number> => {
    const depth = options.confirmations ?? (DEVELOPMENT_CHAINS.includes(chainId) ? 0 : undefined);
    if (depth !== undefined) return latest - depth;
    return (await endpoint.request(() => provider.getBlock("finalized")))?.number ?? -1;
  };
  const finalBlock = async (): Promise<number> => finalBlockBelow(await latestBlock());
  const allLogs = async (): ReturnType<TaskLogs["all"]> => {
    const latest = await latestBlock();
    return logs.all(latest, await finalBlockBelow(latest));
  };
  let fullCommittee: readonly Hex[] | undefined;
  const reader: TaskReader = {
    context: { chainId, contract: address.toLowerCase() as Hex },
    parameters: once(() => call<Decoded>("parameters").then(decodeParameters)),
    parametersHash: () => call("parametersHash"),
    operator: once(() => call<Hex>("operator").then(lowerCase)),
    verificationKeys: async () => {
      const pointer = await call<string>("keysPointer");
      const code = await endpoint.request(() => provider.getCode(pointer));
      return fromHex(code as Hex).slice(1);
    },
    round: () => call<Decoded>("round").then(decodeRound),
    latestModel: async () => {
      const { round, cid, digest } = await call<{ round: bigint; cid: Hex; digest: Hex }>("latestModel");
      return { round, cid, digest };
    },
    finalisedRounds: () => call<bigint>("finalisedRounds").then(Number),
    privacySpent: () => call("privacySpent"),
    client: async (account) => {
      const { weight, activeFromRound, lastSubmittedRound, bondWei } = await call<
        Record<"weight" | "activeFromRound" | "lastSubmittedRound" | "bondWei", bigint>
      >("clientOf", account);
      return { weight: Number(weight), activeFromRound, lastSubmittedRound, bondWei };
    },
    clientCount: () => call<bigint>("clientCount").then(Number),
    members: async () => {
      // A full committee never changes.
      if (fullCommittee !== undefined) return fullCommittee;
      const count = Number(await call<bigint>("memberCount"));
      const members = await Promise.all(
        Array.from({ length: count }, (_, i) => call<Hex>("memberAt", i + 1).then(lowerCase)),
      );
      if (count === (await reader.parameters()).committeeSize) fullCommittee = members;
      return members;
    },
    roundKey: (round, seat) => call("roundKey", round, seat),
    records: async (round) => recordsOf(await allLogs(), round),
    lastChunkStep: async (round, account) => lastStepOf(await allLogs(), round, account),
    finalisedRoundNumbers: async () =>
      (await allLogs()).filter(({ name }) => name === "Finalised").map(({ args }) => args.round),
    endpoints: async () => {
      const announced = (await allLogs()).filter(({ name }) => name === "EndpointAnnounced");
      return new Map(announced.flatMap(({ args }) => announcementIn(args)));
    },
    // The pending block: a chain that mines only on demand keeps an old latest one.
    // Raw: ethers refuses a pending block, which has no number.
    blockTime: async () => {
      const block = (await endpoint.request(() => provider.send("eth_getBlockByNumber", ["pending", false]))) as {
        timestamp: string;
      } | null;
      return Number(block?.timestamp ?? (await endpoint.request(() => provider.getBlock("latest")))?.timestamp ?? 0);
    },
    finalBlock,
    cellGroup: async (group) => {
      await requireContract(group);
      return readCellGroup(endpoint, group);
    },
    at: (contract) => readerAt(endpoint, chainId, contract, options),
  };
  return reader;
}

function writerOver(reader: TaskReader, endpoint: Endpoint, wallet: Wallet): TaskWriter {
  const signer = new NonceManager(wallet.connect(endpoint.provider));
  const contract = new Contract(reader.context.contract, VERISUM_INTERFACE, signer);
  // One transaction at a time: nonces in order, and a refusal is known before the next is sent.
  let queue: Promise<unknown> = Promise.resolve();
  const mine = (name: string, ...args: readonly unknown[]): Promise<ContractTransactionReceipt> => {
    const sent = queue.then(() => transact(contract, signer, name, args));
    queue = sent.catch(() => undefined);
    return sent;
  };
  const send = async (name: string, ...args: readonly unknown[]): Promise<Receipt> =>
    receiptOf(await mine(name, ...args));
  const account = wallet.address.toLowerCase() as Hex;
  /** Returns the last transaction, with the gas of all that were sent now. */
  const sendLarge = async (round: bigint, submission: Submission): Promise<Receipt> => {
    let gasUsed = 0n;
    const last = await sendInSteps(
      submission,
      await reader.lastChunkStep(round, account),
      async (...args) => {
        const receipt = await mine("proveChunks", round, ...args);
        gasUsed += receipt.gasUsed;
        return stepOf(VERISUM_INTERFACE.parseLog(receipt.logs[0]!)!.args as unknown as EventArguments).progress;
      },
      (...args) => send("finishSubmission", round, ...args),
    );
    return { ...last, gasUsed: last.gasUsed + gasUsed };
  };
  return {
    ...reader,
    account,
    join: async () => send("join", { value: (await reader.parameters()).bondWei }),
    registerMember: (member) => send("registerMember", member),
    registerClient: (client, weight) => send("registerClient", client, weight),
    registerRoundKeys: (firstRound, keys) => send("registerRoundKeys", firstRound, keys),
    announce: (url) => send("announce", url),
    openRound: () => send("openRound"),
    submit: (round, submission) =>
      submission.chunks.length > CHUNKS_PER_TRANSACTION
        ? sendLarge(round, submission)
        : send("submit", round, encodeSubmission(submission)),
    signSubmission: (round, submission) => signSubmission(wallet, { ...reader.context, round }, submission),
    checkBatch: (round, signed) =>
      endpoint.request(
        () => contract.getFunction("submitBatch").staticCall(round, signed.map(encodeSigned)) as Promise<void>,
      ),
    submitBatch: (round, signed) => send("submitBatch", round, signed.map(encodeSigned)),
    advance: (round) => send("advance", round),
    attest: (round, bitmap) => send("attest", round, bitmap),
    propose: (round, members) => send("propose", round, members),
    settle: (round, excluded) =>
      send(
        "settle",
        round,
        excluded.map(({ index, client, weight, submission }) => ({
          index,
          record: { client, weight, commitment: submission.commitment },
        })),
      ),
    release: (round, releaseCid) => send("release", round, releaseCid),
    finalize: (round, result, evaluation, opening, signatures) => {
      const sorted = [...signatures].sort((a, b) => a.seat - b.seat);
      const mask = sorted.reduce((bits, { seat }) => bits | (1 << (seat - 1)), 0) >>> 0;
      return send(
        "finalize",
        round,
        result,
        evaluation,
        opening,
        mask,
        sorted.map(({ signature }) => [signature.r, signature.vs]),
      );
    },
    signResult: (result) => signResult(wallet, reader.context, result),
    signText: async (text) => (await wallet.signMessage(text)) as Hex,
  };
}

/** Sends and waits until mined. @throws CHAIN_REVERTED, CHAIN_TRANSACTION_LOST, CHAIN_UNREACHABLE */
async function transact(
  contract: Contract,
  signer: NonceManager,
  name: string,
  args: readonly unknown[],
): Promise<ContractTransactionReceipt> {
  try {
    const gasLimit = withMargin(await contract.getFunction(name).estimateGas(...args));
    const response = await contract.getFunction(name).send(...argumentsWith(args, gasLimit));
    return (await response.wait(1, MINING_TIMEOUT_MS)) as ContractTransactionReceipt;
  } catch (error) {
    // The nonce may not have been used: ask the chain again before the next transaction.
    signer.reset();
    const refused = revertOf(error);
    if (refused !== undefined) throw refused;
    const { code } = error as { code?: string };
    if (code === "TIMEOUT")
      throw new VerisumError(
        "CHAIN_TRANSACTION_LOST",
        `${name} was not mined in time`,
        { call: name },
        { cause: error },
      );
    throw new VerisumError(
      "CHAIN_UNREACHABLE",
      `${name} could not be sent: ${describe(error)}`,
      { call: name },
      { cause: error },
    );
  }
}

function receiptOf({ hash, gasUsed, blockNumber }: ContractTransactionReceipt): Receipt {
  return { transactionHash: hash as Hex, gasUsed, blockNumber };
}

/**
 * An account and its endpoint; nothing if the bytes are no UTF-8, at which ethers throws. Anybody may announce
 * anything.
 */
function announcementIn(args: EventArguments): [Hex, string][] {
  try {
    return [[lowerCase(args.account), args.endpoint]];
  } catch {
    return [];
  }
}

function lowerCase(address: Hex): Hex {
  return address.toLowerCase() as Hex;
}

/** A call may cost more when it is mined than when it was estimated: the last submission also ends the phase. */
function withMargin(estimate: bigint): bigint {
  const wanted = estimate + estimate / 4n + 50_000n;
  return wanted < TRANSACTION_GAS_CAP ? wanted : TRANSACTION_GAS_CAP;
}

/** The call's arguments with the gas limit among its overrides. */
function argumentsWith(args: readonly unknown[], gasLimit: bigint): unknown[] {
  const last = args.at(-1);
  const isOverrides = last !== null && typeof last === "object" && "value" in last;
  return isOverrides ? [...args.slice(0, -1), { ...last, gasLimit }] : [...args, { gasLimit }];
}

/** Asks for what never changes until it has been answered once. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () =>
    (answer ??= ask().catch((error: unknown) => {
      answer = undefined;
      throw error;
    }));
}
