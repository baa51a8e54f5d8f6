/** What keeps a task's next round from opening, as far as the chain's state tells it. */
import { membersIn, ZERO_ADDRESS } from "../chain/lists.ts";
import type { TaskLook, TaskReader } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { utcText } from "./utc-text.ts";
import { clientsNeeded } from "./buffers.ts";
import { hasAllRounds, isUnderWay } from "./completion.ts";

/** The next round, and why it cannot open. */
export interface Opening {
  readonly round: bigint;
  /** In words; empty if only the window for the members' keys can be in the way. */
  readonly obstacles: readonly string[];
  /** Seats that have a member in it, and no key. The contract waits for all of them while the window for keys lasts. */
  readonly seatsWithoutKey: readonly number[];
}

type Look = Pick<TaskLook, "round" | "memberCount" | "seats" | "clientCount" | "finalisedRounds" | "privacySpent">;

/** @throws CHAIN_* errors */
export async function readOpening(chain: Pick<TaskReader, "parameters" | "roundKey">, look: Look): Promise<Opening> {
  const parameters = await chain.parameters();
  const round = look.round.number + 1n;
  const keys = await Promise.all(
    Array.from({ length: parameters.committeeSize }, (_, i) => chain.roundKey(round, i + 1)),
  );
  const hasKey = keys.map((key) => BigInt(key) !== 0n);
  const members = membersIn(look.seats, round);
  const seatsWithoutKey = members.flatMap((member, i) => (member === ZERO_ADDRESS || hasKey[i]! ? [] : [i + 1]));
  const keyCount = hasKey.filter(Boolean).length;
  return { round, seatsWithoutKey, obstacles: obstaclesOf(parameters, look, seatsWithoutKey, keyCount) };
}

/**
 * Why the contract did not open the round, in words.
 * @param refusal what it said, CHAIN_REVERTED
 * @throws CHAIN_* errors
 */
export async function openingRefusal(
  chain: Pick<TaskReader, "parameters" | "roundKey">,
  look: Look,
  refusal: VerisumError,
): Promise<string> {
  const { obstacles, seatsWithoutKey } = await readOpening(chain, look);
  if (obstacles.length > 0) return obstacles.join("; ");
  return isTooFewKeys(refusal) ? keysAwaited(seatsWithoutKey, refusal) : refusal.message;
}

/** Whether the contract waits for keys of members: when the window for them ends, no view says. */
export function isTooFewKeys(error: unknown): boolean {
  return isVerisumError(error, "CHAIN_REVERTED") && error.details.error === "VerisumTooFewKeys";
}

/** What that refusal waits for, in words. */
export function keysAwaited(seatsWithoutKey: readonly number[], refusal: VerisumError): string {
  const end = /waitUntil=([0-9]{1,12})\b/.exec(refusal.message)?.[1];
  const until = end === undefined ? "" : `, ${utcText(Number(end))}`;
  return `it waits for keys of the members of seats ${seatsWithoutKey.join(", ")}, or for the end of the window for keys${until}`;
}

/** In the order in which the contract asks (`openRound`); it names the first, people want all of them. */
function obstaclesOf(
  parameters: TaskParameters,
  look: Look,
  seatsWithoutKey: readonly number[],
  keys: number,
): readonly string[] {
  const { round, memberCount, seats, clientCount, finalisedRounds, privacySpent } = look;
  const filled = membersIn(seats, round.number + 1n).filter((member) => member !== ZERO_ADDRESS).length;
  const { committeeSize, quorum, openRegistration, maxRounds, privacyCostPerRound, privacyBudget } = parameters;
  const clients = clientsNeeded(parameters);
  const found: readonly (readonly [boolean, string])[] = [
    [
      isUnderWay(round.phase),
      `round ${round.number} is ${round.phase}; this phase ends at ${utcText(round.deadline)} at the latest`,
    ],
    [
      memberCount === committeeSize && filled < quorum,
      `${filled} of at least ${quorum} seats have a member from the next round on: replace-member fills them`,
    ],
    [memberCount < committeeSize, `${memberCount} of ${committeeSize} seats are filled: add-member fills them`],
    [
      clientCount < clients,
      `${clientCount} of at least ${clients} clients are registered: ${openRegistration ? "they join by themselves" : "add-client lists them"}`,
    ],
    [hasAllRounds(parameters, finalisedRounds), `the task is complete: all ${maxRounds} rounds are final`],
    [
      privacyBudget > 0n && privacySpent + privacyCostPerRound > privacyBudget,
      `the privacy budget is used up: ${privacySpent} of ${privacyBudget} are spent, and a round costs ${privacyCostPerRound}`,
    ],
    [
      memberCount === committeeSize && keys < quorum && seatsWithoutKey.length > 0,
      `${keys} of at least ${quorum} members have a key for it: start the members of seats ${seatsWithoutKey.join(", ")}`,
    ],
  ];
  return found.flatMap(([isInTheWay, why]) => (isInTheWay ? [why] : []));
}
