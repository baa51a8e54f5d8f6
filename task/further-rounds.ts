/** Refuses what would be paid for, or waited for, in vain: no round of the task opens any more. */
import { ensure } from "../protocol/errors.ts";
import { completionOf } from "./completion.ts";

/** @throws TASK_COMPLETE */
export function requireFurtherRounds(...[parameters, counters]: Parameters<typeof completionOf>): void {
  const complete = completionOf(parameters, counters);
  ensure(complete === undefined, "TASK_COMPLETE", `${complete}: no further round opens`, {
    finalisedRounds: counters.finalisedRounds,
  });
}
