/** Changes of a task's lists that are decided and have not begun: who comes, goes or is replaced, and from when on. */
import { isOf, ZERO_ADDRESS } from "../chain/lists.ts";
import type { TaskLook } from "../chain/task-chain.ts";
import type { Hex } from "../protocol/transcript.ts";

export interface ComingChange {
  /** The first round for which it holds. */
  readonly fromRound: bigint;
  /** Of a change of the committee. */
  readonly seat?: number;
  /** Who takes part then; who no longer does, if nobody comes instead. */
  readonly account: Hex;
  /** In words. */
  readonly says: string;
}

/** By round: seats first, then clients. None before the first round, when everything is yet to begin. */
export function comingChanges({
  round: { number },
  seats,
  clientTerms,
}: Pick<TaskLook, "clientTerms" | "round" | "seats">): readonly ComingChange[] {
  if (number === 0n) return [];
  const ofSeats = seats.flatMap(({ seat, member, fromRound }): ComingChange[] => {
    if (fromRound <= number) return [];
    const before = seats.find((term) => term.seat === seat && isOf(term, fromRound - 1n))?.member;
    const who = member === ZERO_ADDRESS ? "nobody's" : `${member}'s`;
    const past = before === undefined || before === ZERO_ADDRESS ? "" : `, in place of ${before}`;
    const says = `seat ${seat} is ${who} from round ${fromRound} on${past}`;
    return [{ fromRound, seat, account: member === ZERO_ADDRESS ? (before ?? member) : member, says }];
  });
  const replaced = new Set(clientTerms.flatMap(({ predecessor }) => predecessor ?? []));
  const ofClients = clientTerms.flatMap(({ client, weight, fromRound, untilRound, predecessor }): ComingChange[] => {
    const place = predecessor === undefined ? "" : `, in place of ${predecessor}`;
    const begins = `client ${client} of weight ${weight} takes part from round ${fromRound} on${place}`;
    const ends = `client ${client} takes part in no round from ${untilRound} on`;
    return [
      ...(fromRound > number ? [{ fromRound, account: client, says: begins }] : []),
      ...(untilRound !== undefined && untilRound > number && !replaced.has(client)
        ? [{ fromRound: untilRound, account: client, says: ends }]
        : []),
    ];
  });
  return [...ofSeats, ...ofClients].sort((a, b) => Number(a.fromRound - b.fromRound));
}
