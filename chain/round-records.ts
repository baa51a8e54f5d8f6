/** What the contract's events say of one round. */
import { MAX_STALENESS } from "../protocol/parameters.ts";
import type { ChunkProof } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import { decodeAddress, decodeChunk, decodePoint, decodeResult, decodeSubmission } from "./codec.ts";
import { converter, same } from "./fields.ts";
import type * as Solidity from "./generated/verisum.ts";
import { clientTerms, seatTerms } from "./lists.ts";
import type { LogOf, TaskLog } from "./logs.ts";
import type { BlockReference } from "./origin.ts";
import { eventOf } from "./task-events.ts";
import type {
  ChunkProgress,
  ChunkStep,
  CompactSignature,
  Counters,
  FinalisedRecord,
  OpenedRecord,
  ReleaseStatement,
  RoundRecords,
  SettledRecord,
  SubmissionHead,
  SubmittedRecord,
  TaskLook,
} from "./task-chain.ts";

/** Events that are of a round. */
export type RoundLog = Extract<TaskLog, { readonly args: { readonly round: bigint } }>;
type RoundEvent = RoundLog["name"];

/** A round's records while its events are read. */
interface Draft {
  readonly submitted: SubmittedRecord[];
  /** Chunks of submissions in several transactions, by client. */
  readonly proven: Map<Hex, readonly ChunkProof[]>;
  opened?: OpenedRecord;
  settled?: SettledRecord;
  finalised?: FinalisedRecord;
  released: readonly ReleaseStatement[];
  aborted: boolean;
}

const decodeOpened = converter<Solidity.RoundOpenedEvent, OpenedRecord>({
  round: same,
  baseModel: same,
  baseModelCid: same,
  baseModelDigest: same,
  deadline: Number,
  keyMask: same,
});

const decodeSubmitted = converter<Solidity.SubmittedEvent, Omit<SubmittedRecord, "transactionHash" | "blockNumber">>({
  round: same,
  client: decodeAddress,
  index: Number,
  weight: Number,
  submission: decodeSubmission,
});

const decodeHead = converter<Solidity.SubmissionHead, SubmissionHead>({
  base: same,
  commitment: decodePoint,
  sharesDigest: same,
  sharesCid: same,
  wiresDigest: same,
});

const decodeProgress = converter<Solidity.ChunkProgress, ChunkProgress>({
  count: same,
  wires: same,
  h: same,
  y: same,
  zPower: same,
});

const decodeChunksProven = converter<
  Solidity.ChunksProvenEvent,
  ChunkStep & { readonly round: bigint; readonly client: Hex; readonly chunks: readonly ChunkProof[] }
>({
  round: same,
  client: decodeAddress,
  head: decodeHead,
  progress: decodeProgress,
  chunks: (chunks) => [...chunks].map(decodeChunk),
});

export const decodeSettled = converter<Solidity.SettledEvent, Omit<SettledRecord, "blockNumber">>({
  round: same,
  settlement: same,
  intake: same,
  included: same,
  members: same,
  totalWeight: Number,
  sum: decodePoint,
});

const decodeRelease = converter<Solidity.Release, Omit<ReleaseStatement, "round" | "settlement">>({
  seat: Number,
  releaseCid: same,
  signature: decodeSignature,
});

const decodeFinalised = converter<
  Solidity.FinalisedEvent,
  Omit<FinalisedRecord, "signers" | "transactionHash"> & {
    readonly releases: readonly Omit<ReleaseStatement, "round" | "settlement">[];
    readonly signers: readonly number[];
    readonly signatures: readonly CompactSignature[];
  }
>({
  round: same,
  settlement: same,
  result: decodeResult,
  evaluation: same,
  opening: decodePoint,
  releases: (releases) => [...releases].map(decodeRelease),
  signers: seatsOf,
  signatures: (signatures) => [...signatures].map(decodeSignature),
});

const ignore = (): void => undefined;

/** Decodes an event once, however many looks ask for it. */
function keptFor<L extends TaskLog, T>(decode: (log: L) => T): (log: L) => T {
  const kept = new WeakMap<L, T>();
  return (log) => {
    let value = kept.get(log);
    if (value === undefined) kept.set(log, (value = decode(log)));
    return value;
  };
}

const roundOf = keptFor((log: RoundLog) => log.args.round);
const openedOf = keptFor(({ args }: LogOf<"RoundOpened">) => decodeOpened(args));
const chunksOf = keptFor(({ args }: LogOf<"ChunksProven">) => decodeChunksProven(args));
const settledOf = keptFor(({ args, blockNumber }: LogOf<"Settled">): SettledRecord => ({
  ...decodeSettled(args),
  blockNumber,
}));
/** Without the chunks that came before. */
const submittedOf = keptFor(({ args, transactionHash, blockNumber }: LogOf<"Submitted">): SubmittedRecord => ({
  ...decodeSubmitted(args),
  transactionHash,
  blockNumber,
}));
const finalisedOf = keptFor(
  ({
    args,
    transactionHash,
  }: LogOf<"Finalised">): { readonly record: FinalisedRecord; readonly released: readonly ReleaseStatement[] } => {
    const { signers, signatures, releases, ...record } = decodeFinalised(args);
    const { round, settlement } = record;
    // Signatures go with the set bits of the mask, lowest seat first.
    const signed = signatures.map((signature, i) => ({ seat: signers[i] ?? 0, signature }));
    return {
      record: { ...record, signers: signed, transactionHash },
      released: releases.map((release) => ({ round, settlement, ...release })),
    };
  },
);

/** What each event adds to its round's records. */
const ADD: { readonly [N in RoundEvent]: (draft: Draft, log: LogOf<N>) => void } = {
  RoundOpened: (draft, log) => {
    draft.opened = openedOf(log);
  },
  ChunksProven: (draft, log) => {
    const { client, progress, chunks } = chunksOf(log);
    // A client that started again counts from there: `count` is the contract's own.
    const before = Number(progress.count) - chunks.length;
    draft.proven.set(client, [...(draft.proven.get(client) ?? []).slice(0, before), ...chunks]);
  },
  Submitted: (draft, log) => {
    const record = submittedOf(log);
    const { client, submission } = record;
    const chunks = submission.chunks.length > 0 ? undefined : draft.proven.get(client);
    draft.submitted.push(chunks === undefined ? record : { ...record, submission: { ...submission, chunks } });
  },
  Proposed: ignore,
  Settled: (draft, log) => {
    draft.settled = settledOf(log);
  },
  Finalised: (draft, log) => {
    const { record, released } = finalisedOf(log);
    draft.finalised = record;
    draft.released = released;
  },
  Aborted: (draft) => {
    draft.aborted = true;
  },
};

/** Events as the records of rounds need them: read once for all rounds. */
interface RoundLogs {
  readonly of: ReadonlyMap<bigint, readonly RoundLog[]>;
  readonly openings: readonly LogOf<"RoundOpened">[];
  /** Rounds that settled. */
  readonly settled: readonly bigint[];
}

function byRound(logs: readonly TaskLog[]): RoundLogs {
  const of = new Map<bigint, RoundLog[]>();
  const [openings, settled] = [[] as LogOf<"RoundOpened">[], [] as bigint[]];
  for (const log of logs) {
    if (!isOfRound(log)) continue;
    const round = roundOf(log);
    const others = of.get(round);
    if (others === undefined) of.set(round, [log]);
    else others.push(log);
    if (log.name === "RoundOpened") openings.push(log);
    if (log.name === "Settled") settled.push(round);
  }
  return { of, openings, settled };
}

/** What the events say of one round. @param finalBlock the latest final block at the block up to which they go */
export function recordsOf(logs: readonly TaskLog[], round: bigint, finalBlock = -1): RoundRecords {
  return recordsIn(byRound(logs), round, finalBlock);
}

function recordsIn({ of, openings, settled }: RoundLogs, round: bigint, finalBlock: number): RoundRecords {
  const draft: Draft = { submitted: [], released: [], proven: new Map(), aborted: false };
  for (const log of of.get(round) ?? []) add(draft, log);
  const { proven: _, ...records } = draft;
  const bases = basesOf(openings, draft.opened);
  const settledRounds = settled.filter((other) => other <= round).length;
  return { ...records, bases, settledRounds, finalBlock };
}

/** Each model was the latest one when some round opened. */
function basesOf(
  openings: readonly LogOf<"RoundOpened">[],
  opened: OpenedRecord | undefined,
): ReadonlyMap<bigint, Hex> {
  const bases = new Map<bigint, Hex>();
  if (opened === undefined) return bases;
  for (const log of openings) {
    if (roundOf(log) > opened.round) continue;
    const { baseModel, baseModelDigest } = openedOf(log);
    if (opened.baseModel - baseModel <= MAX_STALENESS) bases.set(baseModel, baseModelDigest);
  }
  return bases;
}

/** The account's last step of a large submission in this round; undefined if it made none. */
export function lastStepOf(logs: readonly TaskLog[], round: bigint, account: Hex): ChunkStep | undefined {
  const last = logs.findLast(
    (log): log is LogOf<"ChunksProven"> =>
      log.name === "ChunksProven" && log.args.round === round && decodeAddress(log.args.client) === account,
  );
  return last === undefined ? undefined : stepOf(last.args);
}

/** A step without ethers' wrappers. */
export function stepOf(args: Solidity.ChunksProvenEvent): ChunkStep {
  const { head, progress } = decodeChunksProven(args);
  return { head, progress };
}

/** A look at a contract whose counts and events are known. */
export function lookOf({
  counters,
  logs,
  latest,
  finalBlock,
}: {
  readonly counters: Counters;
  readonly logs: readonly TaskLog[];
  readonly latest: BlockReference;
  readonly finalBlock: number;
}): TaskLook {
  const known = new Map<bigint, RoundRecords>();
  let rounds: RoundLogs | undefined;
  const records = (round: bigint): RoundRecords => {
    const found = known.get(round) ?? recordsIn((rounds ??= byRound(logs)), round, finalBlock);
    known.set(round, found);
    return found;
  };
  return {
    ...{ ...counters, block: latest, closedRound: closedRoundOf(logs, finalBlock), finalBlock, records },
    ...{ seats: seatTerms(logs), clientTerms: clientTerms(logs) },
    events: () => logs.map(eventOf),
    results: () => logs.flatMap((log) => (log.name === "Finalised" ? [finalisedOf(log).record.result] : [])),
  };
}

/** The last round that is over for good: a block that is final says so, or that the next one is open. */
function closedRoundOf(logs: readonly TaskLog[], finalBlock: number): bigint {
  let closed = 0n;
  for (const { name, args, blockNumber } of logs) {
    if (blockNumber > finalBlock) continue;
    const over =
      name === "Finalised" || name === "Aborted" ? args.round : name === "RoundOpened" ? args.round - 1n : 0n;
    if (over > closed) closed = over;
  }
  return closed;
}

export function isOfRound(log: TaskLog): log is RoundLog {
  return Object.hasOwn(ADD, log.name);
}

function add<N extends RoundEvent>(draft: Draft, log: LogOf<N>): void {
  ADD[log.name](draft, log);
}

function decodeSignature([r, vs]: readonly [Hex, Hex]): CompactSignature {
  return { r, vs };
}

/** Seats of a mask, lowest first. */
function seatsOf(mask: bigint): number[] {
  return [...mask.toString(2)].reverse().flatMap((bit, i) => (bit === "1" ? [i + 1] : []));
}
