/**
 * Calldata that differs from the ABI's own encoding in one place, in each call that carries a submission. Every one of
 * the conditions that the contract checks is broken alone. Solidity's decoder follows all of these.
 */
import { after, before, beforeEach, describe, it } from "mocha";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeChunks, encodeSigned, encodeSubmission } from "../../chain/codec.ts";
import { headOf } from "../../chain/large-submission.ts";
import { lastStepOf } from "../../chain/round-records.ts";
import { parseTaskLog } from "../../chain/logs.ts";
import type { ChunkProgress, SignedSubmission } from "../../chain/task-chain.ts";
import type { Submission } from "../../protocol/submission.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { bytes32, reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import { as, deployTask, openChain, openRound, registerAll, signAs, snapshot } from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

/** Words of a submission before its arrays, and where in them the arrays' offsets and the opening's y stand. */
const HEAD = 9;
const OFFSETS = [4, 5, 6] as const;
const ARRAYS = ["shareHashes", "chunks", "shareEvaluations"] as const;
const START: ChunkProgress = { count: 0n, wires: `0x${"00".repeat(32)}`, h: 0n, y: 0n, zPower: 0n };

/** A call's arguments: what comes before the submission, with the place of the submission's offset, and the rest. */
interface Call {
  readonly selector: string;
  readonly lead: readonly bigint[];
  readonly offsetAt: number;
  readonly submission: readonly bigint[];
}

function callOf(name: string, args: readonly unknown[], leadWords: number, offsetAt = leadWords - 1): Call {
  const data = VERISUM_INTERFACE.encodeFunctionData(name, args).slice(2);
  const words = data
    .slice(8)
    .match(/.{64}/g)!
    .map((word) => BigInt(`0x${word}`));
  const [lead, submission] = [words.slice(0, leadWords), words.slice(leadWords)];
  return { selector: data.slice(0, 8), lead, offsetAt, submission };
}

function encode({ selector, lead, submission }: Call): string {
  const words = [...lead, ...submission].map((word) => BigInt.asUintN(256, word).toString(16).padStart(64, "0"));
  return `0x${selector}${words.join("")}`;
}

/** Byte of the calldata where the submission starts in its only accepted form. */
const startOf = ({ lead }: Call): number => 4 + 32 * lead.length;

/** The offsets of these arrays moved by a number of words. */
function moved(submission: readonly bigint[], arrays: readonly number[], words: bigint): bigint[] {
  return submission.map((word, i) => (arrays.includes(i) ? word + 32n * words : word));
}

/** The submission's own offset moved by one word. */
function leadMoved({ lead, offsetAt }: Call, bytes: bigint): bigint[] {
  return lead.with(offsetAt, lead[offsetAt]! + bytes);
}

/** One word more than there should be before this array. */
function withGap(call: Call, array: number): Call {
  const at = Number(call.submission[OFFSETS[array]!]!) / 32;
  return { ...call, submission: moved(call.submission, OFFSETS.slice(array), 1n).toSpliced(at, 0, 0n) };
}

/** The array's length in the word before its place, whatever that word was for. */
function withOverlap(call: Call, array: number): Call {
  const at = Number(call.submission[OFFSETS[array]!]!) / 32;
  return { ...call, submission: moved(call.submission, OFFSETS.slice(array), -1n).toSpliced(at - 1, 1) };
}

/** The submission's head one word late, over the first array's length; the arrays stay in their places. */
function withLateHead(call: Call): Call {
  const head = moved(call.submission, OFFSETS, -1n).slice(0, HEAD - 1);
  return { ...call, lead: leadMoved(call, 32n), submission: [0n, ...head, ...call.submission.slice(HEAD)] };
}

/** The submission's head one word early, over the last word before it; the arrays stay in their places. */
function withEarlyHead(call: Call): Call {
  const head = moved(call.submission, OFFSETS, 1n).slice(1, HEAD);
  return { ...call, lead: leadMoved(call, -32n), submission: [...head, 0n, ...call.submission.slice(HEAD)] };
}

const FORMS: readonly [string, (call: Call) => Call][] = [
  ["the submission one word late", withLateHead],
  ["the submission one word early", withEarlyHead],
  ...ARRAYS.flatMap((name, i): [string, (call: Call) => Call][] => [
    [`a gap before ${name}`, (call) => withGap(call, i)],
    [`${name} over the word before`, (call) => withOverlap(call, i)],
  ]),
];

describe("calldata", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let valid: Submission;
  let signed: SignedSubmission[];
  let progress: ChunkProgress;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { chunkKinds: [1, 0], dimension: 2473 });
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    signed = [];
    for (const i of [0, 1]) signed.push((await signAs(task, i)).signed);
    valid = signed[0]!.submission;
    const client = task.clients[0]!;
    const sent = await as(task, client)["proveChunks"]!(1n, headOf(valid), START, encodeChunks(valid.chunks));
    const logs = (await sent.wait())!.logs.map((log) => parseTaskLog(log)!);
    progress = lastStepOf(logs, 1n, client.address.toLowerCase() as Hex)!.progress;
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  const CALLS: Record<string, { readonly from: () => HardhatEthersSigner; readonly call: () => Call }> = {
    submit: {
      from: () => task.clients[0]!,
      call: () => callOf("submit", [1n, encodeSubmission(valid)], 2),
    },
    finishSubmission: {
      from: () => task.clients[0]!,
      call: () => callOf("finishSubmission", [1n, progress, encodeSubmission({ ...valid, chunks: [] })], 7),
    },
    // Round, offset, length, one item's offset, and the item's offset, client and signature.
    "submitBatch with one": {
      from: () => task.stranger,
      call: () => callOf("submitBatch", [1n, [encodeSigned(signed[0]!)]], 4 + 4, 4),
    },
    // The last of two: two offsets, and the whole first item before it.
    "submitBatch with two": {
      from: () => task.stranger,
      call: () => callOf("submitBatch", [1n, signed.map(encodeSigned)], 5 + itemWords() + 4, 5 + itemWords()),
    },
  };

  /** Words of one item of the batch: four, and the submission with its three lengths. */
  function itemWords(): number {
    return 4 + HEAD + 3 + valid.shareHashes.length + 12 * valid.chunks.length + valid.shareEvaluations.length;
  }

  for (const [name, { from, call }] of Object.entries(CALLS)) {
    describe(`of ${name} is refused with`, () => {
      const send = (data: string): Promise<unknown> => from().sendTransaction({ to: task.address, data });

      for (const [form, change] of FORMS) {
        // Its chunks are none: the word before the evaluations is that length, and says more than the calldata holds.
        if (name === "finishSubmission" && form === "shareEvaluations over the word before") continue;
        it(form, async () => {
          const changed = encode(change(call()));
          await reverts(send(changed), "VerisumNotCanonical", bytes32("calldata"), startOf(call()));
          await send(encode(call()));
        });
      }

      it("anything after its end", async () => {
        const data = encode(call());
        const end = data.length / 2 - 1;
        for (const more of ["00", "00".repeat(32)])
          await reverts(send(`${data}${more}`), "VerisumNotCanonical", bytes32("calldata"), end);
        await send(data);
      });
    });
  }

  it("of submitBatch is refused with an item out of its place", async () => {
    const { lead, submission, ...call } = callOf("submitBatch", [1n, signed.map(encodeSigned)], 5);
    const send = (offsets: readonly bigint[], items: readonly bigint[]): Promise<unknown> =>
      task.stranger.sendTransaction({
        to: task.address,
        data: encode({ ...call, lead: [...lead.slice(0, 3), ...offsets], submission: items }),
      });
    const [first, second] = [lead[3]!, lead[4]!];
    const places = [4 + 32 * 5, 4 + 32 * (5 + itemWords())];
    const cases: readonly [number, readonly bigint[], readonly bigint[]][] = [
      [0, [second, first], submission],
      [0, [first + 32n, second + 32n], [0n, ...submission]],
      [1, [first, first], submission],
      [1, [first, second + 32n], submission.toSpliced(itemWords(), 0, 0n)],
    ];
    for (const [item, offsets, items] of cases)
      await reverts(send(offsets, items), "VerisumNotCanonical", bytes32("calldata"), places[item]);
    await send([first, second], submission);
  });
});
