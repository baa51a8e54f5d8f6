/** What an account is in a task, now and from the next round on. */
import { isOfOrAfter } from "../../chain/lists.ts";
import type { Term } from "../../chain/lists.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { FundsReading, TaskRole } from "./funds.ts";

export type Part = Pick<FundsReading, "roles" | "changes" | "openRegistration" | "size" | "roundsLeft">;

/** Of an account whose task is not known. */
export const NO_TASK: Part = {
  roles: undefined,
  changes: [],
  openRegistration: false,
  size: { chunks: 1, kinds: 1, quorum: 2 },
  roundsLeft: undefined,
};

/** What the account is in the task, and what of the task its costs depend on. @param account in lower case */
export async function partOf(account: Hex, reader: TaskReader): Promise<Part> {
  const [parameters, operator, look] = await Promise.all([reader.parameters(), reader.operator(), reader.look()]);
  const { number } = look.round;
  const seats = look.seats.filter((term) => term.member === account && isOfOrAfter(term, number));
  const places = look.clientTerms.filter((term) => term.client === account && isOfOrAfter(term, number));
  const parts: readonly (readonly [TaskRole, boolean])[] = [
    ["aggregator", operator === account],
    ["member", seats.length > 0],
    ["client", places.length > 0],
  ];
  const { chunkKinds, quorum, maxRounds, openRegistration } = parameters;
  return {
    roles: parts.filter(([, has]) => has).map(([role]) => role),
    changes: [
      ...seats.flatMap((term) => changesOf(`seat ${term.seat}'s member`, term, number)),
      ...places.flatMap((term) => changesOf("a client", term, number)),
    ],
    openRegistration,
    size: { chunks: chunkKinds.length, kinds: new Set(chunkKinds).size, quorum },
    roundsLeft: maxRounds === 0 ? undefined : Math.max(0, maxRounds - look.finalisedRounds),
  };
}

/** Before the first round everything is yet to begin. */
function changesOf(what: string, { fromRound, untilRound }: Term, round: bigint): readonly string[] {
  return [
    ...(round > 0n && fromRound > round ? [`${what} from round ${fromRound} on`] : []),
    ...(untilRound === undefined ? [] : [`${what} until round ${untilRound}`]),
  ];
}
