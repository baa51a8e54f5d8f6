/** `TaskWriter` over a chain in memory. */
import type { Wallet } from "ethers";
import { encodeSubmission, intakeRecordOf } from "../../../chain/codec.ts";
import type { SendName } from "../../../chain/contract-calls.ts";
import type { VerisumFunctions } from "../../../chain/generated/verisum.ts";
import { CHUNKS_PER_TRANSACTION, sendInSteps } from "../../../chain/large-submission.ts";
import { signStatement } from "../../../chain/statement-signatures.ts";
import { signSubmission } from "../../../chain/submission-signature.ts";
import type {
  ChunkProgress,
  ChunkStep,
  Receipt,
  SignedSubmission,
  TaskReader,
  TaskWriter,
} from "../../../chain/task-chain.ts";
import type { Submission } from "../../../protocol/submission.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import type { Arguments, MemoryChain } from "./chain.ts";
import { seatBit } from "./state.ts";

type Send = <N extends SendName<VerisumFunctions>>(name: N, ...args: Arguments<N>) => Promise<Receipt>;

/** Everything that the reader's contract lets this wallet's account do. */
export function memoryWriter(chain: MemoryChain, reader: TaskReader, wallet: Wallet): TaskWriter {
  const account = lowerCase(wallet.address);
  const { contract } = reader.context;
  const send: Send = async (name, ...args) => chain.send(contract, account, name, args);
  return {
    ...reader,
    account,
    join: async () => chain.send(contract, account, "join", [], (await reader.parameters()).bondWei),
    registerMember: (member) => send("registerMember", lowerCase(member)),
    registerClient: (client, weight) => send("registerClient", lowerCase(client), BigInt(weight)),
    replaceMember: (seat, member) => send("replaceMember", BigInt(seat), lowerCase(member)),
    removeClient: (client) => send("removeClient", lowerCase(client)),
    nameSuccessor: (successor) => send("nameSuccessor", lowerCase(successor)),
    takePlace: (predecessor) => send("takePlace", lowerCase(predecessor)),
    withdrawBond: () => send("withdrawBond"),
    registerRoundKeys: (firstRound, keys) => send("registerRoundKeys", firstRound, keys),
    announce: (endpoint) => send("announce", endpoint),
    openRound: () => send("openRound"),
    submit: async (round, submission) =>
      submission.chunks.length > CHUNKS_PER_TRANSACTION
        ? sendLarge(send, reader, account, round, submission)
        : send("submit", round, encodeSubmission(submission)),
    signSubmission: (round, submission) => signSubmission(wallet, { ...reader.context, round }, submission),
    submitBatch: (round, signed) => send("submitBatch", round, encodeBatch(signed)),
    checkBatch: async (round, signed) => chain.simulate(contract, account, "submitBatch", [round, encodeBatch(signed)]),
    abort: (round) => send("abort", round),
    settle: (round, statements, members, excluded) =>
      send(
        "settle",
        round,
        bySeat(statements).map(({ seat, good, refused, signature: { r, vs } }) => ({
          ...{ seat: BigInt(seat), good, refused },
          signature: [r, vs] as const,
        })),
        members,
        excluded.map(({ index, ...record }) => {
          const { weight, ...rest } = intakeRecordOf(record);
          return { index: BigInt(index), record: { ...rest, weight: BigInt(weight) } };
        }),
      ),
    finalize: (round, result, evaluation, opening, releases, signatures) => {
      const sorted = bySeat(signatures);
      const signers = sorted.reduce((mask, { seat }) => mask | seatBit(seat), 0n);
      const compact = sorted.map(({ signature: { r, vs } }): [Hex, Hex] => [r, vs]);
      const released = bySeat(releases).map(({ seat, releaseCid, signature: { r, vs } }) => ({
        ...{ seat: BigInt(seat), releaseCid },
        signature: [r, vs] as const,
      }));
      return send("finalize", round, result, evaluation, opening, released, signers, compact);
    },
    signAttestation: (attestation) => signStatement(wallet, reader.context, "Attestation", attestation),
    signRelease: (release) => signStatement(wallet, reader.context, "Release", release),
    signResult: (result) => signStatement(wallet, reader.context, "Result", result),
    signText: async (text) => (await wallet.signMessage(text)) as Hex,
  };
}

function encodeBatch(signed: readonly SignedSubmission[]): Arguments<"submitBatch">[1] {
  return signed.map(({ client, submission, signature: { r, vs } }) => ({
    ...{ client: lowerCase(client), submission: encodeSubmission(submission) },
    signature: [r, vs] as const,
  }));
}

async function sendLarge(
  send: Send,
  reader: TaskReader,
  account: Hex,
  round: bigint,
  submission: Submission,
): Promise<Receipt> {
  const lastStep = (): Promise<ChunkStep | undefined> => reader.lastChunkStep(round, account);
  return sendInSteps(
    submission,
    await lastStep(),
    async (...step): Promise<ChunkProgress> => {
      await send("proveChunks", round, ...step);
      return (await lastStep())!.progress;
    },
    (...step) => send("finishSubmission", round, ...step),
  );
}

function bySeat<T extends { readonly seat: number }>(statements: readonly T[]): readonly T[] {
  return [...statements].sort((a, b) => a.seat - b.seat);
}

function lowerCase(address: string): Hex {
  return address.toLowerCase() as Hex;
}
