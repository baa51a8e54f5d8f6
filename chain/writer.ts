/** `TaskWriter` over JSON-RPC: one account's calls. */
import { Contract } from "ethers";
import type { TransactionReceipt, Wallet } from "ethers";
import { seatsMask } from "../protocol/committee.ts";
import type { Submission } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import {
  decodeAddress,
  encodeAttestation,
  encodeExcluded,
  encodeRelease,
  encodeSignature,
  encodeSigned,
  encodeSubmission,
} from "./codec.ts";
import type { ArgumentsOf, SendName } from "./contract-calls.ts";
import type { VerisumFunctions } from "./generated/verisum.ts";
import { CHUNKS_PER_TRANSACTION, sendInSteps } from "./large-submission.ts";
import { parseTaskLog } from "./logs.ts";
import { stepOf } from "./round-records.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import { signStatement } from "./statement-signatures.ts";
import { signSubmission } from "./submission-signature.ts";
import type { ChunkProgress, Receipt, TaskReader, TaskWriter } from "./task-chain.ts";
import { queueTransactions, receiptOf } from "./transaction.ts";

/** Sends a call by name, with the arguments that the contract's interface gives it. */
type Send = <N extends SendName<VerisumFunctions>>(
  name: N,
  ...args: ArgumentsOf<VerisumFunctions, N>
) => Promise<Receipt>;

/** The same, with all that the receipt says. */
type Transact = <N extends SendName<VerisumFunctions>>(
  name: N,
  args: ArgumentsOf<VerisumFunctions, N>,
  valueWei?: bigint,
) => Promise<TransactionReceipt>;

/** Calls that make sense in any phase; all others are of the round and phase in which they are made. */
const OF_NO_PHASE: ReadonlySet<SendName<VerisumFunctions>> = new Set([
  "registerMember",
  "registerClient",
  "replaceMember",
  "removeClient",
  "nameSuccessor",
  "takePlace",
  "withdrawBond",
  "join",
  "registerRoundKeys",
  "announce",
]);

/** Refused from their phase's deadline on, though the phase may last until somebody's call ends it. */
const UNTIL_DEADLINE: ReadonlySet<SendName<VerisumFunctions>> = new Set([
  "submit",
  "submitBatch",
  "proveChunks",
  "finishSubmission",
]);

/**
 * Everything that the reader's contract lets this wallet's account do.
 * @param maxFeePerGas the most that is offered for a unit of gas, in wei
 */
export function writerOver(reader: TaskReader, endpoint: Endpoint, wallet: Wallet, maxFeePerGas?: bigint): TaskWriter {
  const { contract: to } = reader.context;
  const contract = new Contract(to, VERISUM_INTERFACE, wallet.connect(endpoint.provider));
  const queue = queueTransactions(endpoint, wallet, maxFeePerGas);
  const transact: Transact = async (name, args, valueWei) =>
    queue({
      ...{ name, to, data: VERISUM_INTERFACE.encodeFunctionData(name, args) },
      ...(valueWei === undefined ? {} : { valueWei }),
      ...(OF_NO_PHASE.has(name) ? {} : { isWanted: await untilPhaseEnds(reader, endsAtDeadline(name, args)) }),
    });
  const send: Send = async (name, ...args) => receiptOf(await transact(name, args));
  const account = decodeAddress(wallet.address as Hex);
  return {
    ...reader,
    account,
    join: async () => receiptOf(await transact("join", [], (await reader.parameters()).bondWei)),
    registerMember: (member) => send("registerMember", member),
    registerClient: (client, weight) => send("registerClient", client, weight),
    replaceMember: (seat, member) => send("replaceMember", seat, member),
    removeClient: (client) => send("removeClient", client),
    nameSuccessor: (successor) => send("nameSuccessor", successor),
    takePlace: (predecessor) => send("takePlace", predecessor),
    withdrawBond: () => send("withdrawBond"),
    registerRoundKeys: (firstRound, keys) => send("registerRoundKeys", firstRound, keys),
    announce: (url) => send("announce", url),
    openRound: () => send("openRound"),
    submit: async (round, submission) =>
      submission.chunks.length > CHUNKS_PER_TRANSACTION
        ? sendLarge(transact, send, round, submission, await reader.lastChunkStep(round, account))
        : send("submit", round, encodeSubmission(submission)),
    signSubmission: (round, submission) => signSubmission(wallet, { ...reader.context, round }, submission),
    checkBatch: (round, signed) =>
      endpoint.request(
        () => contract.getFunction("submitBatch").staticCall(round, signed.map(encodeSigned)) as Promise<void>,
      ),
    submitBatch: (round, signed) => send("submitBatch", round, signed.map(encodeSigned)),
    abort: (round) => send("abort", round),
    settle: (round, statements, members, excluded) =>
      send("settle", round, bySeat(statements).map(encodeAttestation), members, excluded.map(encodeExcluded)),
    finalize: (round, result, evaluation, opening, releases, signatures) => {
      const sorted = bySeat(signatures);
      const signers = seatsMask(sorted.map(({ seat }) => seat));
      const compact = sorted.map(({ signature }) => encodeSignature(signature));
      return send(
        ...(["finalize", round, result, evaluation, opening] as const),
        ...([bySeat(releases).map(encodeRelease), signers, compact] as const),
      );
    },
    signAttestation: (attestation) => signStatement(wallet, reader.context, "Attestation", attestation),
    signRelease: (release) => signStatement(wallet, reader.context, "Release", release),
    signResult: (result) => signStatement(wallet, reader.context, "Result", result),
    signText: async (text) => (await wallet.signMessage(text)) as Hex,
  };
}

/** A settlement with statements is a proposal or takes effect at once; without them it executes the one that stands. */
function endsAtDeadline<N extends SendName<VerisumFunctions>>(
  name: N,
  args: ArgumentsOf<VerisumFunctions, N>,
): boolean {
  if (name !== "settle") return UNTIL_DEADLINE.has(name);
  const [, statements] = args as ArgumentsOf<VerisumFunctions, "settle">;
  return statements.length > 0;
}

/**
 * Whether the round and the phase are still those of this moment.
 * @param endsAtDeadline whether a block from the phase's deadline on is too late as well
 */
async function untilPhaseEnds(reader: TaskReader, endsAtDeadline: boolean): Promise<() => Promise<boolean>> {
  const { number, phase } = await reader.round();
  return async () => {
    const now = await reader.round();
    if (now.number !== number || now.phase !== phase) return false;
    return !endsAtDeadline || (await reader.blockTime()) < now.deadline;
  };
}

/** Returns the last transaction, with the gas of all that were sent now. */
async function sendLarge(
  transact: Transact,
  send: Send,
  round: bigint,
  submission: Submission,
  last: Parameters<typeof sendInSteps>[1],
): Promise<Receipt> {
  let gasUsed = 0n;
  type Steps = ArgumentsOf<VerisumFunctions, "proveChunks">;
  const prove = async (head: Steps[1], progress: Steps[2], chunks: Steps[3]): Promise<ChunkProgress> => {
    const receipt = await transact("proveChunks", [round, head, progress, chunks]);
    gasUsed += receipt.gasUsed;
    const log = parseTaskLog(receipt.logs[0]!);
    if (log?.name !== "ChunksProven") throw new TypeError("proveChunks emitted no ChunksProven");
    return stepOf(log.args).progress;
  };
  const finished = await sendInSteps(submission, last, prove, (...step) => send("finishSubmission", round, ...step));
  return { ...finished, gasUsed: finished.gasUsed + gasUsed };
}

/** As the contract wants them. */
function bySeat<T extends { readonly seat: number }>(statements: readonly T[]): readonly T[] {
  return [...statements].sort((a, b) => a.seat - b.seat);
}
