/** `TaskWriter` over a chain in memory. */
import type { Wallet } from "ethers";
import { encodeSigned, encodeSubmission } from "../../../chain/codec.ts";
import type { SendName } from "../../../chain/contract-calls.ts";
import type { VerisumFunctions } from "../../../chain/generated/verisum.ts";
import { CHUNKS_PER_TRANSACTION, sendInSteps } from "../../../chain/large-submission.ts";
import { signResult } from "../../../chain/result-signature.ts";
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
    advance: (round) => send("advance", round),
    attest: (round, bitmap) => send("attest", round, bitmap),
    propose: (round, members) => send("propose", round, members),
    settle: (round, excluded) =>
      send(
        "settle",
        round,
        excluded.map(({ index, client, weight, submission: { commitment } }) => ({
          index: BigInt(index),
          record: { client: lowerCase(client), weight: BigInt(weight), commitment },
        })),
      ),
    release: (round, releaseCid) => send("release", round, releaseCid),
    finalize: (round, result, evaluation, opening, signatures) => {
      const sorted = [...signatures].sort((a, b) => a.seat - b.seat);
      const signers = sorted.reduce((mask, { seat }) => mask | seatBit(seat), 0n);
      const compact = sorted.map(({ signature: { r, vs } }): [Hex, Hex] => [r, vs]);
      return send("finalize", round, result, evaluation, opening, signers, compact);
    },
    signResult: (result) => signResult(wallet, reader.context, result),
    signText: async (text) => (await wallet.signMessage(text)) as Hex,
  };
}

function encodeBatch(signed: readonly SignedSubmission[]): Arguments<"submitBatch">[1] {
  return signed.map((item) => encodeSigned({ ...item, client: lowerCase(item.client) }));
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

function lowerCase(address: string): Hex {
  return address.toLowerCase() as Hex;
}
