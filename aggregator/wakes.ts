/** Which members' statements end a pause: one corrupt seat must not keep the aggregator looking without one. */
import { MOST_OF_SEAT } from "../task/statement-board.ts";
import type { Statement } from "../task/statements.ts";

export interface StatementWakes {
  /** To be told of the present round at each look. */
  looked(round: bigint): void;
  /** Wakes for the first statements of each seat in that round; what else is said is found at the next look. */
  heard(statement: Pick<Statement, "round" | "seat">): void;
}

export function createStatementWakes(wake: () => void): StatementWakes {
  let present: bigint | undefined;
  const bySeat = new Map<number, number>();
  return {
    looked: (round) => {
      if (round !== present) bySeat.clear();
      present = round;
    },
    heard: ({ round, seat }) => {
      const before = bySeat.get(seat) ?? 0;
      if (round !== present || before === MOST_OF_SEAT) return;
      bySeat.set(seat, before + 1);
      wake();
    },
  };
}
