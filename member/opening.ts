/** The sum of a round's updates, as a member opens it by the releases that it can have. */
import type { RoundRecords } from "../chain/task-chain.ts";
import { recoverAggregate } from "../protocol/aggregate.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { fetchReleases } from "../task/releases.ts";
import { requireSettled } from "../task/round-records.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import type { Confirms } from "./second-readings.ts";

export interface OpenerDependencies {
  readonly task: CommittingTask;
  readonly reporter: Reporter;
}

/**
 * The elements of the sum of a settled round.
 * @param confirms whether a member whose release is unusable is to be named now
 * @throws SHARE_COUNT, AGGREGATE_NOT_RECOVERABLE until enough good releases are here; errors of this machine's store
 */
export type OpenSum = (records: RoundRecords, confirms: Confirms) => Promise<readonly bigint[]>;

/** A set of releases that opened nothing is not tried again: it costs the more, the more of them are wrong. */
export function createSumOpener({ task, reporter }: OpenerDependencies): OpenSum {
  const useless = new Set<string>();
  return async (records, confirms) => {
    const { round, sum } = requireSettled(records);
    const releases = await fetchReleases(task, records, (seat, code) => {
      const text = `round ${round}: the release of seat ${seat} is unusable: ${code}`;
      if (confirms(text)) reporter.say("warn", "bad-release", text, { round, seat, code });
    });
    const cids = records.released
      .filter(({ seat }) => releases.some((release) => release.seat === seat))
      .map(({ releaseCid }) => releaseCid);
    const basis = [sum.x, ...cids].join();
    if (useless.has(basis))
      throw new VerisumError(
        "AGGREGATE_NOT_RECOVERABLE",
        `round ${round}: the ${releases.length} releases that are here open nothing`,
        { round },
      );
    try {
      return (await recoverAggregate(task.parameters.threshold, releases, sum, task.committer)).elements;
    } catch (error) {
      if (isVerisumError(error, "AGGREGATE_NOT_RECOVERABLE")) useless.add(basis);
      throw error;
    }
  };
}
