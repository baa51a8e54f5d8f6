/** What is asked of the chain again before anybody is blamed for what they did in the present round. */
import type { Hex } from "../protocol/transcript.ts";
import { membersIn, seatTerms, ZERO_ADDRESS } from "./lists.ts";
import type { LogOf, TaskLog } from "./logs.ts";

/**
 * The block from which on everything is that the present round rests on: its opening, or the last opening on the model
 * that is so many models older than its own, since the digests of models come from openings. Undefined if no round
 * opened.
 * @param logs in chain order
 */
export function firstBlockOfRound(logs: readonly TaskLog[], modelsBefore: number): number | undefined {
  const openings = logs.filter((log): log is LogOf<"RoundOpened"> => log.name === "RoundOpened");
  const present = openings.at(-1);
  if (present === undefined) return undefined;
  const oldest = present.args.baseModel - BigInt(modelsBefore);
  const first = openings.findLast(({ args }) => args.baseModel <= oldest) ?? openings[0]!;
  return Math.min(first.blockNumber, present.blockNumber);
}

/**
 * In words, the first seat that the events give to another account than the contract does in this round; undefined if
 * there is none.
 * @param members by the contract, seat 1 first
 */
export function wrongSeat(logs: readonly TaskLog[], members: readonly Hex[], round: bigint): string | undefined {
  const told = membersIn(seatTerms(logs), round);
  const wrong = members.findIndex((member, i) => member !== (told[i] ?? ZERO_ADDRESS));
  return wrong === -1 ? undefined : `what gave seat ${wrong + 1} to its member`;
}
