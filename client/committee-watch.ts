/** Who a client's shares go to, while that changes: its operator may give seats to other members at any time. */
import { z } from "zod";
import { membersIn, ZERO_ADDRESS } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";

const members = z.array(z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value)));
/** By seat. */
const watchedSchema = z.strictObject({
  /** Whom this client's first look found, and who was seated until the first round opened. */
  agreed: members,
  /** Of the last look. */
  last: members,
});
type Watched = z.infer<typeof watchedSchema>;

export interface CommitteeWatchDependencies {
  readonly parameters: Pick<TaskParameters, "threshold">;
  readonly state: StateDirectory;
  /** Names the task and the account in the directory. */
  readonly scope: string;
  readonly reporter: Reporter;
}

/**
 * Warns of each seat that gets another member, before the first round of that one, and of how many seats no longer have
 * those that the client's first look found: `threshold` members together can read single updates. What it found is
 * kept, so that a change while the client is stopped is told at the next start.
 * @returns what is told of each look, one after the other. @throws storage errors
 */
export function createCommitteeWatch(deps: CommitteeWatchDependencies): (look: LookedAt) => Promise<void> {
  const path = deps.state.file(deps.scope, "committee.json");
  let watched: Watched | undefined;
  let isRead = false;
  return async ({ round, seats }) => {
    if (!isRead) watched = watchedSchema.safeParse(await readRecordOrNull(path)).data;
    isRead = true;
    const from = round.number + 1n;
    const next = [...membersIn(seats, from)];
    // Seats are filled one by one before the first round.
    const agreed = watched === undefined || round.number === 0n ? next : watched.agreed;
    const before = watched === undefined || round.number === 0n ? next : watched.last;
    warnOfChanges(deps, from, { agreed, last: before }, next);
    const isKnown = watched?.agreed.join() === agreed.join() && watched.last.join() === next.join();
    watched = { agreed, last: next };
    if (!isKnown) await writeDurably(path, encodeRecord(watched));
  };
}

type LookedAt = Pick<TaskLook, "round" | "seats">;

function warnOfChanges(
  { parameters: { threshold }, reporter }: CommitteeWatchDependencies,
  from: bigint,
  { agreed, last }: Watched,
  next: readonly Hex[],
): void {
  const changed = next.filter((member, i) => member !== ZERO_ADDRESS && member !== agreed[i]).length;
  for (const [i, member] of next.entries()) {
    const before = last[i] ?? ZERO_ADDRESS;
    if (member === before) continue;
    const seat = i + 1;
    const who = member === ZERO_ADDRESS ? "has no member" : `is ${member}'s`;
    const reach = `${threshold} together can read its single updates`;
    const advice = changed >= threshold ? "; stop it unless you trust them" : "";
    reporter.say(
      "warn",
      "seat-changed",
      `seat ${seat} ${who} from round ${from} on, in place of ${before}: ${changed} seats have other members than when this client joined, and ${reach}${advice}`,
      { seat, member, before, from, changed, threshold },
    );
  }
}
