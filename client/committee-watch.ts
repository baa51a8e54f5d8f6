/** Who a client's shares go to, while that changes: its operator may give seats to other members at any time. */
import { membersIn, ZERO_ADDRESS } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";

/**
 * Warns of each seat that gets another member, before the first round of that one, and of how many seats no longer have
 * those that the first look found: `threshold` members together can read single updates.
 * @returns what is told of each look
 */
export function createCommitteeWatch(
  { threshold }: Pick<TaskParameters, "threshold">,
  reporter: Reporter,
): (look: Pick<TaskLook, "round" | "seats">) => void {
  let found: readonly Hex[] | undefined;
  let last: readonly Hex[] = [];
  return ({ round, seats }) => {
    const from = round.number + 1n;
    const next = membersIn(seats, from);
    // Seats are filled one by one before the first round.
    if (found === undefined || round.number === 0n) {
      found = last = next;
      return;
    }
    const agreed = found;
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
        `seat ${seat} ${who} from round ${from} on, in place of ${before}: ${changed} seats have other members than when this client started, and ${reach}${advice}`,
        { seat, member, before, from, changed, threshold },
      );
    }
    last = next;
  };
}
