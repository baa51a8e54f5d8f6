/** A long task's chain as the index reads it: made up, in memory, and the same each time. */
import { createHash } from "node:crypto";
import type { ChainBlock, FinalisedRecord, RoundRecords, SubmittedRecord, TaskLook } from "../../chain/task-chain.ts";
import type { TaskEvent } from "../../chain/task-events.ts";
import type { IndexedChain } from "../../indexer/index-task.ts";
import type { Hex } from "../../protocol/transcript.ts";

export interface SimulatedSize {
  /** All final. */
  readonly rounds: number;
  readonly clients: number;
}

const MEMBERS = 4;
/** Submissions in one block. */
const TOGETHER = 5;
const SECONDS_PER_BLOCK = 12;
const FIRST_TIME = 1_700_000_000;

function word(label: string): Hex {
  return `0x${createHash("sha256").update(label).digest("hex")}`;
}

function account(label: string): Hex {
  return word(label).slice(0, 42) as Hex;
}

/** Members and clients register, then rounds follow one another: opened, submitted, settled, finalised. */
export function simulatedChain({ rounds, clients }: SimulatedSize): IndexedChain {
  const events: TaskEvent[] = [];
  const records = new Map<bigint, RoundRecords>();
  let block = 1;
  let index = 0;
  const accounts = Array.from({ length: clients }, (_, i) => account(`client ${i}`));
  const add = (name: TaskEvent["name"], more: Partial<TaskEvent>, label: string): void => {
    events.push({ name, blockNumber: block, index: index++, transactionHash: word(label), fields: {}, ...more });
  };
  const nextBlock = (): void => {
    block += 1;
    index = 0;
  };
  for (let seat = 1; seat <= MEMBERS; seat++)
    add("MemberRegistered", { seat, account: account(`member ${seat}`) }, `seat ${seat}`);
  for (const client of accounts)
    add("ClientRegistered", { account: client, fields: { weight: "1" } }, `join ${client}`);
  for (let number = 1; number <= rounds; number++) {
    const round = BigInt(number);
    nextBlock();
    add("RoundOpened", { round }, `open ${number}`);
    const submitted: SubmittedRecord[] = [];
    for (const [place, client] of accounts.entries()) {
      if (place % TOGETHER === 0) nextBlock();
      const transactionHash = word(`submit ${number} ${place}`);
      add("Submitted", { round, account: client }, `submit ${number} ${place}`);
      submitted.push({
        ...{ round, client, index: place, weight: 1, transactionHash, blockNumber: block },
        submission: { chunks: [{}], sharesCid: word(`shares ${number} ${place}`) },
      } as unknown as SubmittedRecord);
    }
    nextBlock();
    add("Settled", { round }, `settle ${number}`);
    const [settledBlock, included] = [block, (1n << BigInt(clients)) - 1n];
    nextBlock();
    add("Finalised", { round }, `finalise ${number}`);
    records.set(round, {
      opened: { round, baseModelCid: word(`model ${number - 1}`), baseModelDigest: word("digest") },
      submitted,
      settled: { round, included, members: 7n, totalWeight: clients, blockNumber: settledBlock },
      released: [1, 2].map((seat) => ({ seat, releaseCid: word(`release ${number} ${seat}`) })),
      finalised: {
        round,
        result: { modelCid: word(`model ${number}`), modelDigest: word("digest"), aggregateCid: word(`sum ${number}`) },
        signers: [{ seat: 1 }, { seat: 2 }],
        transactionHash: word(`finalise ${number}`),
      } as unknown as FinalisedRecord,
      aborted: false,
    } as unknown as RoundRecords);
  }
  const last = block;
  const blockAt = (number: number): ChainBlock => ({
    number,
    hash: word(`block ${number}`),
    timestamp: FIRST_TIME + number * SECONDS_PER_BLOCK,
  });
  const look = {
    block: blockAt(last),
    finalBlock: last,
    memberCount: MEMBERS,
    round: { number: BigInt(rounds), phase: "Finalised" },
    records: (round: bigint) => records.get(round) ?? { submitted: [], released: [], aborted: false },
    events: () => events,
  } as unknown as TaskLook;
  return {
    context: { chainId: 31337n, contract: account("contract"), deployment: word("deployment") },
    look: async () => look,
    block: async (number) => (number <= last ? blockAt(number) : undefined),
    transactionCost: async () => ({ sender: account("sender"), gasUsed: 400_000n, feeWei: 400_000_000_000_000n }),
  };
}
