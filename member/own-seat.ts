/** Which seat an account has or had, and what remains to be done once it is another member's for good. */
import { isOfOrAfter } from "../chain/lists.ts";
import type { SeatTerm } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { RoundKeys } from "./round-keys.ts";

/** The account's seat, or the last one that it had. @throws ROLE_NOT_REGISTERED if it never had any */
export function seatOf({ seats }: Pick<TaskLook, "seats">, account: Hex): SeatTerm {
  const term = seats.findLast(({ member }) => member === account);
  ensure(term !== undefined, "ROLE_NOT_REGISTERED", `${account} holds no seat in this task's committee`, { account });
  return term;
}

/** The account's part of the seat in the round or after it. */
export function termIn(
  { seats }: Pick<TaskLook, "seats">,
  { seat, chain }: { readonly seat: number; readonly chain: { readonly account: Hex } },
  round: bigint,
): SeatTerm | undefined {
  return seats.findLast((term) => term.seat === seat && term.member === chain.account && isOfOrAfter(term, round));
}

/**
 * Where the last round of the term is closed for good, erases every key that is left: of its rounds, which nobody may
 * open any more, and of later ones, which the replacement voided.
 * @returns true if there is nothing left to do in the seat. @throws storage errors
 */
export async function leaveSeat(
  { seat, untilRound }: SeatTerm,
  { closedRound }: Pick<TaskLook, "closedRound">,
  keys: Pick<RoundKeys, "eraseAll">,
  reporter: Reporter,
): Promise<boolean> {
  if (untilRound === undefined || closedRound < untilRound - 1n) return false;
  await keys.eraseAll();
  reporter.say(
    "good",
    "seat-left",
    `seat ${seat} is another member's since round ${untilRound}, and the rounds before are closed: the keys that were left are erased`,
    { seat, untilRound },
  );
  return true;
}
