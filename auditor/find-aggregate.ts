/** A finalised round's aggregate: as it was published, or interpolated anew where nobody has it any more. */
import { cidFromDigest } from "../content/cid.ts";
import { checkAggregate, rebuildAggregate } from "../protocol/aggregate.ts";
import type { RecordedAggregate } from "../protocol/aggregate.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { FinalisedRecord, RoundRecords } from "../chain/task-chain.ts";
import { AGGREGATE_FILE, fetchElements } from "../task/outcome.ts";
import { fetchReleases } from "../task/releases.ts";
import type { OpenTask } from "../task/opened-task.ts";

export type FinalisedRound = RoundRecords & { readonly finalised: FinalisedRecord };

export interface FoundAggregate {
  readonly elements: readonly bigint[];
  /** Where it is from, in words. */
  readonly source: string;
}

/**
 * Either way the elements have the recorded digest and evaluate to what the sum of commitments opens to.
 * @throws AGGREGATE_*; IPFS_* if neither the aggregate nor a threshold of releases can be had
 */
export async function findAggregate(task: OpenTask, records: FinalisedRound, point: bigint): Promise<FoundAggregate> {
  const { result, evaluation } = records.finalised;
  const recorded = { digest: result.aggregateDigest, point, evaluation };
  try {
    const elements = await fetchElements(task, result.aggregateCid, AGGREGATE_FILE);
    checkAggregate(elements, recorded);
    return { elements, source: `at ${cidFromDigest(result.aggregateCid)}` };
  } catch (error) {
    if (!isLost(error)) throw error;
    const elements = await rebuilt(task, records, recorded);
    if (elements === undefined) throw error;
    return { elements, source: `rebuilt from releases, since nobody has ${cidFromDigest(result.aggregateCid)},` };
  }
}

/** Undefined if fewer releases than the threshold can be had, or none of them give the recorded aggregate. */
async function rebuilt(
  task: OpenTask,
  records: RoundRecords,
  recorded: RecordedAggregate,
): Promise<readonly bigint[] | undefined> {
  const releases = await fetchReleases(task, records, () => undefined);
  try {
    return rebuildAggregate(task.parameters.threshold, releases, recorded);
  } catch (error) {
    if (isVerisumError(error, "SHARE_COUNT") || isVerisumError(error, "AGGREGATE_NOT_RECOVERABLE")) return undefined;
    throw error;
  }
}

/** True of content that nobody asked has. */
export function isLost(error: unknown): boolean {
  return isVerisumError(error, "IPFS_UNAVAILABLE") || isVerisumError(error, "IPFS_NOT_FOUND");
}
