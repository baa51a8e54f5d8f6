/** Whether a client's weight beside the others' lets the public sum tell its update: its operator chooses weights. */
import { isOf } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { readableModulus } from "../protocol/weighted-sum.ts";

export interface WeightWatchDependencies {
  readonly parameters: Pick<TaskParameters, "maxCorrupt" | "minClients">;
  readonly account: Hex;
  readonly reporter: Reporter;
}

type LookedAt = Pick<TaskLook, "round" | "clientTerms">;

/**
 * Warns where the sum of the clients that are listed for a round, with the updates of as many as the task takes for
 * corrupt, gives this client's update modulo a number: before this client shares anything in that round, and again
 * where the number is another one.
 * @returns what is told of each look
 */
export function createWeightWatch(deps: WeightWatchDependencies): (look: LookedAt) => void {
  const { parameters, account, reporter } = deps;
  let said = 1;
  return ({ round: { number, phase }, clientTerms }) => {
    const round = phase === "Collecting" ? number : number + 1n;
    const listed = clientTerms.filter((term) => isOf(term, round));
    const own = listed.find(({ client }) => client === account)?.weight;
    // With fewer no round settles, and no sum is opened.
    if (own === undefined || listed.length < parameters.minClients) return;
    const others = listed.filter(({ client }) => client !== account).map(({ weight }) => weight);
    const modulus = readableModulus(own, others, parameters.maxCorrupt);
    const isNew = modulus !== said;
    said = modulus;
    if (modulus === 1 || !isNew) return;
    reporter.say(
      "warn",
      "weight-readable",
      `round ${round}: this client's weight is ${own}, and those of the others are such that the public sum, to whoever knows the updates of ${parameters.maxCorrupt} of them, tells each coordinate of this client's update modulo ${modulus}; equal weights tell the sum alone`,
      { round, weight: own, modulus },
    );
  };
}
