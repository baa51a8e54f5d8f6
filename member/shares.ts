/**
 * The shares that clients sealed for this member's seat: fetched, opened, and checked against the chain
 * (docs/protocol.md, section 6). Whoever lets one trickle holds up no other, and no look.
 */
import pLimit from "p-limit";
import type { RoundRecords, SubmittedRecord, TaskWriter } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { withDeadline } from "../content/deadline.ts";
import { openShare, sealedShareBytes, shareFileName } from "../protocol/bundle.ts";
import type { RoundKeyPair } from "../protocol/bundle.ts";
import { hasClient } from "../protocol/committee.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { checkShare } from "../protocol/sharing.ts";
import { submissionEvaluation } from "../protocol/submission.ts";
import { toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { challengePointsOf } from "../task/challenge.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import { requireOpened } from "../task/round-records.ts";
import type { RoundKeys } from "./round-keys.ts";

export interface ShareDependencies {
  readonly chain: TaskWriter;
  readonly task: CommittingTask;
  /** 1 … n. */
  readonly seat: number;
  readonly keys: RoundKeys;
}

/** Shares in memory at a time, however many clients there are: one is worked on while the others are fetched. */
export const SHARES_AT_ONCE = 4;

/** Time that one share has to come in one look, in milliseconds; and one that did not come in an earlier look. */
const SHARE_PATIENCE_MS = 2000;
const SLOW_SHARE_MS = 100;
/** A share that did not come in an earlier look may be here by now, and is read from the disk at this rate or more. */
const READ_BYTES_PER_MS = 16_384;

/** What checking the submissions of a round gave. */
export interface ShareChecks {
  /** Bit i set if client i's share is good. */
  readonly bitmap: bigint;
  /** Clients whose bundle could not be fetched; it may come yet. */
  readonly unavailable: readonly Hex[];
  /** Clients whose share is wrong, with the error's code. */
  readonly wrong: ReadonlyMap<Hex, string>;
}

/**
 * Fetches, decrypts and checks this member's share of every client that is not in `known`. A share that comes slowly
 * goes on coming, and counts as unavailable until a later look finds it.
 * @param slow clients that an earlier look waited for: they come last, and are hardly waited for again
 * @throws ROUND_KEY_GONE; CHAIN_EVENTS_MISSING; other errors of this machine or its endpoint
 */
export async function checkShares(
  deps: ShareDependencies,
  records: RoundRecords,
  known: bigint,
  slow: readonly Hex[] = [],
): Promise<ShareChecks> {
  let bitmap = known;
  const unavailable: Hex[] = [];
  const wrong = new Map<Hex, string>();
  const keys = await keysOf(deps, records);
  const isSlow = ({ client }: SubmittedRecord): boolean => slow.includes(client);
  const unknown = records.submitted.filter(({ index }) => !hasClient(known, index));
  const check = async (record: SubmittedRecord): Promise<void> => {
    try {
      await openChecked(deps, keys, records, record, await fetchInTime(deps, record, isSlow(record)));
      bitmap |= 1n << BigInt(record.index);
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about === "host") throw error;
      if (error.entry.about === "others") unavailable.push(record.client);
      else wrong.set(record.client, error.code);
    }
  };
  const inTurn = [...unknown.filter((record) => !isSlow(record)), ...unknown.filter(isSlow)];
  await pLimit(SHARES_AT_ONCE).map(inTurn, check);
  return { bitmap, unavailable, wrong };
}

/**
 * Waits a little until all of these shares are here, for a sum needs every one of them.
 * @param late bundles that an earlier call waited for in vain, which this one adds to
 * @throws IPFS_UNAVAILABLE (retryable) if one is not here yet: it goes on coming
 */
export async function awaitShares(
  deps: ShareDependencies,
  records: readonly SubmittedRecord[],
  late: Set<Hex>,
): Promise<void> {
  let missing = 0;
  const isLate = ({ submission }: SubmittedRecord): boolean => late.has(submission.sharesCid);
  const wait = async (record: SubmittedRecord): Promise<void> => {
    try {
      await fetchInTime(deps, record, isLate(record));
    } catch (error) {
      if (!isVerisumError(error, "IPFS_UNAVAILABLE")) throw error;
      late.add(record.submission.sharesCid);
      missing += 1;
    }
  };
  await pLimit(SHARES_AT_ONCE).map([...records], wait);
  if (missing > 0)
    throw new VerisumError("IPFS_UNAVAILABLE", `${missing} of ${records.length} shares of the sum have not come yet`, {
      missing,
      retryable: true,
    });
}

/**
 * The round's key.
 * @throws ROUND_KEY_GONE if this directory never had the one that is registered, or has erased it; CHAIN_EVENTS_MISSING
 */
export async function keysOf(deps: ShareDependencies, records: RoundRecords): Promise<RoundKeyPair> {
  const { round } = requireOpened(records);
  const keys = await deps.keys.find(round);
  // With another key every client's share would look wrong.
  if (keys === undefined || toHex(keys.publicKey) !== (await deps.chain.roundKey(round, deps.seat)))
    throw new VerisumError("ROUND_KEY_GONE", `the registered key of round ${round} is not in the state directory`, {
      seat: deps.seat,
    });
  return keys;
}

/** This member's share of one submission, checked against the chain, however long it takes to come. */
export async function readShare(
  deps: ShareDependencies,
  keys: RoundKeyPair,
  records: RoundRecords,
  record: SubmittedRecord,
): Promise<bigint[]> {
  return openChecked(deps, keys, records, record, await fetchShare(deps, record));
}

/** The file of this seat's share, unless it takes longer than a look has: then it goes on coming by itself. */
function fetchInTime(deps: ShareDependencies, record: SubmittedRecord, wasLate: boolean): Promise<Uint8Array> {
  const patienceMs = wasLate ? SLOW_SHARE_MS : SHARE_PATIENCE_MS;
  const readingMs = fileBytes(deps) / READ_BYTES_PER_MS;
  return withDeadline(patienceMs + readingMs, undefined, () => fetchShare(deps, record));
}

function fetchShare(deps: ShareDependencies, { submission }: SubmittedRecord): Promise<Uint8Array> {
  const name = shareFileName(deps.seat);
  return deps.task.store.getFile(cidFromDigest(submission.sharesCid), name, { maxBytes: fileBytes(deps) });
}

function fileBytes({ task, seat }: ShareDependencies): number {
  return sealedShareBytes(seat, shapeOf(task));
}

function shapeOf(task: CommittingTask): { readonly elementCount: number; readonly threshold: number } {
  return { elementCount: task.layout.elementCount, threshold: task.parameters.threshold };
}

/** @throws SHARE_DECRYPTION, SHARE_DIGEST_MISMATCH, SHARE_EVALUATION_MISMATCH; ENCODING_LENGTH */
async function openChecked(
  { task, seat }: ShareDependencies,
  keys: RoundKeyPair,
  records: RoundRecords,
  record: SubmittedRecord,
  file: Uint8Array,
): Promise<bigint[]> {
  const { client, round, submission } = record;
  const share = await openShare(file, keys, { ...task.chain.context, round, client, seat }, shapeOf(task));
  const { z } = challengePointsOf(task, records, record);
  const y = submissionEvaluation(
    task.layout,
    submission.chunks.map((chunk) => chunk.y),
    z,
  );
  checkShare(seat, share, { hash: submission.shareHashes[seat - 1]!, z, y, evaluations: submission.shareEvaluations });
  return share;
}
