/** The aggregate out of members' releases. Members whose releases are no good are named, when two readings say so. */
import type { ReleaseStatement, RoundRecords, SettledRecord, TaskReader } from "../chain/task-chain.ts";
import { recoverAggregate } from "../protocol/aggregate.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { CommittingTask } from "../task/opened-task.ts";
import { fetchReleases } from "../task/releases.ts";
import { withReleases } from "../task/statement-board.ts";
import type { StatementBoard } from "../task/statement-board.ts";

export interface RecoveryDependencies {
  readonly chain: Pick<TaskReader, "records" | "rereadRound">;
  readonly task: CommittingTask;
  readonly board: Pick<StatementBoard, "releases">;
  readonly reporter: Reporter;
}

export interface Recovered {
  /** What the elements were recovered by: read again if somebody was to be blamed. */
  readonly records: RoundRecords;
  readonly elements: readonly bigint[];
  /** The releases that it was interpolated from. */
  readonly releases: readonly ReleaseStatement[];
}

/** Something that speaks against a seat. */
interface Suspicion {
  readonly seat: number;
  readonly event: "bad-release" | "wrong-release";
  readonly text: string;
  readonly code?: string;
}

interface Attempt {
  readonly recovered?: Pick<Recovered, "elements" | "releases">;
  readonly suspicions: readonly Suspicion[];
}

/** Interpolates the releases that the records have; undefined while too few (good ones) are there. */
export type Recover = (records: RoundRecords) => Promise<Recovered | undefined>;

export function createRecovery({ chain, task, board, reporter }: RecoveryDependencies): Recover {
  /** Sets of releases that opened nothing, not searched again. */
  const unusable = new Set<string>();
  const said = new Set<string>();

  const attempt = async (records: RoundRecords): Promise<Attempt> => {
    const { settled, released } = records;
    if (settled === undefined || released.length < task.parameters.threshold) return { suspicions: [] };
    const suspicions: Suspicion[] = [];
    const { round } = settled;
    const releases = await fetchReleases(task, records, (seat, code) => {
      const text = `round ${round}: the release of seat ${seat} is unusable: ${code}`;
      suspicions.push({ seat, event: "bad-release", text, code });
    });
    const given = basisOf(
      settled,
      released.filter(({ seat }) => releases.some((release) => release.seat === seat)),
    );
    if (unusable.has(given)) return { suspicions };
    try {
      const { threshold } = task.parameters;
      const { elements, usedSeats, wrongSeats } = await recoverAggregate(
        threshold,
        releases,
        settled.sum,
        task.committer,
      );
      for (const seat of wrongSeats)
        suspicions.push({ seat, event: "wrong-release", text: `round ${round}: seat ${seat} released a wrong sum` });
      return {
        recovered: { elements, releases: released.filter(({ seat }) => usedSeats.includes(seat)) },
        suspicions,
      };
    } catch (error) {
      if (!isVerisumError(error, "SHARE_COUNT") && !isVerisumError(error, "AGGREGATE_NOT_RECOVERABLE")) throw error;
      unusable.add(given);
      return { suspicions };
    }
  };

  return async (first) => {
    let [records, found] = [first, await attempt(first)];
    const isNew = ({ text }: Suspicion): boolean => !said.has(text);
    if (first.opened !== undefined && found.suspicions.some(isNew)) {
      const suspected = new Set(found.suspicions.map(({ text }) => text));
      await chain.rereadRound("a member would be blamed for what it says");
      records = withReleases(await chain.records(first.opened.round), board);
      found = await attempt(records);
      for (const { seat, event, text, code } of found.suspicions.filter(isNew)) {
        if (!suspected.has(text)) continue;
        said.add(text);
        reporter.say("warn", event, text, { round: first.opened.round, seat, ...(code === undefined ? {} : { code }) });
      }
    }
    return found.recovered === undefined ? undefined : { records, ...found.recovered };
  };
}

function basisOf({ sum }: SettledRecord, released: readonly ReleaseStatement[]): string {
  return [sum.x, ...released.map(({ releaseCid }) => releaseCid)].join();
}
