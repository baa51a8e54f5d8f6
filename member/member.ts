/**
 * A committee member's part in a round: attest shares, release one sum, sign a result it recomputed (docs/protocol.md,
 * section 6). It sends no transaction for any of it.
 */
import type { CompactSignature, Release, RoundRecords, RoundResult, SubmittedRecord } from "../chain/task-chain.ts";
import { startAhead } from "../content/ahead.ts";
import { cidFromDigest, digestHexOfCid } from "../content/cid.ts";
import { bitCount } from "../protocol/committee.ts";
import { VerisumError } from "../protocol/errors.ts";
import { encodeElements } from "../protocol/field.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { linearCombination } from "../protocol/sharing.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { recoverSiblingSums, requireSameModel, requireTimeToFinalise, siblingRounds } from "../task/cells.ts";
import { loadModelState } from "../task/checkpoint.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";
import { directoryDigest, publicationOf, sameResult, SHARE_SUM_FILE } from "../task/outcome.ts";
import type { ResultRecord } from "../task/result-record.ts";
import { includedRecords, requireOpened, requireSettled } from "../task/round-records.ts";
import type { StatementBoard } from "../task/statement-board.ts";
import type { StatementExchange } from "../task/statement-exchange.ts";
import type { Statement } from "../task/statements.ts";
import { createSumOpener } from "./opening.ts";
import type { OpenSum } from "./opening.ts";
import { bindRelease, boundRelease } from "./release-record.ts";
import type { Confirms } from "./second-readings.ts";
import { awaitShares, keysOf, readShare, SHARES_AT_ONCE } from "./shares.ts";
import type { ShareDependencies } from "./shares.ts";

export interface MemberDependencies extends ShareDependencies {
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

/**
 * Releases Σ w_i·share_i over the settled set: one sum a round, only of a final settlement, only of a large enough
 * set. Called again, it signs the same release again.
 * @param late bundles of the round that earlier calls waited for in vain
 * @returns false if the settlement is not final yet
 * @throws ROUND_EQUIVOCATION, ROUND_RECORD_DAMAGED, ROUND_TOO_SMALL, ROUND_KEY_GONE; IPFS_UNAVAILABLE while shares
 * have still to come; errors of the shares, the store and the chain
 */
export async function releaseSum(
  deps: MemberDependencies,
  records: RoundRecords,
  late = new Set<Hex>(),
): Promise<boolean> {
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
  const isKept = kept !== undefined && (await task.store.has(kept));
  const cid = isKept ? kept : await makeRelease(deps, records, included, late);
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
  late: Set<Hex>,
): Promise<string> {
  const { round } = requireOpened(records);
  const keys = await keysOf(deps, records);
  await awaitShares(deps, included, late);
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
