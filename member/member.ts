/**
 * A committee member's part in a round: attest shares, release one sum, sign a result it recomputed (docs/protocol.md,
 * section 6). It sends no transaction for any of it.
 */
import { directoryDigest, publicationOf, sameResult, SHARE_SUM_FILE } from "../task/outcome.ts";
import type { ResultRecord } from "../task/result-record.ts";
import { includedRecords } from "../task/round-records.ts";
import { requireOpened, requireSettled } from "../task/round-records.ts";
import { challengePointsOf } from "../task/challenge.ts";
import { recoverSiblingSums, requireSameModel, siblingRounds } from "../task/cells.ts";
import { loadModelState } from "../task/checkpoint.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import type {
  CompactSignature,
  Release,
  RoundRecords,
  RoundResult,
  SubmittedRecord,
  TaskWriter,
} from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import pLimit from "p-limit";
import { startAhead } from "../content/ahead.ts";
import { withDeadline } from "../content/deadline.ts";
import { cidFromDigest, digestHexOfCid } from "../content/cid.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { openShare, sealedShareBytes, shareFileName } from "../protocol/bundle.ts";
import type { RoundKeyPair } from "../protocol/bundle.ts";
import { bitCount, hasClient } from "../protocol/committee.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { encodeElements } from "../protocol/field.ts";
import { checkShare, linearCombination } from "../protocol/sharing.ts";
import { submissionEvaluation } from "../protocol/submission.ts";
import { toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { requireTimeToFinalise } from "../task/cells.ts";
import type { StatementBoard } from "../task/statement-board.ts";
import type { StatementExchange } from "../task/statement-exchange.ts";
import type { Statement } from "../task/statements.ts";
import { createSumOpener } from "./opening.ts";
import type { OpenSum } from "./opening.ts";
import { bindRelease, boundRelease } from "./release-record.ts";
import type { RoundKeys } from "./round-keys.ts";
import type { Confirms } from "./second-readings.ts";

export interface MemberDependencies {
  readonly chain: TaskWriter;
  readonly task: CommittingTask;
  /** 1 … n. */
  readonly seat: number;
  readonly keys: RoundKeys;
  readonly state: StateDirectory;
  readonly scope: string;
  /**
   * The member's own minimum of clients in a sum; at least the task's. It attests no round that can settle on fewer:
   * the settlement would be charged for, and not be opened.
   */
  readonly localMinimum: number;
  readonly reporter: Reporter;
  readonly replicate: (cid: string) => Promise<void>;
  readonly results: Pick<ResultRecord, "store">;
  /** What this node knows that members said, itself included. */
  readonly board: StatementBoard;
  readonly exchange: StatementExchange;
}

/** What this seat said in a round, as far as this node knows. */
export function ownStatements({ board, seat }: Pick<MemberDependencies, "board" | "seat">, round: bigint): Statement[] {
  return board.of(round).filter((statement) => statement.seat === seat);
}

/** Shares in memory at a time, however many clients there are: one is worked on while the others are fetched. */
const SHARES_AT_ONCE = 4;

/** Time that one share has to come in one look, in milliseconds; and one that did not come in an earlier look. */
const SHARE_PATIENCE_MS = 2000;
const SLOW_SHARE_MS = 100;

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
 * holds up no other: it goes on coming, and counts as unavailable until a later look finds it.
 * @param slow clients that an earlier look waited for: they come last, and are hardly waited for again
 * @throws ROUND_KEY_GONE; CHAIN_EVENTS_MISSING; other errors of this machine or its endpoint
 */
export async function checkShares(
  deps: MemberDependencies,
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
    const patienceMs = isSlow(record) ? SLOW_SHARE_MS : SHARE_PATIENCE_MS;
    try {
      await withDeadline(patienceMs, undefined, () => readShare(deps, keys, records, record));
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
 * Releases Σ w_i·share_i over the settled set: one sum a round, only of a final settlement, only of a large enough
 * set. Called again, it signs the same release again.
 * @returns false if the settlement is not final yet
 * @throws ROUND_EQUIVOCATION, ROUND_RECORD_DAMAGED, ROUND_TOO_SMALL, ROUND_KEY_GONE; errors of the shares, the store
 * and the chain
 */
export async function releaseSum(deps: MemberDependencies, records: RoundRecords): Promise<boolean> {
  const { chain, task, state, scope, seat, reporter } = deps;
  const settled = requireSettled(records);
  if (settled.blockNumber > records.finalBlock) return false;
  if (bitCount(settled.included) < deps.localMinimum) {
    throw new VerisumError(
      "ROUND_TOO_SMALL",
      `round ${settled.round} settled on fewer clients than this member's minimum`,
      { minimum: deps.localMinimum },
    );
  }
  const { round, settlement } = settled;
  const included = includedRecords(records, settled);
  const kept = await boundRelease(state, scope, round, included);
  const cid = kept !== undefined && (await task.store.has(kept)) ? kept : await makeRelease(deps, records, included);
  // After a crash its blocks can be here and its pin not.
  await task.store.pin(cid);
  await deps.replicate(cid);
  const release: Release = { round, settlement, releaseCid: digestHexOfCid(cid) as Hex };
  const signature = await chain.signRelease(release);
  await deps.board.add({ kind: "release", ...release, seat, signature });
  // The sum is kept, and nothing else of the round is to be opened.
  await deps.keys.erase(round);
  await deps.exchange.tell(round, ownStatements(deps, round));
  reporter.say("good", "released", `round ${round}: released the sum of ${included.length} shares`, { round, seat });
  return true;
}

/** Adds up the shares, and binds the round to the sum before anybody else can have it. Returns its CID. */
async function makeRelease(
  deps: MemberDependencies,
  records: RoundRecords,
  included: readonly SubmittedRecord[],
): Promise<string> {
  const { round } = requireOpened(records);
  const keys = await keysOf(deps, records);
  let sum: bigint[] | undefined;
  for (const [{ weight }, reading] of startAhead(included, SHARES_AT_ONCE, (record) =>
    readShare(deps, keys, records, record),
  )) {
    const share = await reading;
    sum =
      sum === undefined
        ? linearCombination([share], [BigInt(weight)])
        : linearCombination([sum, share], [1n, BigInt(weight)]);
  }
  const files = { [SHARE_SUM_FILE]: encodeElements(sum!) };
  await bindRelease(deps.state, deps.scope, round, included, cidFromDigest(await directoryDigest(files)));
  return deps.task.store.putDirectory(files);
}

/**
 * Recomputes a proposed result from the chain and the releases, and signs it if every field agrees.
 * @param metrics the aggregator's own measurement, the one part of a checkpoint that is not recomputed
 * @param confirms whether a member whose release is unusable is to be named now
 * @param openSum one that remembers what opened nothing, if there are to be more calls
 * In a task of cells the result is the combination: it is signed once every sibling's sum is there, and not when a
 * sibling that has still to finalise has little time left for it.
 * @throws PROPOSAL_MISMATCH if it is not what follows; AGGREGATE_NOT_RECOVERABLE, SHARE_COUNT, CELLS_* and store
 * errors
 */
export async function signProposal(
  deps: MemberDependencies,
  records: RoundRecords,
  proposal: RoundResult,
  metrics: CheckpointConfig["metrics"],
  confirms: Confirms = () => true,
  openSum: OpenSum = createSumOpener(deps),
): Promise<CompactSignature> {
  const { chain, task } = deps;
  const settled = requireSettled(records);
  const siblings = await siblingRounds(task, records);
  await requireTimeToFinalise(siblings);
  const elements = await openSum(records, confirms);
  const opened = records.opened!;
  const base = await loadModelState(task, opened.baseModelCid, opened.baseModelDigest);
  const publication = await publicationOf(
    task,
    records,
    base,
    elements,
    async () => metrics,
    await recoverSiblingSums(task, siblings),
  );
  if (!sameResult(publication.signed, proposal)) {
    throw new VerisumError(
      "PROPOSAL_MISMATCH",
      `round ${settled.round}: the proposed result is not what the releases give`,
      { round: settled.round },
    );
  }
  requireSameModel(siblings, publication.signed.modelDigest);
  // What is signed is held here as well, so that it stays available without the aggregator.
  await deps.results.store(settled.round, publication);
  return chain.signResult(publication.signed);
}

/**
 * The round's key.
 * @throws ROUND_KEY_GONE if this directory never had the one that is registered, or has erased it; CHAIN_EVENTS_MISSING
 */
async function keysOf(deps: MemberDependencies, records: RoundRecords): Promise<RoundKeyPair> {
  const { round } = requireOpened(records);
  const keys = await deps.keys.find(round);
  // With another key every client's share would look wrong.
  if (keys === undefined || toHex(keys.publicKey) !== (await deps.chain.roundKey(round, deps.seat)))
    throw new VerisumError("ROUND_KEY_GONE", `the registered key of round ${round} is not in the state directory`, {
      seat: deps.seat,
    });
  return keys;
}

/** This member's share of one submission, checked against the chain. */
async function readShare(
  deps: MemberDependencies,
  keys: RoundKeyPair,
  records: RoundRecords,
  record: SubmittedRecord,
): Promise<bigint[]> {
  const { task, seat } = deps;
  const { submission } = record;
  const shape = { elementCount: task.layout.elementCount, threshold: task.parameters.threshold };
  const file = await task.store.getFile(cidFromDigest(submission.sharesCid), shareFileName(seat), {
    maxBytes: sealedShareBytes(seat, shape),
  });
  const share = await openShare(
    file,
    keys,
    { ...task.chain.context, round: record.round, client: record.client, seat },
    shape,
  );
  const { z } = challengePointsOf(task, records, record);
  const y = submissionEvaluation(
    task.layout,
    submission.chunks.map((chunk) => chunk.y),
    z,
  );
  checkShare(seat, share, { hash: submission.shareHashes[seat - 1]!, z, y, evaluations: submission.shareEvaluations });
  return share;
}
