/** What keeps a task's next round from opening, as far as the chain's state tells it. */
import { membersIn, ZERO_ADDRESS } from "../chain/lists.ts";
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { isUnderWay } from "../task/completion.ts";

/** The next round, and why it cannot open. */
export interface Opening {
  readonly round: bigint;
  /** In words; empty if only the window for the members' keys can be in the way. */
  readonly obstacles: readonly string[];
  /** Seats without a key for it. The contract waits for all of them while the window for keys lasts. */
  readonly seatsWithoutKey: readonly number[];
}

/** @throws CHAIN_* errors */
export async function readOpening(chain: TaskReader, look: TaskLook): Promise<Opening> {
  const parameters = await chain.parameters();
  const round = look.round.number + 1n;
  const keys = await Promise.all(
    Array.from({ length: parameters.committeeSize }, (_, i) => chain.roundKey(round, i + 1)),
  );
  const seatsWithoutKey = keys.flatMap((key, i) => (BigInt(key) === 0n ? [i + 1] : []));
  return { round, seatsWithoutKey, obstacles: obstaclesOf(parameters, look, seatsWithoutKey) };
}

/** In the order in which the contract asks (`openRound`); it names the first, people want all of them. */
function obstaclesOf(
  parameters: TaskParameters,
  {
    round,
    memberCount,
    seats,
    clientCount,
    finalisedRounds,
    privacySpent,
  }: Omit<TaskLook, "block" | "closedRound" | "records">,
  seatsWithoutKey: readonly number[],
): readonly string[] {
  const filled = membersIn(seats, round.number + 1n).filter((member) => member !== ZERO_ADDRESS).length;
  const { committeeSize, quorum, minClients, maxRounds, privacyCostPerRound, privacyBudget } = parameters;
  const keys = committeeSize - seatsWithoutKey.length;
  const deadline = new Date(round.deadline * 1000).toISOString().replace(".000", "");
  const found: readonly (readonly [boolean, string])[] = [
    [isUnderWay(round.phase), `round ${round.number} is ${round.phase}; this phase ends at ${deadline} at the latest`],
    [
      memberCount === committeeSize && filled < quorum,
      `${filled} of at least ${quorum} seats have a member from the next round on: replace-member fills them`,
    ],
    [memberCount < committeeSize, `${memberCount} of ${committeeSize} seats are filled: add-member fills them`],
    [
      clientCount < minClients,
      `${clientCount} of at least ${minClients} clients are registered: ${parameters.openRegistration ? "they join by themselves" : "add-client lists them"}`,
    ],
    [maxRounds > 0 && finalisedRounds >= maxRounds, `the task is complete: all ${maxRounds} rounds are final`],
    [
      privacyBudget > 0n && privacySpent + privacyCostPerRound > privacyBudget,
      `the privacy budget is used up: ${privacySpent} of ${privacyBudget} are spent, and a round costs ${privacyCostPerRound}`,
    ],
    [
      memberCount === committeeSize && keys < quorum,
      `${keys} of at least ${quorum} members have a key for it: start the members of seats ${seatsWithoutKey.join(", ")}`,
    ],
  ];
  return found.flatMap(([isInTheWay, why]) => (isInTheWay ? [why] : []));
}
